"""Sparse matrices: PyTensor's. Functions of them run node by node, in SciPy, and uncompiled."""

from pytensor.sparse import *  # noqa: F403 (all of its names)
from pytensor.sparse import SparseTensorType as SparseType
from pytensor.sparse import type
from pytensor.sparse.sharedvar import SparseTensorSharedVariable
from pytensor.sparse.variable import SparseConstant, SparseVariable

from theano.sparse.basic import _is_dense_variable, _is_sparse_variable
