"""PyTensor Ops made of JAX functions: the value is the function, the gradient its jax.vjp."""

import jax
import jax.numpy as jnp
import numpy as np
from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph.basic import Apply
from pytensor.graph.op import Op
from pytensor.link.jax.dispatch import jax_funcify
from pytensor.tensor import as_tensor_variable
from pytensor.tensor.type import TensorType


class JaxOp(Op):
    """A JAX function in a graph.

    Parameters
    ----------
    function : callable
        A module's function of arrays and keyword settings: Ops with the same function and
        settings are the same Op, which lets equal parts of a graph merge.
    types : tuple of TensorType
        Types of the outputs.
    settings : dict of hashable values
        Keyword arguments of `function`.
    """

    __props__ = "function", "types", "settings"

    def __init__(self, function, types, settings):
        self.function = function
        self.types = tuple(types)
        self.settings = tuple(sorted(settings.items()))

    def __str__(self):
        """Return the function's name."""
        return self.function.__name__

    def make_node(self, *inputs):
        """Apply it."""
        return Apply(self, [as_tensor_variable(x) for x in inputs], [kind() for kind in self.types])

    def value(self, *inputs):
        """Compute the function's outputs."""
        return self.function(*inputs, **dict(self.settings))

    def perform(self, node, inputs, output_storage):
        """Compute them as NumPy arrays."""
        values = self.value(*inputs)
        values = values if len(self.types) > 1 else [values]
        for cell, value in zip(output_storage, values, strict=True):
            cell[0] = np.array(value)

    def pullback(self, inputs, outputs, cotangents):
        """Return the gradients of the inputs."""
        if not all(map(is_smooth, outputs)):
            return [disconnected_type() for _ in inputs]
        cotangents = [y.zeros_like() if isinstance(g.type, DisconnectedType) else g
                      for y, g in zip(outputs, cotangents, strict=True)]
        return [self.gradient(i, inputs, cotangents) if is_smooth(x) else disconnected_type()
                for i, x in enumerate(inputs)]

    def gradient(self, i, inputs, cotangents):
        """Return one input's gradient. Each has its own Op: those that nobody wants are dropped."""
        return apply(vjp, *inputs, *cotangents, types=[inputs[i].type], function=self.function,
                     settings=self.settings, wrt=i, count=len(inputs))

    def connection_pattern(self, node):
        """Tell which inputs have a gradient."""
        smooth = all(map(is_smooth, node.outputs))
        return [[smooth and is_smooth(x)] * len(node.outputs) for x in node.inputs]


def is_smooth(variable):
    """Tell whether it is of a dtype that has gradients."""
    return variable.type.dtype.startswith("float")


def vjp(*arguments, function, settings, wrt, count):
    """Return the gradient of `function` for its input number `wrt`.

    `arguments` are its `count` inputs, and one cotangent for each of its outputs.
    """
    inputs, cotangents = arguments[:count], arguments[count:]

    def of_one(x):
        return function(*inputs[:wrt], x, *inputs[wrt + 1:], **dict(settings))

    outputs, back = jax.vjp(of_one, jnp.asarray(inputs[wrt]))
    return back(cotangents if isinstance(outputs, tuple) else cotangents[0])[0]


@jax_funcify.register(JaxOp)
def _(op, **kwargs):
    return op.value


def apply(function, /, *inputs, types, **settings):
    """Return the variable, or list of them, that `function` makes of `inputs`; see `JaxOp`."""
    return JaxOp(function, types, settings)(*inputs)


def tensor_type(dtype, broadcastable):
    """Make a TensorType of Theano's broadcast pattern."""
    return TensorType(dtype, tuple(1 if one else None for one in broadcastable))
