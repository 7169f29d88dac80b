"""A graph as a Python function on JAX arrays, one call for each node."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
from pytensor.graph.basic import Apply, Constant
from pytensor.graph.utils import MethodNotDefined
from pytensor.scalar.basic import ScalarOp

from theano.gof.op import Op
from theano.link import host
from theano.link.convert import convert

# What JAX raises when a value is needed that a traced function does not have.
UNKNOWN_VALUE = (
    host.DynamicShape, jax.errors.ConcretizationTypeError, jax.errors.TracerArrayConversionError,
    jax.errors.TracerIntegerConversionError, jax.errors.NonConcreteBooleanIndexError)


class NotTraceable(Exception):
    """A node that XLA cannot compile, and why."""

    def __init__(self, node, cause):
        super().__init__(f"{node.op}: {cause}")
        self.node = node


@dataclass(frozen=True)
class Step:
    """One node: where its inputs lie, how it is computed, where its outputs go."""

    node: Apply
    function: object
    inputs: list
    outputs: list


class Program:
    """What a graph computes, by its nodes in an order in which they can be computed."""

    def __init__(self, inputs, outputs, nodes):
        slots = {}

        def slot(variable):
            return slots.setdefault(variable, len(slots))

        self.inputs = [slot(v) for v in inputs]
        self.steps = [Step(node, function_of(node), list(map(slot, node.inputs)),
                           list(map(slot, node.outputs))) for node in nodes]
        self.outputs = [slot(v) for v in outputs]
        self.blank = [v.data if isinstance(v, Constant) else None for v in slots]

    def __call__(self, *inputs):
        """Compute the outputs; under a JAX trace, a node that needs values is a NotTraceable."""
        values = list(self.blank)
        for slot, value in zip(self.inputs, inputs, strict=True):
            values[slot] = value
        for step in self.steps:
            outputs = run(step, [values[i] for i in step.inputs])
            for slot, value in zip(step.outputs, outputs, strict=True):
                values[slot] = value
        return [values[slot] for slot in self.outputs]


def function_of(node):
    """Return the JAX function of a node, or its NumPy code if there is none."""
    try:
        if any(hasattr(v.type, "format") for v in [*node.inputs, *node.outputs]):
            raise NotImplementedError("JAX's sparse matrices are not SciPy's")
        return convert(node.op, node)
    except NotImplementedError:
        check_has_code(node.op)

        def in_numpy(*inputs):
            if any(isinstance(x, jax.core.Tracer) for x in inputs):
                raise NotTraceable(node, "JAX has no version of it")
            return host.compute(node, inputs)
        return in_numpy


def check_has_code(op):
    """Refuse an Op that has C code alone."""
    inner = getattr(op, "scalar_op", op)
    if getattr(getattr(inner, "impl", None), "__func__", None) is ScalarOp.impl:
        raise MethodNotDefined(
            f"{inner} cannot be computed: C code is not used, and it has no impl(); write impl(), "
            "or nfunc_spec = ('round', 1, 1) if it is NumPy's round of 1 input to 1 output")
    if type(op).perform is Op.perform:
        raise MethodNotDefined(
            f"{op} cannot be computed: C code is not used, and it has no perform(); write "
            "perform(self, node, inputs, outputs), which puts arrays into outputs[0][0] ...")


def run(step, inputs):
    """Compute the outputs of one step, in the graph's dtypes."""
    if host.stays_on_host(step.node, inputs):
        return host.compute(step.node, inputs)
    try:
        outputs = step.function(*inputs)
    except UNKNOWN_VALUE as error:
        raise NotTraceable(step.node, "its result has a shape that depends on values") from error
    if not isinstance(outputs, list | tuple):
        outputs = [outputs]
    return [in_dtype(value, v) for value, v in zip(outputs, step.node.outputs, strict=True)]


def in_dtype(value, variable):
    """Give `value` the graph's dtype: JAX and PyTensor differ for some mixed inputs."""
    if host.is_dense(variable) and getattr(value, "dtype", None) != variable.type.dtype:
        return jnp.asarray(value, variable.type.dtype)
    return value
