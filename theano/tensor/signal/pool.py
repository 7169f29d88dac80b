"""Pooling: one value for each window of an image."""

import warnings

import jax.numpy as jnp
import pytensor.tensor as pt
from pytensor.graph.basic import Variable

from theano.link.host import static_shape
from theano.tensor.nnet.abstract_conv import sizes
from theano.xla import pooling
from theano.xla.op import apply, tensor_type

MODES = "max", "sum", "average_inc_pad", "average_exc_pad"


def pool_2d(input, ws=None, ignore_border=None, stride=None, pad=(0, 0), mode="max",
            ds=None, st=None, padding=None):
    """Pool over the last two dimensions.

    Parameters
    ----------
    input : (..., rows, columns)
    ws : pair of int
        Size of the window. `ds` is its old name.
    ignore_border : bool
        True leaves out windows that stick out of the image.
    stride : pair of int, optional
        Step between windows; the window's size by default. `st` is its old name.
    pad : pair of int
        Elements added around the image: zeros, which for 'max' are never the largest. `padding` is
        its old name.
    mode : {'max', 'sum', 'average_inc_pad', 'average_exc_pad'}

    Returns
    -------
    (..., pooled rows, pooled columns)
    """
    return pooled(2, input, given(ws, ds), ignore_border, given(stride, st), given(padding, pad),
                  mode)


def pool_3d(input, ws=None, ignore_border=None, stride=None, pad=(0, 0, 0), mode="max",
            ds=None, st=None, padding=None):
    """Pool over the last three dimensions; as `pool_2d`."""
    return pooled(3, input, given(ws, ds), ignore_border, given(stride, st), given(padding, pad),
                  mode)


class Pool:
    """Pooling as an object that is made from settings, then called with variables."""

    def __init__(self, ignore_border=False, mode="max", ndim=2):
        self.ignore_border, self.mode, self.ndim = ignore_border, mode, ndim

    def __call__(self, x, ws, stride=None, pad=None):
        """Pool over the last `ndim` dimensions."""
        return pooled(self.ndim, x, ws, self.ignore_border, stride, given(pad, 0), self.mode)

    @staticmethod
    def out_shape(imgshape, ws=None, ignore_border=False, stride=None, pad=None, ndim=2, ds=None,
                  st=None, padding=None):
        """List the sizes of the output for images of `imgshape`, whose entries may be variables."""
        ws = given(ws, ds)
        stride, pad = given(given(stride, st), ws), given(given(pad, padding), (0,) * ndim)
        axes = zip(imgshape[-ndim:], ws, stride, pad, strict=True)
        return [*imgshape[:-ndim], *(
            pooling.out_size(*axis, ignore_border, pt.maximum if isinstance(axis[0], Variable)
                             else max) for axis in axes)]


def given(value, otherwise):
    """Return the first of two that is not None."""
    return otherwise if value is None else value


def max_pool_2d_same_size(input, patch_size):
    """Set all but the largest element of each patch to zero."""
    input = pt.as_tensor_variable(input)
    largest = pool_2d(input, patch_size, ignore_border=True)
    return pt.grad(None, input, known_grads={largest: largest})


def pooled(axes, input, ws, ignore_border, stride, pad, mode):
    """Pool over the last `axes` dimensions."""
    name = f"pool_{axes}d"
    if ws is None:
        raise ValueError(f"{name}: ws, the size of the window, is missing")
    if mode not in MODES:
        raise ValueError(f"{name}: mode={mode!r} is unknown; choose one of {', '.join(MODES)}")
    if ignore_border is None:
        warnings.warn(f"{name}: ignore_border is not given and taken as False", stacklevel=3)
        ignore_border = False
    known, variables = sizes(ws, given(stride, ws), given(pad, 0), axes=axes)
    if known:
        check(*known, ignore_border)
    input = pt.as_tensor_variable(input)
    if input.ndim < axes:
        raise TypeError(f"{name} needs {axes} dimensions or more, the input has {input.ndim}")
    kind = tensor_type(input.dtype, (*input.type.broadcastable[:-axes], *(False,) * axes))
    return apply(_images, input, *variables, types=[kind], sizes=tuple(known), mode=mode,
                 ignore_border=bool(ignore_border))


def check(ws, stride, pad, ignore_border):
    """Refuse what Theano does not support."""
    axes = len(ws)
    if any(pad) and not ignore_border:
        raise NotImplementedError(f"pool_{axes}d: padding works only with ignore_border=True")
    if any(p >= w for p, w in zip(pad, ws, strict=True)):
        raise NotImplementedError(f"pool_{axes}d: padding {pad} must be smaller than "
                                  f"the window {ws}")


def _images(x, *variables, sizes, ignore_border, mode):
    """Pool, with any number of dimensions before those of the window; its sizes may be inputs."""
    ws, stride, pad = sizes or map(static_shape, variables)
    check(ws, stride, pad, ignore_border)
    geometry = {"stride": stride, "pad": pad, "mode": mode, "ignore_border": ignore_border}
    axes = len(ws)
    images = x if x.ndim == axes + 2 else jnp.reshape(x, (-1, 1, *x.shape[-axes:]))
    values = pooling.pool2d(images, ws, **geometry)
    return jnp.reshape(values, (*x.shape[:-axes], *values.shape[-axes:]))
