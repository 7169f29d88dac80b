"""The filter bank as plain XLA code, which runs on any device; chosen on a GPU.

Correlations are computed as matrix products, for tensor cores. A row of one matrix holds the frames
that a block of neighbouring windows covers. The other matrix holds each filter once for each window
of the block, one frame later each time. Filters of about the same length share a product, the
shorter ones padded with zeros. Then the largest output is taken. The backward pass reads only the
windows that were the largest.

The products have the precision of `jax_default_matmul_precision` (see theano/device.py); all other
operations are exact.
"""

from collections.abc import Iterator, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

BLOCK = 16      # windows of a row: fewer make longer matrices of the same numbers, more add zeros
LENGTHS = 32    # filters of 1 to 32 frames share a product, those of 33 to 64, ...
ALIGNED = 8     # frames of a row are a multiple: tensor cores take several numbers at a time

Filters = Sequence[tuple[int, int]]     # (length in frames, number of filters) of each W


def _classes(filters: Filters) -> Iterator[tuple[list[int], np.ndarray, np.ndarray]]:
    """Group filters that share a product.

    Parameters
    ----------
    filters : list of (int, int)
        Length and count of each W.

    Yields
    ------
    entries : list of int
        The indices in `filters` of a group.
    which : ndarray of int
        The indices of its filters among all filters.
    lengths : ndarray of int
        The length of each of these.
    """
    lengths = np.repeat(*np.transpose(filters))
    classes = (lengths - 1) // LENGTHS
    for one in np.unique(classes):
        which = np.flatnonzero(classes == one)
        entries = [i for i, (length, _) in enumerate(filters) if (length - 1) // LENGTHS == one]
        yield entries, which, lengths[which]


def _per_entry(filters: Filters, array: jax.Array) -> list[jax.Array]:
    """Cut `array` (filters, ...) into a piece for each (length, count)."""
    return jnp.split(array, np.cumsum([count for _, count in filters])[:-1])


def _taps(weights: Sequence[jax.Array]) -> jax.Array:
    """Join W (count, channels, 1, length) of several lengths as filters of a correlation.

    Returns
    -------
    array (sum of counts, channels, longest)
        The shorter ones end in zeros.
    """
    longest = max(w.shape[3] for w in weights)
    return jnp.concatenate([
        jnp.pad(w[:, :, 0, ::-1], ((0, 0), (0, 0), (0, longest - w.shape[3]))) for w in weights])


def _shifted(taps: jax.Array, row: int) -> jax.Array:
    """Place filters (count, channels, length) at each of BLOCK frames in turn.

    Returns
    -------
    array (channels, row, BLOCK, count)
    """
    count, channels, length = taps.shape
    # Copies that are one frame longer than the rows they are cut into: each row begins one frame
    # further into its copy.
    rows = jnp.pad(taps, ((0, 0), (0, 0), (0, row + 1 - length)))[:, :, None]
    rows = jnp.broadcast_to(rows, (count, channels, BLOCK, row + 1)).reshape(count, channels, -1)
    return rows[..., :BLOCK * row].reshape(count, channels, BLOCK, row).transpose(1, 3, 2, 0)


def _larger(
    one: tuple[jax.Array, jax.Array], other: tuple[jax.Array, jax.Array],
) -> tuple[jax.Array, jax.Array]:
    """Return the pair (value, place) of the larger value; of equal ones the first, or any NaN."""
    (a, i), (b, j) = one, other
    take = (a > b) | (a != a) | (a == b) & (i < j)
    return jnp.where(take, a, b), jnp.where(take, i, j)


def grouped(x: jax.Array, pool_bands: int) -> jax.Array:
    """Join the bands of each group, and drop those left over.

    x (batch, channels, bands, frames) becomes (batch, channels, groups, pool_bands * frames).
    """
    batch, channels, bands, frames = x.shape
    groups = bands // pool_bands
    return x[:, :, :groups * pool_bands].reshape(batch, channels, groups, pool_bands * frames)


def largest(
    x: jax.Array, *parameters: jax.Array, pool_bands: int,
) -> tuple[jax.Array, jax.Array]:
    """Find the largest output of every filter in each group of bands, and where it is.

    Parameters
    ----------
    x : array (batch, channels, bands, frames)
    *parameters : arrays
        W (count, channels, 1, length), b (count,), W, b ... As in Theano's convolution, the filters
        are flipped.
    pool_bands : int
        Bands in a group. Bands left over at the end are ignored.

    Returns
    -------
    value : array (batch, filters, groups)
        NaN if there is a NaN in the group, or an infinity, which meets the zeros of a product.
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
        missing = max(0, begins[-1] + row - frames)
        padded = jnp.pad(x, ((0, 0), (0, 0), (0, 0), (0, missing)))
        blocks = jnp.stack([padded[..., begin:begin + row] for begin in begins], 3)
        taps = _shifted(_taps([weights[i] for i in entries]), row)
        y = jnp.einsum("bchnk,cktf->bhntf", blocks, taps)
        window = np.arange(len(begins) * BLOCK).reshape(-1, BLOCK, 1)
        y = jnp.where(window <= frames - lengths, y, -jnp.inf)
        y = y.reshape(batch, groups, pool_bands * window.size, len(lengths))
        # Not jnp.argmax and the value there: XLA's GPU compiler would write all of y, and every
        # index, to memory once more.
        start = jnp.array(-jnp.inf, y.dtype), jnp.array(0, jnp.int32)
        index = lax.broadcasted_iota(jnp.int32, y.shape, 2)
        value, at = lax.reduce((y, index), start, _larger, [2])
        values.append(value)
        places.append(at // window.size * frames + at % window.size)
        order += which.tolist()
    back = np.argsort(order)
    value, where = (jnp.concatenate(parts, axis=2)[:, :, back].transpose(0, 2, 1)
                    for parts in (values, places))
    return value + jnp.concatenate(biases)[:, None], where


def parameter_gradient(
    x: jax.Array, gradient: jax.Array, where: jax.Array, filters: Filters, pool_bands: int,
) -> list[jax.Array]:
    """Compute the gradients of W, b, W, b ... from that of the largest outputs.

    Parameters
    ----------
    x : array (batch, channels, bands, frames)
    gradient : array (batch, filters, groups)
        The gradient of the first result of `largest`.
    where : int32 array (batch, filters, groups)
        Its second result.
    filters : list of (int, int)
        Length and count of each W.
    pool_bands : int

    Returns
    -------
    list of array
        In the order and shapes of W, b, W, b ...
    """
    x = grouped(x, pool_bands)
    correlations = {}
    for entries, which, lengths in _classes(filters):
        amount = gradient[:, which, :, None]
        # (batch, filters, groups, taps)
        taps = where[:, which, :, None] + np.arange(max(lengths), dtype=np.int32)
        # Taps past the end belong to shorter filters; they are cut off below.
        of_channels = [
            (amount * jnp.take_along_axis(x[:, None, c], taps, axis=3, mode="clip")).sum((0, 2))
            for c in range(x.shape[1])]
        parts = _per_entry([filters[i] for i in entries], jnp.stack(of_channels, 1)[:, :, None])
        for i, part in zip(entries, parts, strict=True):
            correlations[i] = part[..., :filters[i][0]][..., ::-1]
    biases = _per_entry(filters, gradient.sum((0, 2)))
    return [array for i, bias in enumerate(biases) for array in (correlations[i], bias)]


def input_gradient(
    x: jax.Array, gradient: jax.Array, where: jax.Array, *parameters: jax.Array, pool_bands: int,
) -> jax.Array:
    """Compute the gradient of x.

    Parameters
    ----------
    x, gradient, where, pool_bands
        As for `parameter_gradient`.
    *parameters : arrays
        As for `largest`.

    Returns
    -------
    array (batch, channels, bands, frames)
    """
    weights = parameters[::2]
    total = jnp.zeros_like(grouped(x, pool_bands))
    batch = np.arange(len(x))[:, None, None, None]
    group = np.arange(total.shape[2])[:, None]
    for entries, which, lengths in _classes([(w.shape[3], len(w)) for w in weights]):
        filters = _taps([weights[i] for i in entries])
        places = where[:, which, :, None] + np.arange(max(lengths), dtype=np.int32)
        for channel in range(x.shape[1]):
            # (batch, filters, groups, taps)
            windows = gradient[:, which, :, None] * filters[:, channel, None]
            # The zeros of a shorter filter may lie past the end, where JAX drops them.
            total = total.at[batch, channel, group, places].add(windows)
    pooled = total.shape[2] * pool_bands
    total = total.reshape(*x.shape[:2], pooled, x.shape[3])
    return jnp.pad(total, ((0, 0), (0, 0), (0, x.shape[2] - pooled), (0, 0)))
