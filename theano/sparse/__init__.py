"""Sparse matrices: PyTensor's. Functions of them are not compiled but run node by node, in SciPy."""

from pytensor.sparse import *
from pytensor.sparse import SparseTensorType as SparseType
from pytensor.sparse import basic, sparse_grad, type
from pytensor.sparse.basic import _is_sparse_variable
