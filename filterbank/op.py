"""The filter bank in a graph: its value and its gradients as PyTensor Ops.

Each is computed by the form for the device in use: compiled kernels on a CPU (ffi.py), XLA code
elsewhere (xla.py).
"""

import jax.numpy as jnp
import numpy as np

from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.jax.dispatch import jax_funcify
from pytensor.tensor import as_tensor_variable
from pytensor.tensor.type import TensorType

from filterbank import ffi, xla
from theano import device


class _BankOp(Op):
    """Common to the Ops of a bank: a function of the same name and arguments in ffi.py and xla.py."""

    __props__ = ("pool_bands",)

    def __init__(self, pool_bands):
        self.pool_bands = pool_bands

    def compute(self, *inputs):
        """The outputs, one or a list, as JAX arrays."""
        form = ffi if device.in_use().platform == "cpu" else xla
        return getattr(form, self.function)(*inputs, pool_bands=self.pool_bands)

    def perform(self, node, inputs, output_storage):
        outputs = self.compute(*inputs)
        for cell, value in zip(output_storage, outputs if len(output_storage) > 1 else [outputs]):
            cell[0] = np.array(value)


@jax_funcify.register(_BankOp)
def _(op, **kwargs):
    return op.compute


class LargestWindow(_BankOp):
    """The largest output of every filter within `pool_bands` bands and all time, and where it is.

    `filters` is a tuple of (length, count), as for `TemporalFilterBankLayer`. Inputs: x (batch, channels, bands, frames),
    then W (count, channels, 1, length), b (count,), W, b ... of one float dtype. Outputs: see `filterbank.xla.largest`.
    Gradient flows through the first output to the one window that `where` names, also if several are equally large.
    """

    __props__ = ("pool_bands", "filters")
    function = "largest"

    def __init__(self, pool_bands, filters):
        super().__init__(pool_bands)
        self.filters = filters

    def make_node(self, x, *parameters):
        inputs = [as_tensor_variable(v) for v in (x, *parameters)]
        dtype = np.result_type(*(v.type.dtype for v in inputs)).name
        if dtype not in ("float32", "float64"):
            raise TypeError(f"The filter bank computes in float32 or float64, not in {dtype}: "
                            f"cast its input ({inputs[0].type.dtype}) or set floatX.")
        shape = (inputs[0].type.shape[0], self._count(), None)
        return Apply(self, [v.astype(dtype) for v in inputs],
                     [TensorType(dtype, shape)(), TensorType("int32", shape)()])

    def _count(self):
        return sum(count for _, count in self.filters)

    def infer_shape(self, *arguments):
        # Spares PyTensor a walk through hundreds of parameters whenever it wants a shape.
        shapes = arguments[-1]                           # after the node and, before PyTensor 3.1, the graph
        batch, _, bands, _ = shapes[0]
        return [(batch, self._count(), bands // self.pool_bands)] * 2

    def compute(self, x, *parameters):
        _check(x.shape, [w.shape for w in parameters[::2]], self.filters, self.pool_bands)
        return super().compute(x, *parameters)

    def pullback(self, inputs, outputs, cotangents):
        gradient = cotangents[0]
        if isinstance(gradient.type, DisconnectedType):
            return [disconnected_type() for _ in inputs]
        x, *parameters = inputs
        of_input = InputGradient(self.pool_bands)(x, gradient, outputs[1], *parameters)
        return [of_input, *ParameterGradient(self.pool_bands, self.filters)(x, gradient, outputs[1])]

    def connection_pattern(self, node):
        return [[True, False] for _ in node.inputs]


class ParameterGradient(_BankOp):
    """Of x, the gradient of `LargestWindow`'s value and its `where`: the gradients of W, b, W, b ...

    Not of the parameters themselves: PyTensor walks inputs times outputs at each visit of a node, which
    for hundreds of both takes longer than all the rest of compiling.
    """

    __props__ = ("pool_bands", "filters")
    function = "parameter_gradient"

    def __init__(self, pool_bands, filters):
        super().__init__(pool_bands)
        self.filters = filters

    def make_node(self, x, gradient, where):
        dtype = x.type.dtype
        return Apply(self, [x, gradient, where],
                     [TensorType(dtype, shape)() for _ in self.filters for shape in ((None,) * 4, (None,))])

    def compute(self, x, gradient, where):
        return super().compute(x, gradient, where, self.filters)


class InputGradient(_BankOp):
    """Of the same inputs as `ParameterGradient` and W, b, W, b ...: the gradient of x."""

    function = "input_gradient"

    def make_node(self, *inputs):
        return Apply(self, list(inputs), [inputs[0].type()])


def _check(x, weights, filters, pool_bands):
    """Do these shapes fit together? A graph meets its arrays only when it runs."""
    _, channels, bands, frames = x
    longest = max(length for length, _ in filters)
    if longest > frames:
        raise ValueError(f"A filter of {longest} frames does not fit into an input of {frames} frames: "
                         "give longer inputs or shorter filters.")
    if pool_bands > bands:
        raise ValueError(f"pool_bands={pool_bands}, but the input has only {bands} bands.")
    for shape, (length, count) in zip(weights, filters):
        if shape != (count, channels, 1, length):
            raise ValueError(f"W has shape {shape}; {count} filters of {length} frames on an input of {channels} "
                             f"channels need {(count, channels, 1, length)}.")
