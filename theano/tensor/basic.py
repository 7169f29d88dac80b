"""Functions of tensors that PyTensor lacks or calls by other names or arguments."""

import jax
import jax.numpy as jnp
import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.scalar import upcast
from pytensor.tensor import as_tensor_variable

import theano
from theano.gof.graph import Standing
from theano.gof.utils import hashtype
from theano.gradient import consider_constant
from theano.xla.op import apply, tensor_type

int_dtypes = ["int8", "int16", "int32", "int64"]
uint_dtypes = ["uint8", "uint16", "uint32", "uint64"]
integer_dtypes = int_dtypes + uint_dtypes
discrete_dtypes = ["bool", *integer_dtypes]
float_dtypes = ["float16", "float32", "float64"]
complex_dtypes = ["complex64", "complex128"]
all_dtypes = discrete_dtypes + float_dtypes + complex_dtypes


class TensorType(metaclass=Standing):
    """The type of arrays of `dtype`, with size 1 where `broadcastable` is True or 1."""

    of = pt.TensorType

    def __new__(cls, dtype, broadcastable, name=None):
        """Make PyTensor's, to which integers are sizes."""
        return pt.TensorType(dtype, tuple(map(bool, broadcastable)), name)


Tensor = TensorType


def addbroadcast(x, *axes):
    """Declare `axes` to be of size 1; return x itself if they are known to be."""
    x = as_tensor_variable(x)
    axes = [axis for axis in axes if not x.type.broadcastable[axis]]
    return pt.specify_broadcastable(x, *axes) if axes else x


def unbroadcast(x, *axes):
    """Forget that `axes` are of size 1; return x itself if they are not known to be."""
    x = as_tensor_variable(x)
    axes = [axis % x.ndim for axis in axes]
    if not any(x.type.broadcastable[axis] for axis in axes):
        return x
    pattern = [one and axis not in axes for axis, one in enumerate(x.type.broadcastable)]
    return apply(jnp.asarray, x, types=[tensor_type(x.dtype, pattern)])


def patternbroadcast(x, broadcastable):
    """Declare those axes to be of size 1 that `broadcastable` marks, and no others."""
    x = as_tensor_variable(x)
    known = x.type.broadcastable
    return addbroadcast(
        unbroadcast(x, *(k for k, one in enumerate(broadcastable) if known[k] and not one)),
        *(k for k, one in enumerate(broadcastable) if one and not known[k]))


def flatten(x, outdim=1, ndim=None):
    """Join all axes after the first `outdim` - 1 into one."""
    return pt.flatten(x, ndim or outdim)


def stack(*tensors, **kwargs):
    """Join tensors along a new axis: stack([a, b], axis=0) or, as of old, stack(a, b)."""
    if isinstance(tensors[0], list | tuple):
        return pt.stack(*tensors, **kwargs)
    return pt.stack(tensors, **kwargs)


def tile(x, reps, ndim=None):
    """Repeat x along each axis; `ndim` puts ones before `reps` until there are as many."""
    if ndim is None:
        return pt.tile(x, reps)
    reps = reps if isinstance(reps, list | tuple) else (reps,)
    if ndim < len(reps):
        raise ValueError(f"tile: ndim={ndim}, but reps={reps} has more entries")
    return pt.tile(x, (*(1,) * (ndim - len(reps)), *reps))


def split(x, splits_size, n_splits, axis=0):
    """Split x along an axis, in `n_splits` parts."""
    return pt.split(x, splits_size, n_splits=n_splits, axis=axis)


def norm(x, ord=None):
    """Norm of a vector or a matrix."""
    return pt.linalg.norm(x, ord)


def default(x, value):
    """Return x, or `value` if x is None."""
    return as_tensor_variable(value if x is None else x)


def extract_constant(x):
    """Return the number that x is, or that all its elements are, if it is known, else x."""
    try:
        return pt.get_underlying_scalar_constant_value(x)
    except pt.NotScalarConstantError:
        return x


def topk(x, kth, axis=-1, sorted=True, idx_dtype="int64"):
    """Pick the `kth` largest elements along an axis (the smallest for kth < 0), in rising order."""
    return topk_and_argtopk(x, kth, axis, sorted, idx_dtype)[0]


def argtopk(x, kth, axis=-1, sorted=True, idx_dtype="int64"):
    """Find where the elements of `topk` stand."""
    return topk_and_argtopk(x, kth, axis, sorted, idx_dtype)[1]


def topk_and_argtopk(x, kth, axis=-1, sorted=True, idx_dtype="int64"):
    """Return values and places of the `kth` largest along an axis, or of all if it is None."""
    x = as_tensor_variable(x)
    if axis is None:
        x, axis = x.flatten(), 0
    chosen = slice(-kth, None) if kth > 0 else slice(None, -kth)
    where = (slice(None),) * (axis % x.ndim) + (chosen,)
    return pt.sort(x, axis)[where], pt.cast(pt.argsort(x, axis)[where], idx_dtype)


def batched_dot(a, b):
    """Multiply a[i] and b[i]: the last axis of a[i] with the last but one of b[i]."""
    a, b = as_tensor_variable(a), as_tensor_variable(b)
    if 1 in (a.ndim, b.ndim):       # a number for each i
        ndim = max(a.ndim, b.ndim)
        return pt.mul(*(pt.shape_padright(x, ndim - x.ndim) for x in (a, b)))
    return batched_tensordot(a, b, [[a.ndim - 1], [max(1, b.ndim - 2)]])


def batched_tensordot(x, y, axes=2):
    """Do `tensordot` of x[i] and y[i] for each i; axis 0, which they share, counts in `axes`."""
    x, y = as_tensor_variable(x), as_tensor_variable(y)
    if isinstance(axes, int):
        axes = list(range(x.ndim - axes, x.ndim)), list(range(1, axes + 1))
    axes = tuple(tuple(int(a) for a in np.atleast_1d(side)) for side in axes)
    kept = [one for k, one in enumerate(x.type.broadcastable) if k not in axes[0]]
    kept += [one for k, one in enumerate(y.type.broadcastable) if k not in (0, *axes[1])]
    return apply(_tensordots, x, y, types=[tensor_type(upcast(x.dtype, y.dtype), kept)], axes=axes)


def _tensordots(x, y, axes):
    inner = tuple(tuple(axis - 1 for axis in side) for side in axes)
    return jax.vmap(lambda x, y: jnp.tensordot(x, y, inner))(x, y)


def to_one_hot(y, nb_class, dtype=None):
    """Make (n, nb_class) of (n,) classes: one where the class is, zero elsewhere."""
    y = as_tensor_variable(y)
    classes = pt.arange(nb_class).dimshuffle("x", 0)
    return pt.eq(y.dimshuffle(0, "x"), classes).astype(dtype or pytensor.config.floatX)


def __getattr__(name):
    """In Theano, this module defines nearly all of theano.tensor."""
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(theano.tensor, name)
