"""More functions of tensors: PyTensor's, and those that only Theano has."""

import jax.numpy as jnp  # noqa: I001 (names stand side by side)
import pytensor.tensor as pt
from pytensor.scalar import upcast
from pytensor.tensor import extra_ops as _extra_ops
from pytensor.tensor.extra_ops import (
    CumOp, FillDiagonal, FillDiagonalOffset, Repeat, Unique, bartlett, bincount, compress, cumprod,
    cumsum, diff, ravel_multi_index, repeat, searchsorted, squeeze, unravel_index)

from theano.tensor.basic import to_one_hot
from theano.xla.op import apply


def fill_diagonal(a, val):
    """Put `val` on the main diagonal; the sizes of more than two dimensions have to be equal.

    PyTensor's (3.0.7), under JAX, fills the diagonal of each matrix in a.
    """
    return fill_diagonal_offset(a, val, 0)


def fill_diagonal_offset(a, val, offset):
    """Put `val` on the diagonal that begins `offset` columns right of the first element.

    PyTensor (3.0.7) has none under JAX.
    """
    a, val = pt.as_tensor_variable(a), pt.as_tensor_variable(val)
    if a.ndim < 2 or val.ndim:
        raise TypeError(f"fill_diagonal: a has {a.ndim} dimensions and needs two or more, "
                        f"val {val.ndim} and needs none")
    if upcast(a.dtype, val.dtype) != a.dtype:
        raise TypeError(f"fill_diagonal: val is of {val.dtype}, a of {a.dtype}")
    return apply(_filled, a, val, pt.as_tensor_variable(offset), types=[a.type])


def _filled(a, val, offset):
    if a.ndim > 2 and len(set(a.shape)) > 1:
        raise ValueError(f"fill_diagonal: sizes {a.shape} of more than two dimensions differ")
    where = [jnp.expand_dims(jnp.arange(n), [k for k in range(a.ndim) if k != axis])
             for axis, n in enumerate(a.shape)]
    where[0] = where[0] + jnp.asarray(offset, "int64")
    on = jnp.asarray(True)
    for axis in where[1:]:
        on = on & (where[0] == axis)
    return jnp.where(on, jnp.asarray(val, a.dtype), a)


def __getattr__(name):
    return getattr(_extra_ops, name)
