"""A function of chunks as an ONNX graph, by JAX and jax2onnx."""

import logging
from collections.abc import Callable, Sequence

import numpy as np
import onnx
import onnx_ir
import onnxruntime
from jax.extend.core import jaxpr_as_fun
from jax2onnx import to_onnx
from onnx_ir.passes.common import CommonSubexpressionEliminationPass, RemoveUnusedNodesPass

from mirdl.export.plain import traced

# it warns of values that the passes below remove
logging.getLogger("onnx_ir").setLevel(logging.ERROR)

OPSET, IR_VERSION = 18, 8       # what runtimes of 2023 and later read


def converted(function: Callable, shapes: dict[str, tuple[int, ...]]) -> onnx.ModelProto:
    """Convert a JAX function of one chunk to an ONNX model of any number of chunks.

    Parameters
    ----------
    function : callable
        Of float32 arrays, one for each input, without an axis for chunks; gives one array.
    shapes : dict
        The name of each input -> its shape, without that axis.

    Returns
    -------
    onnx.ModelProto
        All inputs and the output, `probabilities`, have a first axis, `chunks`.

    Raises
    ------
    Exception
        Of any kind, if the function cannot be converted.
    """
    trace = traced(function, list(shapes.values()))
    model = to_onnx(jaxpr_as_fun(trace), trace.in_avals, opset=OPSET, input_names=list(shapes),
                    output_names=["probabilities"], model_name="network", return_mode="ir")
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
