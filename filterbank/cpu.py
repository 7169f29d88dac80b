"""The filter bank on a CPU: three kernels, compiled by numba, that share their work among threads.

- `largest`: every filter's largest correlation in a group of bands, and where it stands;
- `parameter_gradient`, `input_gradient`: only that window has gradient, so they cost next to nothing.

A kernel reads its arrays at the addresses in a JOB record, for it is called by XLA (see ffi.py).
Theano's convolution flips the filter: tap k of a correlation is W[length - 1 - k].
"""

import numpy as np
from numba import carray, njit, types
from numba.extending import intrinsic

from filterbank import simd, threads

JOB = np.dtype([(name, np.int64) for name in (
    "next_task",                    # the first field: threads count it up at the record's own address
    "x", "batch", "channels", "bands", "frames",    # the spectrograms, or their gradient
    "pool_bands",
    "filters", "count",             # address of `count` FILTER records
    "value", "where",               # (batch, count, groups): the results of `largest`, or the gradient of
                                    # its value, and where
    "packed_at",                    # addresses (count,) of the filters as simd.largest_window reads them
)])

# A filter's W (channels, 1, length) and b, by address: read by `largest` and `input_gradient`,
# written by `parameter_gradient`.
FILTER = np.dtype([("length", np.int64), ("weights", np.int64), ("bias", np.int64)])

# Sums of products bounded by this cannot overflow, not even those that the fast algorithm forms on its way.
_SAFE = 1e35

# Not kept on disk one by one: numba would not see a change in another file (ffi.py keeps the whole).
compiled = njit(nogil=True, error_model="numpy")
inlined = njit(inline="always", error_model="numpy")     # to optimise large functions once, not in each caller


@intrinsic
def pointer(typingctx, address, like):
    """The address as a pointer to numbers of the type of `like`; to anything if it is None."""
    target = types.voidptr if like == types.none else types.CPointer(like)

    def codegen(context, builder, signature, args):
        return builder.inttoptr(args[0], context.get_value_type(target))

    return target(types.int64, like), codegen


@intrinsic
def itemsize(typingctx, like):
    """Bytes of one such number."""
    return types.int64(like), lambda context, builder, signature, args: context.get_constant(types.int64, like.bitwidth // 8)


@compiled
def _address(array):
    return np.int64(array.ctypes.data)                   # numba's uint64 would turn sums into float64


@compiled
def _record(address):
    return carray(pointer(address, None), 1, JOB)[0]


@compiled
def _filters(job):
    return carray(pointer(job.filters, None), job.count, FILTER)


@compiled
def _weights(job, filter, zero):
    return carray(pointer(filter.weights, zero), (job.channels, filter.length))


@compiled
def _bias(filter, zero):
    return carray(pointer(filter.bias, zero), 1)


@compiled
def _spectrogram(job, zero):
    return carray(pointer(job.x, zero), (job.batch, job.channels, job.bands, job.frames))


@compiled
def _per_group(job, address, like):
    return carray(pointer(address, like), (job.batch, job.count, job.bands // job.pool_bands))


# ---- the largest window ---------------------------------------------------------------------------

@compiled
def _quarter(length):
    return (length + simd.PHASES - 1) // simd.PHASES


@compiled
def _pack(job, zero):
    """The filters' taps in three parts (even, odd, their sum), and each of these again in three."""
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
def _split(source, parts):
    """The three streams of simd.py's fast algorithm: x0 - x1, x2 - x1, x1; times along axis 0."""
    for i in range(parts.shape[1]):
        for lane in range(parts.shape[2]):
            odd = source[2 * i + 1, lane]
            parts[0, i, lane] = source[2 * i, lane] - odd
            parts[1, i, lane] = source[2 * i + 2, lane] - odd
            parts[2, i, lane] = odd


@compiled
def _load(x, examples, bands, streams, times, halves):
    """Fill `streams` (channels, STREAMS, rows, lanes) from x, a band per lane; returns the sum of |x|.

    Lane l takes band bands[l] of example examples[l]. `times` and `halves` are room for the steps
    between; past the last frame they hold zeros.
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
def _largest_with_care(x, w, zero):
    """The largest window of one row, x (channels, frames), term by term: NaN is larger than anything."""
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
def _largest_worker(address, zero):
    """Take tiles, as many bands as a vector has lanes, until none is left."""
    job = _record(address)
    x, filters = _spectrogram(job, zero), _filters(job)
    value, where = _per_group(job, job.value, zero), _per_group(job, job.where, np.int32(0))
    packed_at = carray(pointer(job.packed_at, np.int64(0)), job.count)
    pool, groups = job.pool_bands, value.shape[2]
    lanes = simd.VECTOR_BYTES // itemsize(zero)
    per_tile = max(1, lanes // pool)

    rows = job.frames // simd.PHASES + simd.STEPS + 4
    room = np.full(job.channels * simd.STREAMS * rows * lanes + lanes, zero)
    skip = -_address(room) % simd.VECTOR_BYTES // itemsize(zero)
    streams = room[skip:len(room) - lanes + skip].reshape((job.channels, simd.STREAMS, rows, lanes))
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
        for band in range(0, pool, lanes):              # again where a group is larger than a vector
            height = min(lanes, pool - band)
            used = (last - first) * height
            for lane in range(used):
                examples[lane], group[lane] = divmod(first + lane // height, groups)
                bands[lane] = group[lane] * pool + band + lane % height
            magnitude = _load(x, examples[:used], bands[:used], streams, times, halves)
            for f in range(job.count):
                windows = job.frames - filters[f].length + 1
                if magnitude * norms[f] < _SAFE:
                    simd.largest_window(zero, _address(streams), rows, packed_at[f], _quarter(filters[f].length),
                                        job.channels, windows, _address(best), _address(at))
                else:
                    w = _weights(job, filters[f], zero)
                    for lane in range(used):
                        best[lane], at[lane] = _largest_with_care(x[examples[lane], :, bands[lane]], w, zero)
                bias = _bias(filters[f], zero)[0]
                for lane in range(0, used, height):
                    top, place = best[lane], at[lane] + band * job.frames
                    for row in range(1, height):
                        larger = (not best[lane + row] <= top) & (top == top)
                        top = best[lane + row] if larger else top
                        place = at[lane + row] + (band + row) * job.frames if larger else place
                    top += bias
                    b, g = examples[lane], group[lane]
                    if band == 0 or ((not top <= value[b, f, g]) & (value[b, f, g] == value[b, f, g])):
                        value[b, f, g], where[b, f, g] = top, place


@inlined
def largest(job, filters, zero, thread_count):
    """Fill `value` and `where` of the job.

    value (batch, count, groups) is the largest correlation of a filter within `pool_bands` bands, plus
    bias; `where` (int32) is band * frames + frame of the window's begin, counted from the group's first.
    """
    job[0].filters, job[0].count = _address(filters), len(filters)
    packed, begin = _pack(job[0], zero)
    packed_at = _address(packed) + begin[:-1] * itemsize(zero)
    job[0].packed_at = _address(packed_at)
    threads.run(_largest_worker, job, zero, thread_count, (filters, packed, packed_at))


# ---- gradients ------------------------------------------------------------------------------------

@compiled
def _parameter_gradient_worker(address, zero):
    """Take filters until none is left."""
    job = _record(address)
    x, filters = _spectrogram(job, zero), _filters(job)
    gradient, where = _per_group(job, job.value, zero), _per_group(job, job.where, np.int32(0))
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
                if amount == 0:                          # as behind a ReLU that is off
                    continue
                band, time = g * job.pool_bands + where[b, f, g] // job.frames, where[b, f, g] % job.frames
                bias += amount
                for c in range(job.channels):
                    for k in range(length):
                        correlation[c, k] += amount * x[b, c, band, time + k]
        for c in range(job.channels):
            for k in range(length):
                w[c, length - 1 - k] = correlation[c, k]
        _bias(filters[f], zero)[0] = bias


@inlined
def parameter_gradient(job, filters, zero, thread_count):
    """Fill the filters' W and b with their gradients; the job's `value` is the gradient of that result."""
    job[0].filters, job[0].count = _address(filters), len(filters)
    threads.run(_parameter_gradient_worker, job, zero, thread_count, (filters,))


@compiled
def _input_gradient_worker(address, zero):
    """Take examples until none is left."""
    job = _record(address)
    x_gradient, filters = _spectrogram(job, zero), _filters(job)
    gradient, where = _per_group(job, job.value, zero), _per_group(job, job.where, np.int32(0))
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
                band, time = g * job.pool_bands + where[b, f, g] // job.frames, where[b, f, g] % job.frames
                for c in range(job.channels):
                    for k in range(length):
                        x_gradient[b, c, band, time + k] += amount * w[c, length - 1 - k]


@inlined
def input_gradient(job, filters, zero, thread_count):
    """Fill the job's `x` with its gradient; `value` is the gradient of that result."""
    job[0].filters, job[0].count = _address(filters), len(filters)
    threads.run(_input_gradient_worker, job, zero, thread_count, (filters,))
