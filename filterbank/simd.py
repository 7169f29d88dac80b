"""Vector code: the largest window of one filter, for as many rows as a vector has lanes.

numba compiles loops over scalars. The loops here are written with LLVM vectors, which LLVM turns
into AVX-512, AVX2 or NEON. A vector holds one time step of several rows (mel bands), so every
window is aligned and the maximum over time stays in its lane.

The correlation is a fast FIR algorithm. With even and odd samples apart, x0[i] = x[2i],
x1[i] = x[2i+1] and x2[i] = x[2i+2], and the same for the taps w, two neighbouring windows are

    y[2i]   = w0 * (x0 - x1) + (w0 + w1) * x1
    y[2i+1] = w1 * (x2 - x1) + (w0 + w1) * x1

which takes three correlations of half the length instead of four, as both share the last one.
Applied twice, four windows cost nine correlations of a quarter of the length: 9/16 of the
multiplications. The sums and differences of x are formed once for all filters, and those of w once
for all rows.

References
----------
R. E. Blahut, "Fast Algorithms for Signal Processing", Cambridge University Press, 2010, chapter 5
(fast filter sections).
"""

from collections.abc import Callable, Sequence

import llvmlite.binding
import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.base import BaseContext
from numba.core.typing.context import BaseContext as TypingContext
from numba.core.typing.templates import Signature
from numba.extending import intrinsic

PHASES = 4      # windows that one step of the algorithm, applied twice, yields
STREAMS = 9     # correlations that such a step costs
SUM = 2         # index of the shared part among even, odd, shared

_FEATURES = llvmlite.binding.get_host_cpu_features()
VECTOR_BYTES = 64 if _FEATURES.get("avx512f") else 32 if _FEATURES.get("avx") else 16
# Steps of one block: its 4 * STEPS accumulators must fit into the registers, of which AVX-512 and
# NEON have 32 and older x86 has 16.
STEPS = 3 if _FEATURES.get("sse2") and not _FEATURES.get("avx512f") else 6

INT32, INT64 = ir.IntType(32), ir.IntType(64)
Vectors = list[ir.Value]        # STEPS accumulators: one vector for each step of a block


def lanes(dtype: str | np.dtype) -> int:
    """Return how many numbers of this type a vector register of this machine holds."""
    return VECTOR_BYTES // np.dtype(dtype).itemsize


def _int64(value: int) -> ir.Constant:
    return ir.Constant(INT64, value)


class _Emitter:
    """Emit the search for the largest window of one filter.

    Parameters
    ----------
    context, builder
        numba's, as in any code generator.
    number : numba type
        float32 or float64: the type of all numbers.
    streams, rows, taps, weights, channels : LLVM values
        See `largest_window`.
    """

    def __init__(
        self, context: BaseContext, builder: ir.IRBuilder, number: types.Type, streams: ir.Value,
        rows: ir.Value, taps: ir.Value, weights: ir.Value, channels: ir.Value,
    ) -> None:
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

    def _variable(self, kind: ir.VectorType, value: float) -> ir.Value:
        place = cgutils.alloca_once(self.builder, kind)
        self.builder.store(ir.Constant(kind, [value] * self.lanes), place)
        return place

    def _splat(self, value: ir.Value, kind: ir.VectorType) -> ir.Value:
        nothing = ir.Constant(kind, ir.Undefined)
        first = self.builder.insert_element(nothing, value, ir.Constant(INT32, 0))
        lane_0 = ir.Constant(self.index, [0] * self.lanes)
        return self.builder.shuffle_vector(first, nothing, lane_0)

    def correlate(
        self, step: ir.Value, jobs: Sequence[tuple[int, Vectors | None]],
    ) -> list[Vectors]:
        """Correlate streams, for STEPS steps from `step` on.

        Each job is (stream, accumulators to start from, or None for zeros). The result has one
        list of accumulators for each job.
        """
        builder = self.builder
        zeros = [ir.Constant(self.vector, [0.] * self.lanes)] * STEPS
        slots = [[cgutils.alloca_once(builder, self.vector) for _ in range(STEPS)] for _ in jobs]
        for places, (_, start) in zip(slots, jobs, strict=True):
            for place, value in zip(places, start or zeros, strict=True):
                builder.store(value, place)
        with cgutils.for_range(builder, self.channels) as channel:
            for places, (stream, _) in zip(slots, jobs, strict=True):
                stream = builder.add(builder.mul(channel.index, _int64(STREAMS)), _int64(stream))
                row = builder.add(builder.mul(stream, self.rows), step)
                places.append(builder.gep(self.streams, [row]))
                places.append(builder.gep(self.weights, [builder.mul(stream, self.taps)]))
            with cgutils.for_range(builder, self.taps) as tap:
                for *accumulators, x, w in slots:
                    weight = self._splat(builder.load(builder.gep(w, [tap.index])), self.vector)
                    for s, place in enumerate(accumulators):
                        window = builder.load(builder.gep(x, [builder.add(tap.index, _int64(s))]))
                        total = builder.call(self.muladd, [weight, window, builder.load(place)])
                        builder.store(total, place)
        return [[builder.load(place) for place in places[:STEPS]] for places in slots]

    def two_phases(
        self, step: ir.Value, part: int, start: list[Vectors] | None,
    ) -> list[Vectors]:
        """Add the even and the odd windows of one third of the streams to `start`."""
        [shared] = self.correlate(step, [(3 * part + SUM, None)])
        if start is None:
            even = odd = shared
        else:
            even, odd = ([self.builder.fadd(a, b) for a, b in zip(phase, shared, strict=True)]
                         for phase in start)
        return self.correlate(step, [(3 * part, even), (3 * part + 1, odd)])

    def fold(
        self, step: ir.Value, phase: int, windows: ir.Value | None, accumulators: Vectors,
    ) -> None:
        """Keep what is larger than the best so far.

        If `windows` is given, windows from that number on do not exist and are ignored.
        """
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

    def search(self, windows: ir.Value) -> None:
        """Go through all windows in blocks of STEPS * PHASES, of which the last may be partial."""
        builder = self.builder
        block = STEPS * PHASES
        blocks = builder.udiv(builder.add(windows, _int64(block - 1)), _int64(block))
        end = self._splat(builder.trunc(windows, INT32), self.index)
        with cgutils.for_range(builder, blocks) as loop:
            step = builder.mul(loop.index, _int64(STEPS))
            end_of_block = builder.mul(builder.add(loop.index, _int64(1)), _int64(block))
            complete = builder.icmp_signed("<=", end_of_block, windows)
            shared = self.two_phases(step, SUM, None)
            for part in (0, 1):
                phases = self.two_phases(step, part, shared)
                with builder.if_else(complete) as (then, otherwise):
                    with then:
                        for i, accumulators in enumerate(phases):
                            self.fold(step, 2 * i + part, None, accumulators)
                    with otherwise:
                        for i, accumulators in enumerate(phases):
                            self.fold(step, 2 * i + part, end, accumulators)


@intrinsic
def largest_window(
    typingctx: TypingContext, zero: types.Type, streams: types.Type, rows: types.Type,
    weights: types.Type, taps: types.Type, channels: types.Type, windows: types.Type,
    best: types.Type, where: types.Type,
) -> tuple[Signature, Callable]:
    """Write, for each lane, the largest of a filter's windows and the time at which it begins.

    Parameters
    ----------
    zero : float32 or float64
        A number of the type of all the others. All numbers must be finite.
    streams : address
        (channels, STREAMS, rows, lanes), aligned to a vector: the sums and differences of x.
    rows : int
    weights : address
        (channels, STREAMS, taps): the sums of the filter's taps.
    taps, channels : int
    windows : int
        Number of windows, in time steps of x.
    best, where : address
        (lanes,), of the type of `zero` and int32: the results.
    """
    def codegen(
        context: BaseContext, builder: ir.IRBuilder, signature: Signature, args: list[ir.Value],
    ) -> ir.Value:
        _, streams, rows, weights, taps, channels, windows, best, where = args
        emitter = _Emitter(context, builder, zero, streams, rows, taps, weights, channels)
        emitter.search(windows)
        for result, address in ((emitter.best, best), (emitter.where, where)):
            target = builder.inttoptr(address, result.type.pointee.as_pointer())
            builder.store(builder.load(result), target, align=4)
        return context.get_dummy_value()

    return types.void(zero, *[types.int64] * 8), codegen
