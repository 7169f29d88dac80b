"""A function of chunks as a JAX trace of plain operations, which every converter knows.

No chunk affects the answer for another. So a function is traced for one chunk, where all
sizes are numbers, and mapped over the chunks, whose number stays open.
"""

from collections.abc import Callable, Sequence
from contextlib import nullcontext

import jax
import jax.export
import numpy as np
from jax import lax
from jax.extend.core import ClosedJaxpr, Literal, Var, primitives
from jax.interpreters import partial_eval

# Calls of functions that are part of the graph as well as what they call: primitive -> parameter
CALLS = {"jit": "jaxpr", "pjit": "jaxpr", "custom_vjp_call": "call_jaxpr",
         "custom_jvp_call": "call_jaxpr"}


def traced(function: Callable, shapes: Sequence[tuple[int, ...]]) -> ClosedJaxpr:
    """Trace a function of one chunk for any number of chunks.

    What jax2onnx (0.17) cannot convert is not in the trace: functions that are called are inlined,
    a choice by the kind of device becomes its branch for any device, and paddings become slices and
    concatenations (its own padding needs a number of chunks). What depends on weights alone is
    computed now.

    Parameters
    ----------
    function : callable
        Of float32 arrays without an axis for chunks; gives one array.
    shapes : sequence
        Of these arrays.

    Returns
    -------
    jax.extend.core.ClosedJaxpr
        Of arrays with a first axis, `chunks`.
    """
    [chunks] = jax.export.symbolic_shape("chunks")
    given = [jax.ShapeDtypeStruct((chunks, *shape), np.float32) for shape in shapes]
    trace = jax.make_jaxpr(jax.vmap(function))(*given)
    plainer = jax.make_jaxpr(lambda *inputs: _plainer(trace, *inputs))(*given)
    used, _ = partial_eval.dce_jaxpr(plainer.jaxpr, [True], instantiate=True)
    return plainer.replace(jaxpr=used)


def _plainer(trace: ClosedJaxpr, *inputs: jax.Array) -> list[jax.Array]:
    """Compute what a trace computes; see `traced`."""
    jaxpr = trace.jaxpr
    values = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*trace.consts, *inputs], strict=True))

    def read(variable: Var | Literal) -> jax.Array:
        return variable.val if isinstance(variable, Literal) else values[variable]

    for step in jaxpr.eqns:
        given, name = list(map(read, step.invars)), step.primitive.name
        known = not any(isinstance(value, jax.core.Tracer) for value in given) and all(
            isinstance(size, int) for variable in step.outvars for size in variable.aval.shape)
        with jax.ensure_compile_time_eval() if known else nullcontext():
            if name in CALLS:
                found = _plainer(step.params[CALLS[name]], *given)
            elif name == "cond" and step.params["branches_platforms"]:
                # `lax.platform_dependent` has the branch for any device last
                found = _plainer(step.params["branches"][-1], *given[1:])
            elif step.primitive is primitives.pad_p:
                found = [_padded(*given, step.params["padding_config"])]
            else:
                found = step.primitive.bind(*given, **step.params)
                found = found if step.primitive.multiple_results else [found]
        values.update(zip(step.outvars, found, strict=True))
    return list(map(read, jaxpr.outvars))


def _padded(x: jax.Array, fill: jax.Array, ends: Sequence[tuple[int, int, int]]) -> jax.Array:
    """Do the work of `lax.pad`: (before, after, between) for each axis, negative to cut off."""
    if any(between for _, _, between in ends):
        return lax.pad(x, fill, ends)
    for axis, (before, after, _) in enumerate(ends):
        if before < 0 or after < 0:
            x = lax.slice_in_dim(x, max(0, -before), x.shape[axis] - max(0, -after), axis=axis)
        for count, first in ((before, True), (after, False)):
            if count > 0:
                added = lax.full((*x.shape[:axis], count, *x.shape[axis + 1:]), fill, x.dtype)
                x = lax.concatenate([added, x] if first else [x, added], axis)
    return x
