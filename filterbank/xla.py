"""The filter bank as plain XLA code, which runs on any device; chosen on a GPU.

Correlations are matrix products, for tensor cores: a row holds the frames that a block of neighbouring windows
see, the matrix each filter once for every window of the block, a frame further each time. Filters of about the
same length share a product, the shorter ones with zeros behind. Then the largest output is taken. The backward
pass gathers only the windows that were the largest.

The products have the precision of `jax_default_matmul_precision` (see theano/device.py), all else is exact.
"""

import jax.numpy as jnp
import numpy as np
from jax import lax

BLOCK = 16      # windows of a row: fewer make longer matrices of the same numbers, more make more zeros
LENGTHS = 32    # filters of 1 to 32 frames share a product, those of 33 to 64, ...
ALIGNED = 8     # frames of a row are a multiple of this: tensor cores take several numbers at a time


def _classes(filters):
    """Filters that share a product.

    Parameters
    ----------
    filters : list of (int, int)
        Length and count of each W.

    Yields
    ------
    entries : list of int
        Places in `filters`.
    which : ndarray of int
        Places of their filters among all.
    lengths : ndarray of int
        The length of each of these.
    """
    lengths = np.repeat(*np.transpose(filters))
    number = (lengths - 1) // LENGTHS
    for this in np.unique(number):
        which = np.flatnonzero(number == this)
        yield [i for i, (length, _) in enumerate(filters) if (length - 1) // LENGTHS == this], which, lengths[which]


def _per_entry(filters, array):
    """`array` (filters, ...) cut into a piece for each (length, count)."""
    return jnp.split(array, np.cumsum([count for _, count in filters])[:-1])


def _taps(weights):
    """W (count, channels, 1, length) of several lengths as correlation filters of one: (all counts, channels, longest)."""
    longest = max(w.shape[3] for w in weights)
    return jnp.concatenate([jnp.pad(w[:, :, 0, ::-1], ((0, 0), (0, 0), (0, longest - w.shape[3]))) for w in weights])


def _shifted(taps, row):
    """Filters (count, channels, length) as a matrix (channels, row, BLOCK, count) of each of their places."""
    count, channels, length = taps.shape
    # rows that are one longer than those they are cut into: each begins one place further
    rows = jnp.pad(taps, ((0, 0), (0, 0), (0, row + 1 - length)))[:, :, None]
    rows = jnp.broadcast_to(rows, (count, channels, BLOCK, row + 1)).reshape(count, channels, -1)
    return rows[..., :BLOCK * row].reshape(count, channels, BLOCK, row).transpose(1, 3, 2, 0)


def _larger(one, other):
    """The pair (value, place) of the larger value: of equal ones the first, and before all a NaN."""
    (a, i), (b, j) = one, other
    take = (a > b) | (a != a) | (a == b) & (i < j)
    return jnp.where(take, a, b), jnp.where(take, i, j)


def _grouped(x, pool_bands):
    """x (batch, channels, bands, frames) as (batch, channels, groups, pool_bands * frames)."""
    batch, channels, bands, frames = x.shape
    groups = bands // pool_bands
    return x[:, :, :groups * pool_bands].reshape(batch, channels, groups, pool_bands * frames)


def largest(x, *parameters, pool_bands):
    """The largest output of every filter in each group of bands, and where it is.

    Parameters
    ----------
    x : array (batch, channels, bands, frames)
    *parameters : arrays
        W (count, channels, 1, length) and b (count,), in turn. Convolution: the filter is flipped.
    pool_bands : int
        Bands in a group; those that do not fill one are ignored.

    Returns
    -------
    value : array (batch, filters, groups)
        NaN where there is a NaN or, as it meets the zeros of a product, an infinity in the group.
    where : int32 array (batch, filters, groups)
        band * frames + frame at which the window begins, counted from the group's first band.
    """
    batch, _, bands, frames = x.shape
    groups = bands // pool_bands
    x = x[:, :, :groups * pool_bands]
    weights, biases = parameters[::2], parameters[1::2]
    values, places, order = [], [], []
    for entries, which, lengths in _classes([(w.shape[3], len(w)) for w in weights]):
        begins = range(0, frames - min(lengths) + 1, BLOCK)
        row = -(-(BLOCK + max(lengths) - 1) // ALIGNED) * ALIGNED
        padded = jnp.pad(x, ((0, 0), (0, 0), (0, 0), (0, max(0, begins[-1] + row - frames))))
        blocks = jnp.stack([padded[..., begin:begin + row] for begin in begins], 3)
        y = jnp.einsum("bchnk,cktf->bhntf", blocks, _shifted(_taps([weights[i] for i in entries]), row))
        window = np.arange(len(begins) * BLOCK).reshape(-1, BLOCK, 1)
        y = jnp.where(window <= frames - lengths, y, -jnp.inf)
        y = y.reshape(batch, groups, pool_bands * window.size, len(lengths))
        # not jnp.argmax and what lies there: XLA's GPU compiler would write all of y, and every index, to memory once more
        start = jnp.array(-jnp.inf, y.dtype), jnp.array(0, jnp.int32)
        value, at = lax.reduce((y, lax.broadcasted_iota(jnp.int32, y.shape, 2)), start, _larger, [2])
        values.append(value)
        places.append(at // window.size * frames + at % window.size)
        order += which.tolist()
    back = np.argsort(order)
    value, where = (jnp.concatenate(parts, axis=2)[:, :, back].transpose(0, 2, 1) for parts in (values, places))
    return value + jnp.concatenate(biases)[:, None], where


def parameter_gradient(x, gradient, where, filters, pool_bands):
    """Gradients of W, b, W, b ..., as a list.

    Parameters
    ----------
    x : array (batch, channels, bands, frames)
    gradient, where : arrays (batch, filters, groups)
        The gradient of the first result of `largest`, and its second.
    filters : list of (int, int)
        Length and count of each W.
    pool_bands : int
    """
    x = _grouped(x, pool_bands)
    correlations = {}
    for entries, which, lengths in _classes(filters):
        amount = gradient[:, which, :, None]
        taps = where[:, which, :, None] + np.arange(max(lengths), dtype=np.int32)       # (batch, filters, groups, taps)
        # taps that run past the end are those of shorter filters, and left out below
        of_channels = [(amount * jnp.take_along_axis(x[:, None, channel], taps, axis=3, mode="clip")).sum((0, 2))
                       for channel in range(x.shape[1])]
        parts = _per_entry([filters[i] for i in entries], jnp.stack(of_channels, 1)[:, :, None])
        correlations.update((i, part[..., :filters[i][0]][..., ::-1]) for i, part in zip(entries, parts))
    biases = _per_entry(filters, gradient.sum((0, 2)))
    return [array for i, bias in enumerate(biases) for array in (correlations[i], bias)]


def input_gradient(x, gradient, where, *parameters, pool_bands):
    """Gradient of x; `parameters` as for `largest`, the others as for `parameter_gradient`."""
    weights = parameters[::2]
    total = jnp.zeros_like(_grouped(x, pool_bands))
    batch = np.arange(len(x))[:, None, None, None]
    group = np.arange(total.shape[2])[:, None]
    for entries, which, lengths in _classes([(w.shape[3], len(w)) for w in weights]):
        filters = _taps([weights[i] for i in entries])
        places = where[:, which, :, None] + np.arange(max(lengths), dtype=np.int32)
        for channel in range(x.shape[1]):
            windows = gradient[:, which, :, None] * filters[:, channel, None]     # (batch, filters, groups, taps)
            # zeros behind a shorter filter may fall behind the end, where they are dropped
            total = total.at[batch, channel, group, places].add(windows)
    pooled = total.shape[2] * pool_bands
    total = total.reshape(*x.shape[:2], pooled, x.shape[3])
    return jnp.pad(total, ((0, 0), (0, 0), (0, x.shape[2] - pooled), (0, 0)))
