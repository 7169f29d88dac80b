"""PyTensor's Scan as a loop of XLA's.

Scan's outer inputs are the number of steps, sequences, buffers for the recurrent outputs (which
begin with their initial states), lengths of the other outputs, and what stays the same. A buffer
shorter than the loop is used in a circle, and turned at the end so that the latest value is last.
"""

import jax
import jax.numpy as jnp
import numpy as np
from pytensor.scan.op import Scan

from theano.link.convert import convert
from theano.link.host import DynamicShape, static
from theano.link.program import NotTraceable, Program
from theano.link.rewrite import rewritten


class Loop:
    """What a Scan node computes."""

    def __init__(self, op):
        self.op, self.info = op, op.info
        inner = rewritten(op.fgraph)
        self.step = Program(inner.inputs, inner.outputs, inner.toposort())
        self.taps = [*self.info.mit_sot_in_slices, *self.info.sit_sot_in_slices]
        self.compiled, self.step_by_step = {}, False

    def __call__(self, *inputs):
        """Compute the node's outputs, and with `until` only as many as there were steps."""
        if any(isinstance(x, jax.core.Tracer) for x in inputs):
            return self.trimmed(*self.run(inputs))
        if not self.step_by_step:
            try:
                return self.trimmed(*self.run_compiled(inputs))
            except (NotTraceable, DynamicShape):
                self.step_by_step = True
        return self.trimmed(*self.run(inputs, called, in_python))

    def run_compiled(self, inputs):
        """Do `run`, compiled once for each set of sizes."""
        sizes = {i: x for i, x in enumerate(inputs) if is_size(x)}
        arrays = [x for i, x in enumerate(inputs) if i not in sizes]
        key = tuple((i, x.shape, x.tobytes()) for i, x in sizes.items())
        if key not in self.compiled:
            self.compiled[key] = jax.jit(lambda *arrays: self.run(merged(sizes, arrays)))
        return self.compiled[key](*arrays)

    def run(self, inputs, shapes_of=jax.eval_shape, while_loop=jax.lax.while_loop):
        """Return the number of steps done, and whole buffers."""
        op, info = self.op, self.info
        steps = inputs[0]
        sequences = [jnp.asarray(x) for x in op.outer_seqs(inputs)]
        if not isinstance(steps, jax.core.Tracer) and any(len(x) < steps for x in sequences):
            lengths = ", ".join(str(len(x)) for x in sequences)
            raise ValueError(f"scan: {steps} steps, but sequences of length {lengths}")
        constants = op.outer_non_seqs(inputs)  # not part of the state: sizes stay on the host
        recurrent = [jnp.asarray(x) for x in op.outer_mitsot(inputs) + op.outer_sitsot(inputs)]
        accumulated = [jnp.asarray(x) for x in op.outer_mitmot(inputs)]
        untraced = [jnp.asarray(x) for x in op.outer_untraced_sit_sot(inputs)]

        def values_at(t, accumulated, recurrent, untraced):
            in_slices = zip(accumulated, info.normalized_mit_mot_in_slices, strict=True)
            tapped = zip(recurrent, self.taps, strict=True)
            return self.step(
                *[at(x, t) for x in sequences],
                *[at(x, t + tap) for x, taps in in_slices for tap in taps],
                *[at(x, (t + tap - min(taps)) % len(x)) for x, taps in tapped for tap in taps],
                *untraced, *constants)

        shapes = shapes_of(values_at, 0, accumulated, recurrent, untraced)
        new = zip(op.outer_nitsot(inputs), op.inner_nitsot_outs(shapes), strict=True)
        collected = [jnp.zeros((self.kept(length, steps), *y.shape), y.dtype) for length, y in new]

        def body(state):
            t, _, accumulated, recurrent, collected, untraced = state
            values = values_at(t, accumulated, recurrent, untraced)
            for k, taps in enumerate(info.normalized_mit_mot_out_slices):
                for tap, y in zip(taps, op.inner_mitmot_outs_grouped(values)[k], strict=True):
                    accumulated = replaced(accumulated, k, t + tap, y)
            latest = op.inner_mitsot_outs(values) + op.inner_sitsot_outs(values)
            for k, (taps, y) in enumerate(zip(self.taps, latest, strict=True)):
                recurrent = replaced(recurrent, k, (t - min(taps)) % len(recurrent[k]), y)
            for k, y in enumerate(op.inner_nitsot_outs(values)):
                collected = replaced(collected, k, t % max(1, len(collected[k])), y)
            untraced = [jnp.asarray(x) for x in op.inner_untraced_sit_sot_outs(values)]
            done = jnp.asarray(values[-1], bool) if info.as_while else jnp.asarray(False)
            return t + 1, done, accumulated, recurrent, collected, untraced

        state = (jnp.asarray(0), jnp.asarray(False), accumulated, recurrent, collected, untraced)
        state = while_loop(lambda s: (s[0] < steps) & ~s[1], body, state)
        count, _, accumulated, recurrent, collected, untraced = state
        begun = [-min(taps) for taps in self.taps] + [0] * len(collected)
        buffers = zip(recurrent + collected, begun, strict=True)
        turned = [in_order(x, count + n) for x, n in buffers]
        return count, [*accumulated, *turned, *untraced]

    def kept(self, length, steps):
        """Return how many values of an output to keep: no more than steps, if PyTensor asks for k.

        It does so for out[-k:]. In truncated gradients the others are zeros.
        """
        length = static(length)
        if self.op.truncate_gradient != -1:
            return length
        if isinstance(steps, jax.core.Tracer) and length > 1:
            raise DynamicShape      # there may be fewer steps
        return min(length, steps)

    def trimmed(self, count, outputs):
        """Cut the buffers, with `until`, to the part that the loop came to fill."""
        if not self.info.as_while:
            return tuple(outputs)
        if isinstance(count, jax.core.Tracer):
            raise DynamicShape
        first = self.info.n_mit_mot
        filled = [int(count) - min(taps) for taps in self.taps]
        filled += [int(count)] * self.info.n_nit_sot
        for k, n in enumerate(filled, first):
            outputs[k] = outputs[k][:n]
        return tuple(outputs)


def called(function, *arguments):
    """In place of jax.eval_shape: a step that has to see values is taken for its shapes."""
    return function(*arguments)


def in_python(goes_on, body, state):
    """In place of jax.lax.while_loop."""
    while goes_on(state):
        state = body(state)
    return state


def is_size(value):
    """Tell whether it is an integer, or a vector of integers, that may be a shape."""
    return isinstance(value, np.ndarray) and value.dtype.kind in "iu" and value.ndim <= 1


def merged(sizes, arrays):
    """Put all inputs in order, from the sizes by their position and the others."""
    count, arrays = len(sizes) + len(arrays), iter(arrays)
    return [sizes[i] if i in sizes else next(arrays) for i in range(count)]


def at(x, i):
    """Return x[i] for an index known in the run; zeros if x is empty, for a loop of no steps."""
    if not len(x):
        return jnp.zeros(x.shape[1:], x.dtype)
    return jax.lax.dynamic_index_in_dim(x, i, keepdims=False)


def replaced(buffers, k, i, y):
    """Put y at place i of the k-th of the buffers, unless nothing is kept there."""
    if not len(buffers[k]):
        return buffers
    x = jax.lax.dynamic_update_index_in_dim(buffers[k], jnp.asarray(y), i, 0)
    return [*buffers[:k], x, *buffers[k + 1:]]


def in_order(x, written):
    """Turn a buffer written in a circle so that the oldest value is first."""
    if not len(x):
        return x
    return jax.lax.cond(written > len(x), lambda: jnp.roll(x, -(written % len(x)), 0), lambda: x)


@convert.register
def _(op: Scan, node):
    return Loop(op)
