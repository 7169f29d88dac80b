"""The filter bank in a graph: its value and its gradients as PyTensor Ops.

Each is computed in the form that suits the device in use: compiled kernels on a CPU (ffi.py), XLA
code elsewhere (xla.py). The value alone also has a form for converters of networks (plain.py).
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar

import jax
import numpy as np
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.op import Op
from pytensor.link.jax.dispatch import jax_funcify
from pytensor.tensor import as_tensor_variable
from pytensor.tensor.type import TensorType

from filterbank import ffi, plain, xla
from filterbank.xla import Filters
from theano import device

_asked = ContextVar("form", default=None)


@contextmanager
def in_plain_form() -> Iterator[None]:
    """Trace banks as plain convolutions and maxima, whatever the device."""
    token = _asked.set(plain)
    try:
        yield
    finally:
        _asked.reset(token)


class _BankOp(Op):
    """Common to the Ops of a bank.

    `function` is the name of what computes the Op, in ffi.py as in xla.py.
    """

    __props__ = ("pool_bands",)
    function: str

    def __init__(self, pool_bands: int) -> None:
        self.pool_bands = pool_bands

    def compute(self, *inputs: jax.Array) -> jax.Array | Sequence[jax.Array]:
        """Compute the outputs, one or several, as JAX arrays."""
        form = _asked.get() or (ffi if device.in_use().platform == "cpu" else xla)
        return getattr(form, self.function)(*inputs, pool_bands=self.pool_bands)

    def perform(
        self, node: Apply, inputs: Sequence[np.ndarray], output_storage: list[list],
    ) -> None:
        """Compute the outputs without compilation, as PyTensor asks of every Op."""
        outputs = self.compute(*inputs)
        outputs = outputs if len(output_storage) > 1 else [outputs]
        for cell, value in zip(output_storage, outputs, strict=True):
            cell[0] = np.array(value)


@jax_funcify.register(_BankOp)
def _(op: _BankOp, **kwargs: object) -> Callable:
    return op.compute


class _FiltersOp(_BankOp):
    """An Op that must know the lengths and numbers of the filters."""

    __props__ = ("pool_bands", "filters")

    def __init__(self, pool_bands: int, filters: tuple[tuple[int, int], ...]) -> None:
        super().__init__(pool_bands)
        self.filters = filters


class LargestWindow(_FiltersOp):
    """The largest output of every filter within `pool_bands` bands and all time, and where it is.

    Inputs: x (batch, channels, bands, frames), then W (count, channels, 1, length), b (count,), W,
    b ... of one float dtype. Outputs: see `filterbank.xla.largest`. The gradient flows through the
    first output to the window that `where` names, and to no other, even if several are equally
    large.

    Parameters
    ----------
    pool_bands : int
        Neighbouring bands that share one maximum.
    filters : tuple of (int, int)
        Length in frames and number of filters of each W.
    """

    function = "largest"

    def make_node(self, x: Variable, *parameters: Variable) -> Apply:
        """Apply the Op to variables; inputs of several dtypes are cast to the widest.

        Raises
        ------
        TypeError
            If that is neither float32 nor float64.
        """
        inputs = [as_tensor_variable(v) for v in (x, *parameters)]
        dtype = np.result_type(*(v.type.dtype for v in inputs)).name
        if dtype not in ("float32", "float64"):
            raise TypeError(f"The filter bank computes in float32 or float64, not in {dtype}: "
                            f"cast its input ({inputs[0].type.dtype}) or set floatX.")
        shape = (inputs[0].type.shape[0], self._count(), None)
        return Apply(self, [v.astype(dtype) for v in inputs],
                     [TensorType(dtype, shape)(), TensorType("int32", shape)()])

    def _count(self) -> int:
        return sum(count for _, count in self.filters)

    def infer_shape(self, *arguments: object) -> list[tuple]:
        """Give the shapes of the outputs without a computation.

        This saves PyTensor a walk through hundreds of parameters whenever it needs a shape.
        """
        shapes = arguments[-1]      # after the node and, before PyTensor 3.1, the graph
        batch, _, bands, _ = shapes[0]
        return [(batch, self._count(), bands // self.pool_bands)] * 2

    def compute(self, x: jax.Array, *parameters: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Compute both outputs.

        Raises
        ------
        ValueError
            If the shapes do not fit together, which a graph cannot know before it runs.
        """
        _, channels, bands, frames = x.shape
        check_fit(bands, frames, self.filters, self.pool_bands)
        for w, (length, count) in zip(parameters[::2], self.filters, strict=True):
            if w.shape != (count, channels, 1, length):
                raise ValueError(
                    f"W has shape {w.shape}; {count} filters of {length} frames on an input of "
                    f"{channels} channels need {(count, channels, 1, length)}.")
        return super().compute(x, *parameters)

    def pullback(
        self, inputs: Sequence[Variable], outputs: Sequence[Variable],
        cotangents: Sequence[Variable],
    ) -> list[Variable]:
        """Build the gradients of x, W, b, W, b ... from the gradient of the first output."""
        gradient = cotangents[0]
        if isinstance(gradient.type, DisconnectedType):
            return [disconnected_type() for _ in inputs]
        x, *parameters = inputs
        of_input = InputGradient(self.pool_bands)(x, gradient, outputs[1], *parameters)
        of_parameters = ParameterGradient(self.pool_bands, self.filters)(x, gradient, outputs[1])
        return [of_input, *of_parameters]

    def connection_pattern(self, node: Apply) -> list[list[bool]]:
        """Tell PyTensor that `where` has no gradient."""
        return [[True, False] for _ in node.inputs]


class ParameterGradient(_FiltersOp):
    """The gradients of W, b, W, b ..., given x, the gradient of the largest output, and `where`.

    The parameters are no inputs: PyTensor walks through inputs times outputs at each visit of a
    node, which for hundreds of both takes longer than the rest of the compilation.

    Parameters
    ----------
    pool_bands, filters
        Those of `LargestWindow`.
    """

    function = "parameter_gradient"

    def make_node(self, x: Variable, gradient: Variable, where: Variable) -> Apply:
        """Apply the Op to variables."""
        dtype = x.type.dtype
        outputs = [TensorType(dtype, shape)()
                   for _ in self.filters for shape in ((None,) * 4, (None,))]
        return Apply(self, [x, gradient, where], outputs)

    def compute(self, x: jax.Array, gradient: jax.Array, where: jax.Array) -> list[jax.Array]:
        """Compute the gradients."""
        return super().compute(x, gradient, where, self.filters)


class InputGradient(_BankOp):
    """The gradient of x, given the inputs of `ParameterGradient` and every W and b in turn.

    Parameters
    ----------
    pool_bands : int
    """

    function = "input_gradient"

    def make_node(self, *inputs: Variable) -> Apply:
        """Apply the Op to variables."""
        return Apply(self, list(inputs), [inputs[0].type()])


def check_fit(bands: int, frames: int, filters: Filters, pool_bands: int) -> None:
    """Check that filters and groups of bands fit into the input.

    Parameters
    ----------
    bands, frames : int
        The size of the input.
    filters : sequence of (int, int)
        Length in frames and number of filters of each W.
    pool_bands : int
        Bands in a group.

    Raises
    ------
    ValueError
        If a filter is longer than the input, or a group larger.
    """
    longest = max(length for length, _ in filters)
    if longest > frames:
        raise ValueError(f"A filter of {longest} frames does not fit into an input of {frames} "
                         "frames: give longer inputs or shorter filters.")
    if not 1 <= pool_bands <= bands:
        raise ValueError(f"pool_bands={pool_bands}; 1 to {bands}, the bands of the input, "
                         "was expected.")
