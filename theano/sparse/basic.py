"""Sparse matrices by the module's name that scripts import: what PyTensor has in several."""

from pytensor.sparse import *  # noqa: F403 (all of its names)
from pytensor.sparse.basic import _is_dense_variable, _is_sparse_variable
