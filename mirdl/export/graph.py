"""A function of chunks as an ONNX graph, by JAX and jax2onnx.

No chunk has a part in the answer for another. So a function is traced for one chunk, where all
sizes are numbers, and mapped over the chunks, whose number stays open.
"""

import logging
from collections.abc import Callable, Sequence
from contextlib import nullcontext

import jax
import jax.export
import numpy as np
import onnx
import onnx_ir
import onnxruntime
from jax import lax
from jax.extend.core import ClosedJaxpr, Literal, Var, jaxpr_as_fun, primitives
from jax.interpreters import partial_eval
from jax2onnx import to_onnx
from onnx_ir.passes.common import CommonSubexpressionEliminationPass, RemoveUnusedNodesPass

# it warns of values that the passes below remove
logging.getLogger("onnx_ir").setLevel(logging.ERROR)

OPSET, IR_VERSION = 18, 8       # what runtimes of 2023 and later read

# Calls of functions that are part of the graph as well as what they call: primitive -> parameter
CALLS = {"jit": "jaxpr", "pjit": "jaxpr", "custom_vjp_call": "call_jaxpr",
         "custom_jvp_call": "call_jaxpr"}


def converted(function: Callable, shapes: dict[str, tuple[int, ...]],
              output: str) -> onnx.ModelProto:
    """Convert a JAX function of one chunk to an ONNX model of any number of chunks.

    Parameters
    ----------
    function : callable
        Of float32 arrays, one for each input, without an axis for chunks; gives one array.
    shapes : dict
        The name of each input -> its shape, without that axis.
    output : str
        The name of the output.

    Returns
    -------
    onnx.ModelProto
        All inputs and the output have a first axis, `chunks`.

    Raises
    ------
    Exception
        Of any kind, where the converter has no way.
    """
    [chunks] = jax.export.symbolic_shape("chunks")
    given = [jax.ShapeDtypeStruct((chunks, *shape), np.float32) for shape in shapes.values()]
    traced = jax.make_jaxpr(jax.vmap(function))(*given)
    plainer = jax.make_jaxpr(lambda *inputs: _plainer(traced, *inputs))(*given)
    used, _ = partial_eval.dce_jaxpr(plainer.jaxpr, [True], instantiate=True)
    model = to_onnx(jaxpr_as_fun(plainer.replace(jaxpr=used)), given, opset=OPSET,
                    input_names=list(shapes), output_names=[output], model_name="network",
                    return_mode="ir")
    _settle_reshapes(model.graph)
    for tidy in (CommonSubexpressionEliminationPass(), RemoveUnusedNodesPass()):
        tidy(model)
    model.ir_version = IR_VERSION
    return onnx_ir.to_proto(model)


def computed(model: onnx.ModelProto, inputs: Sequence[np.ndarray]) -> np.ndarray:
    """Compute the output of a model in ONNX Runtime.

    Parameters
    ----------
    model : onnx.ModelProto
    inputs : sequence of ndarray
        float32, (chunks, ...) each.

    Raises
    ------
    Exception
        Of any kind, if ONNX Runtime does not know an operation or its sizes do not fit.
    """
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4      # what it cannot run is an exception
    session = onnxruntime.InferenceSession(model.SerializeToString(), options,
                                           providers=["CPUExecutionProvider"])
    names = [each.name for each in session.get_inputs()]
    [output] = session.run(None, dict(zip(names, inputs, strict=True)))
    return output


def _settle_reshapes(nodes: onnx_ir.Graph) -> None:
    """Give each Reshape its sizes as numbers, with -1 for the chunks.

    jax2onnx counts the chunks before each, with a dozen nodes.
    """
    for node in nodes:
        sizes = list(node.outputs[0].shape or ())
        if node.op_type == "Reshape" and sizes and all(isinstance(n, int) for n in sizes[1:]):
            first = sizes[0] if isinstance(sizes[0], int) else -1
            name = f"{node.outputs[0].name}_sizes"
            tensor = onnx_ir.tensor(np.array([first, *sizes[1:]], np.int64), name=name)
            value = onnx_ir.Value(name=name, const_value=tensor, shape=onnx_ir.Shape(tensor.shape),
                                  type=onnx_ir.TensorType(onnx_ir.DataType.INT64))
            nodes.register_initializer(value)
            node.replace_input_with(1, value)


def _plainer(traced: ClosedJaxpr, *inputs: jax.Array) -> list[jax.Array]:
    """Compute what a trace computes, without what jax2onnx (0.17) stumbles over.

    Functions that are called become part of the whole, and paddings slices and concatenations:
    its own padding needs a number of chunks. What depends on weights alone is computed now.
    """
    jaxpr = traced.jaxpr
    values = dict(zip([*jaxpr.constvars, *jaxpr.invars], [*traced.consts, *inputs], strict=True))

    def read(variable: Var | Literal) -> jax.Array:
        return variable.val if isinstance(variable, Literal) else values[variable]

    for step in jaxpr.eqns:
        given, name = list(map(read, step.invars)), step.primitive.name
        known = not any(isinstance(value, jax.core.Tracer) for value in given) and all(
            isinstance(size, int) for variable in step.outvars for size in variable.aval.shape)
        with jax.ensure_compile_time_eval() if known else nullcontext():
            if name in CALLS:
                found = _plainer(step.params[CALLS[name]], *given)
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
