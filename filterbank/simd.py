"""Vector code: the largest window of one filter, for as many rows as a vector has lanes.

numba compiles loops over scalars; here the loops are written as LLVM vectors, which LLVM turns into
AVX-512, AVX2 or NEON. A vector holds one time step of several rows (mel bands), so that no window is
ever unaligned and the maximum over time never leaves its lane.

The correlation itself is a fast FIR algorithm. With even and odd samples apart, x0[i] = x[2i],
x1[i] = x[2i+1] and x2[i] = x[2i+2], and the same for the taps w, two neighbouring windows are

    y[2i]   = w0 * (x0 - x1) + (w0 + w1) * x1
    y[2i+1] = w1 * (x2 - x1) + (w0 + w1) * x1

three half-length correlations instead of four, and the last one is shared. Applied twice, four
windows cost nine correlations of a quarter of the length: 9/16 of the multiplications. The sums and
differences of x are formed once for all filters, and those of w once for all rows.

Reference: R. E. Blahut, "Fast Algorithms for Signal Processing", Cambridge University Press, 2010,
chapter 5 (fast filter sections).
"""

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

PHASES = 4      # windows that one step of the twice applied algorithm yields
STREAMS = 9     # correlations that it costs
SUM = 2         # of the three parts (even, odd, shared), the shared one

_FEATURES = llvmlite.binding.get_host_cpu_features()
VECTOR_BYTES = 64 if _FEATURES.get("avx512f") else 32 if _FEATURES.get("avx") else 16
# Time steps of one block: its 4 * STEPS accumulators fit into the registers, 32 of AVX-512 and NEON or
# 16 of older x86.
STEPS = 3 if _FEATURES.get("sse2") and not _FEATURES.get("avx512f") else 6

INT32, INT64 = ir.IntType(32), ir.IntType(64)


def lanes(dtype):
    """How many numbers of this type one vector register of this machine holds."""
    return VECTOR_BYTES // np.dtype(dtype).itemsize


def _int64(value):
    return ir.Constant(INT64, value)


class _Emitter:
    """Emits the search for one filter: numbers are of LLVM type `scalar`, vectors of `lanes` lanes."""

    def __init__(self, context, builder, number, streams, rows, taps, weights, channels):
        self.builder, self.rows, self.taps, self.channels = builder, rows, taps, channels
        scalar = context.get_value_type(number)
        self.lanes = lanes(str(number))
        self.vector = ir.VectorType(scalar, self.lanes)
        self.index = ir.VectorType(INT32, self.lanes)
        self.streams = builder.inttoptr(streams, self.vector.as_pointer())
        self.weights = builder.inttoptr(weights, scalar.as_pointer())
        self.muladd = cgutils.get_or_insert_function(
            builder.module, ir.FunctionType(self.vector, [self.vector] * 3),
            f"llvm.fmuladd.v{self.lanes}f{number.bitwidth}")
        self.best = self._variable(self.vector, -np.inf)
        self.where = self._variable(self.index, 0)

    def _variable(self, kind, value):
        place = cgutils.alloca_once(self.builder, kind)
        self.builder.store(ir.Constant(kind, [value] * self.lanes), place)
        return place

    def _splat(self, value, kind):
        nothing = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.Constant(INT32, 0))
        return self.builder.shuffle_vector(first, nothing, ir.Constant(self.index, [0] * self.lanes))

    def correlate(self, step, jobs):
        """STEPS accumulators per job, from `step` on; a job is (stream, the accumulators to start from)."""
        builder = self.builder
        slots = [[cgutils.alloca_once(builder, self.vector) for _ in range(STEPS)] for _ in jobs]
        for places, (_, start) in zip(slots, jobs):
            for place, value in zip(places, start or [ir.Constant(self.vector, [0.] * self.lanes)] * STEPS):
                builder.store(value, place)
        with cgutils.for_range(builder, self.channels) as channel:
            for places, (stream, _) in zip(slots, jobs):
                stream = builder.add(builder.mul(channel.index, _int64(STREAMS)), _int64(stream))
                places.append(builder.gep(self.streams, [builder.add(builder.mul(stream, self.rows), step)]))
                places.append(builder.gep(self.weights, [builder.mul(stream, self.taps)]))
            with cgutils.for_range(builder, self.taps) as tap:
                for *accumulators, x, w in slots:
                    weight = self._splat(builder.load(builder.gep(w, [tap.index])), self.vector)
                    for s, place in enumerate(accumulators):
                        window = builder.load(builder.gep(x, [builder.add(tap.index, _int64(s))]))
                        builder.store(builder.call(self.muladd, [weight, window, builder.load(place)]), place)
        return [[builder.load(place) for place in places[:STEPS]] for places in slots]

    def two_phases(self, step, part, start):
        """The even and the odd windows of one third of the streams, added to `start`."""
        [shared] = self.correlate(step, [(3 * part + SUM, None)])
        even, odd = ([shared, shared] if start is None else
                     [[self.builder.fadd(a, b) for a, b in zip(phase, shared)] for phase in start])
        return self.correlate(step, [(3 * part, even), (3 * part + 1, odd)])

    def fold(self, step, phase, windows, accumulators):
        """Keep what is larger than the best so far; `windows`, if given, is where they end."""
        builder = self.builder
        first = self._splat(builder.trunc(builder.mul(step, _int64(PHASES)), INT32), self.index)
        for s, value in enumerate(accumulators):
            time = builder.add(first, ir.Constant(self.index, [PHASES * s + phase] * self.lanes))
            best = builder.load(self.best)
            larger = builder.fcmp_ordered(">", value, best)
            if windows is not None:
                larger = builder.and_(larger, builder.icmp_signed("<", time, windows))
            builder.store(builder.select(larger, value, best), self.best)
            builder.store(builder.select(larger, time, builder.load(self.where)), self.where)

    def search(self, windows):
        """All windows, in blocks of STEPS * PHASES; the last block may hold some that do not exist."""
        builder = self.builder
        block = STEPS * PHASES
        blocks = builder.udiv(builder.add(windows, _int64(block - 1)), _int64(block))
        end = self._splat(builder.trunc(windows, INT32), self.index)
        with cgutils.for_range(builder, blocks) as loop:
            step = builder.mul(loop.index, _int64(STEPS))
            whole = builder.icmp_signed("<=", builder.mul(builder.add(loop.index, _int64(1)), _int64(block)), windows)
            shared = self.two_phases(step, SUM, None)
            for part in (0, 1):
                phases = self.two_phases(step, part, shared)
                with builder.if_else(whole) as (then, otherwise):
                    with then:
                        for i, accumulators in enumerate(phases):
                            self.fold(step, 2 * i + part, None, accumulators)
                    with otherwise:
                        for i, accumulators in enumerate(phases):
                            self.fold(step, 2 * i + part, end, accumulators)


@intrinsic
def largest_window(typingctx, zero, streams, rows, weights, taps, channels, windows, best, where):
    """Write, per lane, the largest of a filter's windows and the time at which it starts.

    Parameters
    ----------
    zero : float32 or float64
        A number of the type of all the others.
    streams : address
        (channels, STREAMS, rows, lanes), aligned to a vector: the sums and differences of x.
    weights : address
        (channels, STREAMS, taps): the same of the filter.
    windows : int
        How many there are, in units of one time step of x.
    best, where : addresses
        (lanes,), of the type of `zero` and int32. All numbers met must be finite.
    """
    def codegen(context, builder, signature, args):
        _, streams, rows, weights, taps, channels, windows, best, where = args
        emitter = _Emitter(context, builder, zero, streams, rows, taps, weights, channels)
        emitter.search(windows)
        for result, address in ((emitter.best, best), (emitter.where, where)):
            kind = result.type.pointee
            builder.store(builder.load(result), builder.inttoptr(address, kind.as_pointer()), align=4)
        return context.get_dummy_value()

    return types.void(zero, *[types.int64] * 8), codegen
