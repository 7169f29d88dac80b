"""The filter bank on a CPU: three kernels, compiled by numba, that share their work among threads.

- `largest`: each filter's largest correlation in each group of bands, and where its window begins;
- `parameter_gradient`, `input_gradient`: only that window has a gradient, so they cost next to
  nothing.

XLA calls the kernels (see ffi.py) and passes arrays by address, so a kernel finds its arrays at the
addresses in a JOB record. `zero` is a number of the dtype to compute in: numba compiles each kernel
for each dtype.

Theano's convolution flips the filter: tap k of a correlation is W[length - 1 - k].
"""

from collections.abc import Callable

import numpy as np
from llvmlite import ir
from numba import carray, njit, types
from numba.core.base import BaseContext
from numba.core.typing.context import BaseContext as TypingContext
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

from filterbank import simd, threads

JOB = np.dtype([(name, np.int64) for name in (
    # The next task to do. It comes first because threads count it up at the record's own address.
    "next_task",
    # The spectrograms, or their gradient: address and shape.
    "x", "batch", "channels", "bands", "frames",
    "pool_bands",
    # Address and number of the FILTER records.
    "filters", "count",
    # Addresses of arrays (batch, count, groups): the results of `largest`, or the gradient of its
    # value, and `where`.
    "value", "where",
    # Address of an array (count,) of addresses: the filters as simd.largest_window reads them.
    "packed_at",
)])

# A filter's length in frames, and the addresses of its W (channels, 1, length) and its b.
# `largest` and `input_gradient` read W and b, `parameter_gradient` writes them.
FILTER = np.dtype([("length", np.int64), ("weights", np.int64), ("bias", np.int64)])

# Sums of products below this cannot overflow, nor can the intermediate sums of the fast algorithm.
_SAFE = 1e35

# Without numba's cache of single functions, which misses a change in another file. ffi.py caches
# the whole.
compiled = njit(nogil=True, error_model="numpy")
# For large functions: numba inlines them, so that LLVM optimises them only within their caller.
inlined = njit(inline="always", error_model="numpy")


@intrinsic
def pointer(
    typingctx: TypingContext, address: types.Type, like: types.Type,
) -> tuple[Signature, Callable]:
    """Turn an address into a pointer to numbers of the type of `like`, or into a void pointer.

    A void pointer is what `like=None` gives.
    """
    target = types.voidptr if like == types.none else types.CPointer(like)

    def codegen(
        context: BaseContext, builder: ir.IRBuilder, signature: Signature, args: list[ir.Value],
    ) -> ir.Value:
        return builder.inttoptr(args[0], context.get_value_type(target))

    return target(types.int64, like), codegen


@intrinsic
def itemsize(typingctx: TypingContext, like: types.Type) -> tuple[Signature, Callable]:
    """Return the bytes of a number of the type of `like`."""
    def codegen(
        context: BaseContext, builder: ir.IRBuilder, signature: Signature, args: list[ir.Value],
    ) -> ir.Value:
        return context.get_constant(types.int64, like.bitwidth // 8)

    return types.int64(like), codegen


@compiled
def _address(array: np.ndarray) -> int:
    # Signed, because numba turns a sum of uint64 and int64 into float64.
    return np.int64(array.ctypes.data)


@compiled
def _record(address: int) -> np.void:
    return carray(pointer(address, None), 1, JOB)[0]


@compiled
def _filters(job: np.void) -> np.ndarray:
    return carray(pointer(job.filters, None), job.count, FILTER)


@compiled
def _weights(job: np.void, record: np.void, zero: np.floating) -> np.ndarray:
    return carray(pointer(record.weights, zero), (job.channels, record.length))


@compiled
def _bias(record: np.void, zero: np.floating) -> np.ndarray:
    return carray(pointer(record.bias, zero), 1)


@compiled
def _spectrogram(job: np.void, zero: np.floating) -> np.ndarray:
    return carray(pointer(job.x, zero), (job.batch, job.channels, job.bands, job.frames))


@compiled
def _per_group(job: np.void, address: int, like: np.generic) -> np.ndarray:
    return carray(pointer(address, like), (job.batch, job.count, job.bands // job.pool_bands))


# ---- the largest window --------------------------------------------------------------------------

@compiled
def _quarter(length: int) -> int:
    return (length + simd.PHASES - 1) // simd.PHASES


@compiled
def _pack(job: np.void, zero: np.floating) -> tuple[np.ndarray, np.ndarray]:
    """Split each filter's taps into even, odd and their sum, and each of these once more.

    Returns
    -------
    packed : ndarray
        For each filter (channels, STREAMS, quarter of its length), all in one row.
    begin : ndarray of int64
        (count + 1,): where in `packed` each filter begins, and where the last one ends.
    """
    filters = _filters(job)
    begin = np.zeros(job.count + 1, np.int64)
    for f in range(job.count):
        begin[f + 1] = begin[f] + job.channels * simd.STREAMS * _quarter(filters[f].length)
    packed = np.full(begin[-1], zero)
    for f in range(job.count):
        length, w = filters[f].length, _weights(job, filters[f], zero)
        parts = packed[begin[f]:begin[f + 1]].reshape(job.channels, 3, 3, _quarter(length))
        for c in range(job.channels):
            for k in range(length):
                parts[c, k % 2, k // 2 % 2, k // 4] = w[c, length - 1 - k]
            for k in range(parts.shape[3]):
                for part in range(2):
                    parts[c, part, simd.SUM, k] = parts[c, part, 0, k] + parts[c, part, 1, k]
                for part in range(3):
                    parts[c, simd.SUM, part, k] = parts[c, 0, part, k] + parts[c, 1, part, k]
    return packed, begin


@compiled
def _split(source: np.ndarray, parts: np.ndarray) -> None:
    """Fill `parts` with the three streams of the fast algorithm: x0 - x1, x2 - x1, x1.

    See simd.py. Time runs along axis 0 of `source` and axis 1 of `parts`.
    """
    for i in range(parts.shape[1]):
        for lane in range(parts.shape[2]):
            odd = source[2 * i + 1, lane]
            parts[0, i, lane] = source[2 * i, lane] - odd
            parts[1, i, lane] = source[2 * i + 2, lane] - odd
            parts[2, i, lane] = odd


@compiled
def _load(
    x: np.ndarray, examples: np.ndarray, bands: np.ndarray,
    streams: np.ndarray, times: np.ndarray, halves: np.ndarray,
) -> float:
    """Fill `streams` (channels, STREAMS, rows, lanes) from x, a band in each lane.

    Lane l gets band bands[l] of example examples[l]. `times` and `halves` hold intermediate
    results; past the last frame they must be zero.

    Returns
    -------
    float
        The sum of abs(x) over what was loaded.
    """
    magnitude = np.zeros_like(times[0])
    for c in range(x.shape[1]):
        for lane in range(len(bands)):
            row = x[examples[lane], c, bands[lane]]
            for time in range(len(row)):
                times[time, lane] = row[time]
        for time in range(x.shape[3]):
            for lane in range(len(magnitude)):
                magnitude[lane] += abs(times[time, lane])
        _split(times, halves)
        for part in range(3):
            _split(halves[part], streams[c, 3 * part:3 * part + 3])
    return magnitude.sum()


@compiled
def _largest_with_care(x: np.ndarray, w: np.ndarray, zero: np.floating) -> tuple[float, int]:
    """Find the largest window of x (channels, frames), term by term; NaN counts as the largest.

    For numbers that the fast algorithm cannot add up: very large ones, infinity and NaN.
    """
    best, where = -np.inf, 0
    for time in range(x.shape[1] - w.shape[1] + 1):
        correlation = zero
        for c in range(w.shape[0]):
            for k in range(w.shape[1]):
                correlation += w[c, w.shape[1] - 1 - k] * x[c, time + k]
        if not correlation <= best:
            best, where = correlation, time
        if best != best:
            break
    return best, where


@compiled
def _largest_worker(address: int, zero: np.floating) -> None:
    """Work through tiles, each of as many bands as a vector has lanes, until none is left."""
    job = _record(address)
    x, filters = _spectrogram(job, zero), _filters(job)
    value = _per_group(job, job.value, zero)
    where = _per_group(job, job.where, np.int32(0))
    packed_at = carray(pointer(job.packed_at, np.int64(0)), job.count)
    pool, groups = job.pool_bands, value.shape[2]
    lanes = simd.VECTOR_BYTES // itemsize(zero)
    per_tile = max(1, lanes // pool)

    rows = job.frames // simd.PHASES + simd.STEPS + 4
    room = np.full(job.channels * simd.STREAMS * rows * lanes + lanes, zero)
    skip = -_address(room) % simd.VECTOR_BYTES // itemsize(zero)
    streams = room[skip:len(room) - lanes + skip].reshape(
        (job.channels, simd.STREAMS, rows, lanes))
    halves = np.full((3, 2 * rows + 1, lanes), zero)
    times = np.full((4 * rows + 3, lanes), zero)
    best, at = np.full(lanes, zero), np.zeros(lanes, np.int32)
    examples, group, bands = np.zeros((3, lanes), np.int64)
    norms = np.zeros(job.count)
    for f in range(job.count):
        for w in _weights(job, filters[f], zero).flat:
            norms[f] += abs(w)

    while True:
        first = threads.next_task(address) * per_tile
        if first >= job.batch * groups:
            break
        last = min(first + per_tile, job.batch * groups)
        for band in range(0, pool, lanes):          # several rounds if a group exceeds a vector
            height = min(lanes, pool - band)
            used = (last - first) * height
            for lane in range(used):
                examples[lane], group[lane] = divmod(first + lane // height, groups)
                bands[lane] = group[lane] * pool + band + lane % height
            magnitude = _load(x, examples[:used], bands[:used], streams, times, halves)
            for f in range(job.count):
                windows = job.frames - filters[f].length + 1
                if magnitude * norms[f] < _SAFE:
                    simd.largest_window(
                        zero, _address(streams), rows, packed_at[f], _quarter(filters[f].length),
                        job.channels, windows, _address(best), _address(at))
                else:
                    w = _weights(job, filters[f], zero)
                    for lane in range(used):
                        best[lane], at[lane] = _largest_with_care(
                            x[examples[lane], :, bands[lane]], w, zero)
                bias = _bias(filters[f], zero)[0]
                for lane in range(0, used, height):
                    top, place = best[lane], at[lane] + band * job.frames
                    for row in range(1, height):
                        larger = (not best[lane + row] <= top) & (top == top)
                        top = best[lane + row] if larger else top
                        place = at[lane + row] + (band + row) * job.frames if larger else place
                    top += bias
                    b, g = examples[lane], group[lane]
                    former = value[b, f, g]
                    if band == 0 or ((not top <= former) & (former == former)):
                        value[b, f, g], where[b, f, g] = top, place


@inlined
def largest(
    job: np.ndarray, filters: np.ndarray, zero: np.floating, thread_count: int,
) -> None:
    """Fill `value` and `where` of the job.

    Parameters
    ----------
    job : ndarray of JOB
        (1,). Its `value` (batch, count, groups) becomes each filter's largest correlation within
        `pool_bands` bands, plus bias. Its `where` (the same shape, int32) becomes
        band * frames + frame at which that window begins, counted from the group's first band.
    filters : ndarray of FILTER
        (count,).
    zero : float32 or float64
    thread_count : int
    """
    job[0].filters, job[0].count = _address(filters), len(filters)
    packed, begin = _pack(job[0], zero)
    packed_at = _address(packed) + begin[:-1] * itemsize(zero)
    job[0].packed_at = _address(packed_at)
    threads.run(_largest_worker, job, zero, thread_count, (filters, packed, packed_at))


# ---- gradients -----------------------------------------------------------------------------------

@compiled
def _parameter_gradient_worker(address: int, zero: np.floating) -> None:
    """Work through the filters until none is left."""
    job = _record(address)
    x, filters = _spectrogram(job, zero), _filters(job)
    gradient = _per_group(job, job.value, zero)
    where = _per_group(job, job.where, np.int32(0))
    while True:
        f = threads.next_task(address)
        if f >= job.count:
            break
        w, length = _weights(job, filters[f], zero), filters[f].length
        correlation = np.full(w.shape, zero)
        bias = zero
        for b in range(job.batch):
            for g in range(gradient.shape[2]):
                amount = gradient[b, f, g]
                if amount == 0:             # as behind a ReLU that is off
                    continue
                row, time = divmod(where[b, f, g], job.frames)
                band = g * job.pool_bands + row
                bias += amount
                for c in range(job.channels):
                    for k in range(length):
                        correlation[c, k] += amount * x[b, c, band, time + k]
        for c in range(job.channels):
            for k in range(length):
                w[c, length - 1 - k] = correlation[c, k]
        _bias(filters[f], zero)[0] = bias


@inlined
def parameter_gradient(
    job: np.ndarray, filters: np.ndarray, zero: np.floating, thread_count: int,
) -> None:
    """Fill the filters' W and b with their gradients.

    The arguments are those of `largest`, but the job's `value` holds the gradient of that result.
    """
    job[0].filters, job[0].count = _address(filters), len(filters)
    threads.run(_parameter_gradient_worker, job, zero, thread_count, (filters,))


@compiled
def _input_gradient_worker(address: int, zero: np.floating) -> None:
    """Work through the examples until none is left."""
    job = _record(address)
    x_gradient, filters = _spectrogram(job, zero), _filters(job)
    gradient = _per_group(job, job.value, zero)
    where = _per_group(job, job.where, np.int32(0))
    while True:
        b = threads.next_task(address)
        if b >= job.batch:
            break
        for c in range(job.channels):
            for band in range(job.bands):
                for time in range(job.frames):
                    x_gradient[b, c, band, time] = zero
        for f in range(job.count):
            w, length = _weights(job, filters[f], zero), filters[f].length
            for g in range(gradient.shape[2]):
                amount = gradient[b, f, g]
                if amount == 0:
                    continue
                row, time = divmod(where[b, f, g], job.frames)
                band = g * job.pool_bands + row
                for c in range(job.channels):
                    for k in range(length):
                        x_gradient[b, c, band, time + k] += amount * w[c, length - 1 - k]


@inlined
def input_gradient(
    job: np.ndarray, filters: np.ndarray, zero: np.floating, thread_count: int,
) -> None:
    """Fill the job's `x` with its gradient.

    The arguments are those of `largest`, but the job's `value` holds the gradient of that result.
    """
    job[0].filters, job[0].count = _address(filters), len(filters)
    threads.run(_input_gradient_worker, job, zero, thread_count, (filters,))
