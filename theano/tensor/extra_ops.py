"""More functions of tensors: PyTensor's, and those that Theano has besides."""

from pytensor.tensor import extra_ops as _extra_ops
from pytensor.tensor.extra_ops import (CumOp, FillDiagonal, FillDiagonalOffset, Repeat, Unique,
                                       bartlett, bincount, compress, cumprod, cumsum, diff,
                                       fill_diagonal, fill_diagonal_offset, ravel_multi_index,
                                       repeat, searchsorted, squeeze, unravel_index)

from theano.tensor.basic import to_one_hot


def __getattr__(name):
    return getattr(_extra_ops, name)
