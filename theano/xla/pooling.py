"""Pooling in Theano's conventions, as a JAX function.

The image is cut into blocks as long as the stride. A window covers the block that it starts in, the
next one, and so on: the first blocks of all windows make one array, the second blocks another. So
windows that do not overlap are a reshape, and the gradient needs no scatter, which is slow in XLA.
"""

import functools
import itertools
import math

import jax
import jax.numpy as jnp
from jax import lax


def out_size(size, window, stride, pad, ignore_border, largest=max):
    """Count the windows along an axis of `size` elements, as Theano does.

    `largest` is the larger of two: for sizes that are variables, not Python's.
    """
    if ignore_border:
        return largest(0, (size + 2 * pad - window) // stride + 1)
    if stride >= window:
        return -(-size // stride)
    return largest(0, -(-(size - window) // stride)) + 1


def _windows(x, ws, stride, pad, ignore_border, fill):
    """Arrays that together hold the elements of every window.

    x: (batch, channels, rows, columns) ->
    list of (batch, windows, block rows, windows, block columns, channels).
    Channels are the last axis because XLA's CPU convolutions keep images so in memory.
    """
    ends, split, counts, blocks = [], [], [], []
    for size, window, step, before in zip(x.shape[2:], ws, stride, pad, strict=True):
        counts.append(out_size(size, window, step, before, ignore_border))
        blocks.append(-(-window // step))
        steps = max(0, counts[-1] + blocks[-1] - 1)
        ends.append((before, steps * step - before - size, 0))
        split += steps, step
    x = jnp.moveaxis(x, 1, -1)
    x = lax.pad(x, jnp.asarray(fill, x.dtype), [(0, 0, 0), *ends, (0, 0, 0)])
    x = x.reshape(x.shape[0], *split, x.shape[-1])
    parts = []
    for block in itertools.product(*map(range, blocks)):
        cut = [slice(None)]
        for at, count, window, step in zip(block, counts, ws, stride, strict=True):
            cut += slice(at, at + count), slice(window - at * step)
        parts.append(x[tuple(cut)])
    return parts


def _reduced(windows, within, across):
    """One value for each window, by the reductions `within` an array and `across` two."""
    axes = tuple(range(2, windows[0].ndim - 1, 2))
    return jnp.moveaxis(functools.reduce(across, [within(part, axes) for part in windows]), -1, 1)


def _max(x, *geometry):
    lowest = -jnp.inf if jnp.issubdtype(x.dtype, jnp.floating) else jnp.iinfo(x.dtype).min
    return _reduced(_windows(x, *geometry, lowest), jnp.max, jnp.maximum)


def _max_forward(x, *geometry):
    y = _max(x, *geometry)
    return y, (x, y)


def _max_backward(*arguments):
    """Theano gives the whole gradient of a window to every element that equals its maximum."""
    *geometry, (x, y), g = arguments
    y, g = (jnp.expand_dims(jnp.moveaxis(a, 1, -1), range(2, 2 * a.ndim - 3, 2)) for a in (y, g))
    windows, back = jax.vjp(lambda x: _windows(x, *geometry, 0), x)
    # Not 'part == y': where the maximum is NaN, its gradient has to come through.
    return back([jnp.where(part < y, 0, g) for part in windows])


_max_with_ties = jax.custom_vjp(_max, nondiff_argnums=(1, 2, 3, 4))
_max_with_ties.defvjp(_max_forward, _max_backward)


def _sum(x, *geometry):
    return _reduced(_windows(x, *geometry, 0), jnp.sum, jnp.add)


def pool2d(x, ws, stride, pad=(0, 0), mode="max", ignore_border=True):
    """Pool images. Volumes have one axis, and the tuples one entry, more.

    Parameters
    ----------
    x : array, (batch, channels, rows, columns)
    ws, stride, pad : tuple of int
        Size of the window, step between windows, elements added around the image: they never are a
        maximum, and are zeros in a sum.
    mode : {'max', 'sum', 'average_inc_pad', 'average_exc_pad'}
        The averages count the padding, or do not. Neither counts what sticks out of it.
    ignore_border : bool
        True leaves out windows that stick out of the image.
    """
    geometry = tuple(ws), tuple(stride), tuple(pad), ignore_border
    if mode == "max":
        return _max_with_ties(x, *geometry)
    total = _sum(x, *geometry)
    if mode == "sum":
        return total
    if mode == "average_inc_pad" and ignore_border:
        return total / math.prod(ws)
    return total / _sum(jnp.ones((1, 1, *x.shape[2:]), x.dtype), *geometry)
