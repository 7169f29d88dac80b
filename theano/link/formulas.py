"""Updates as formulas: a rule such as momentum is one node a parameter, compiled once for all.

An update rule writes half a dozen additions and multiplications for each parameter. PyTensor would
simplify every one of them anew and JAX trace them one by one, which for hundreds of parameters
takes longer than all the rest; XLA simplifies them anyway.
"""

import jax
import numpy as np
from pytensor.graph.basic import Apply, Variable, clone_get_equiv
from pytensor.graph.op import Op
from pytensor.graph.traversal import io_toposort
from pytensor.link.jax.dispatch import jax_funcify
from pytensor.scalar import basic as scalar
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.type import TensorType

from theano.link.program import Program
from theano.link.stable import is_complement, is_probability

ARITHMETIC = scalar.Add, scalar.Sub, scalar.Mul, scalar.TrueDiv, scalar.Neg, scalar.Sqr, scalar.Sqrt


class Formula(Op):
    """An arithmetic expression, `output`, of its inputs."""

    def __init__(self, inputs, output):
        self.type = output.type
        # A copy that knows nothing of what the inputs are computed from: it may be pickled.
        self.inputs = [v.type() for v in inputs]
        copies = dict(zip(inputs, self.inputs, strict=True))
        self.output = clone_get_equiv(inputs, [output], memo=copies)[output]
        nodes = io_toposort(self.inputs, [self.output])
        program = jax.jit(Program(self.inputs, [self.output], nodes))
        self.function = lambda *values: program(*values)[0]     # traced once for each shape

    def __reduce__(self):
        """Pickle what it is made of."""
        return Formula, (self.inputs, self.output)

    def make_node(self, *inputs):
        """Apply it."""
        return Apply(self, list(inputs), [self.type()])

    def perform(self, node, inputs, output_storage):
        """Compute it by JAX."""
        output_storage[0][0] = np.asarray(self.function(*inputs))


@jax_funcify.register(Formula)
def _(op, **kwargs):
    return op.function


def with_formulas(updates, replaced):
    """Make formulas of what is arithmetic in the new values of shared variables.

    Parameters
    ----------
    updates : list of (SharedVariable, Variable or array_like)
    replaced : collection of Variable
        Those that `givens` will replace, which a formula must not swallow.
    """
    formulas = {}

    def with_formula(expression):
        inputs, nodes, structure = {}, {}, []

        def visit(variable):
            """Return the variable's place among the nodes or, below zero, the inputs."""
            node = variable.owner
            if node is None or variable in replaced or not is_arithmetic(node):
                return ~inputs.setdefault(variable, len(inputs)), variable.type
            if node not in nodes:
                structure.append((node.op, tuple(map(visit, node.inputs))))
                nodes[node] = len(nodes)
            return nodes[node]

        visit(expression)
        if not nodes:
            return expression
        key = tuple(structure)
        if key not in formulas:
            formulas[key] = Formula(list(inputs), expression)
        return formulas[key](*inputs)

    return [(shared, with_formula(value) if isinstance(value, Variable) else value)
            for shared, value in updates]


def is_arithmetic(node):
    """Tell whether it adds, multiplies, or aligns dimensions for that."""
    if not isinstance(node.outputs[0].type, TensorType):
        return False
    if any(is_probability(x) or is_complement(x.owner) for x in node.inputs):
        return False    # `theano.link.stable` may have to cancel it
    return isinstance(node.op, DimShuffle) or (
        isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, ARITHMETIC))
