"""Logarithms that do not overflow, nor do their gradients: rewrites that come before all others.

PyTensor has some of them; it does not take the probability out of the gradient, g / p * p, where p
may have become 0. Between the probability and its logarithm, and between quotient and product in
the gradient, elements may be picked and arranged anew: a loss picks those of the true classes.
"""

import numpy as np
import pytensor.tensor as pt
from pytensor.compile.mode import optdb
from pytensor.graph.basic import Constant
from pytensor.graph.rewriting.basic import (
    MergeOptimizer,
    SequentialGraphRewriter,
    in2out,
    node_rewriter,
)
from pytensor.scalar import basic as scalar
from pytensor.scalar.math import Sigmoid
from pytensor.tensor import subtensor
from pytensor.tensor.basic import get_underlying_scalar_constant_value
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.shape import Reshape
from pytensor.tensor.special import Softmax, log_softmax

# Not all versions of PyTensor have the Ops that end in 1.
PICK, PUT = (tuple(getattr(subtensor, start + name) for start in ("", "Advanced")
                   for name in (kind, kind + "1") if hasattr(subtensor, start + name))
             for kind in ("Subtensor", "IncSubtensor"))
MOVE = Reshape, DimShuffle, *PICK


class TimesLog(scalar.BinaryScalarOp):
    """t log(p), and 0 where t is 0, for any p. So is the gradient for p; it is never 0 / 0."""

    nfunc_spec = "scipy.special.xlogy", 2, 1

    def impl(self, t, p):
        """Compute it in Python."""
        return t * np.log(p) if t else t * 1.0

    def pullback(self, inputs, outputs, cotangents):
        """Return the gradients."""
        (t, p), (g,) = inputs, cotangents
        return [g * scalar.log(p), scalar.switch(scalar.eq(t, 0), 0, g * t / p)]


times_log = Elemwise(TimesLog(scalar.upgrade_to_float, name="times_log"))


@node_rewriter([Elemwise])
def written_out(fgraph, node):
    """Write TimesLog out, now that its gradient is there; other rewrites know its parts."""
    if is_elementwise(node, TimesLog):
        t, p = node.inputs
        return [pt.switch(pt.eq(t, 0), 0, t * pt.log(p)).astype(node.outputs[0].dtype)]


@node_rewriter([Elemwise])
def one_minus_sigmoid(fgraph, node):
    """Make sigmoid(-x) of 1 - sigmoid(x): exact, for one exp more, so only next to a logarithm."""
    if is_complement(node) and any(map(is_log, users(fgraph, node.inputs[1]))):
        return [pt.sigmoid(-node.inputs[1].owner.inputs[0])]


@node_rewriter([Elemwise])
def log_of_probability(fgraph, node):
    """Put log(softmax(x)) and log(sigmoid(x)) in their stable forms."""
    if not is_log(node):
        return None
    moves, p = [], node.inputs[0]
    while is_move(p.owner):
        moves.append(p.owner)
        p = p.owner.inputs[0]
    if not is_probability(p):
        return None
    x, op = p.owner.inputs[0], p.owner.op
    found = log_softmax(x, axis=op.axis) if isinstance(op, Softmax) else -pt.softplus(-x)
    for move in reversed(moves):
        found = move.op(found, *move.inputs[1:])
    return [found]


@node_rewriter([Elemwise])
def probability_over_itself(fgraph, node):
    """Make g of g / p * p, with sums and other factors around the quotient."""
    if not is_elementwise(node, scalar.Mul):
        return None
    for i, p in enumerate(node.inputs):
        others = [*node.inputs[:i], *node.inputs[i + 1:]]
        if is_probability(p) and is_divisor(fgraph, p):
            product = Product(fgraph).of(others[0] if len(others) == 1 else pt.mul(*others), p)
            if product is not None:
                return [product.astype(node.outputs[0].dtype)]


class Product:
    """Products in a graph where a factor is cancelled; those of parts are remembered."""

    def __init__(self, fgraph):
        self.fgraph, self.found = fgraph, {}

    def of(self, g, p):
        """Return g * p, where p is cancelled in g; None if g has no quotient by p."""
        if (g, p) not in self.found:
            self.found[g, p] = self._of(g, p)
        return self.found[g, p]

    def _of(self, g, p):
        node = g.owner
        if is_elementwise(node, scalar.TrueDiv) and node.inputs[1] is p:
            return pt.second(p, node.inputs[0])
        if node is not None and isinstance(node.op, (Reshape, DimShuffle, *PUT)):
            return self.of_moved(node, p)
        first = int(is_elementwise(node, scalar.Switch))        # its condition stays as it is
        if not first and not is_elementwise(node, scalar.Add, scalar.Sub, scalar.Neg, scalar.Mul):
            return None
        parts = [self.of(x, p) for x in node.inputs[first:]]
        if all(part is None for part in parts):
            return None
        if is_elementwise(node, scalar.Mul):
            at = next(i for i, part in enumerate(parts) if part is not None)
            return node.op(*(parts[i] if i == at else x for i, x in enumerate(node.inputs)))
        parts = [x * p if part is None else part
                 for x, part in zip(node.inputs[first:], parts, strict=True)]
        return node.op(*node.inputs[:first], *parts)

    def of_moved(self, node, p):
        """Do `of` where g is the gradient of what arranges p anew: the quotient is by that."""
        where = int(isinstance(node.op, PUT))
        for there, _ in self.fgraph.clients[p]:
            if is_move(there) and goes_back(node, there):
                part = self.of(node.inputs[where], there.outputs[0])
                if part is not None:
                    return node.op(*node.inputs[:where], part, *node.inputs[where + 1:])
        return None


def goes_back(node, there):
    """Tell whether a node puts the elements of an array where a move has taken them from."""
    if isinstance(node.op, PUT):
        zeros, _, *index = node.inputs
        value = get_underlying_scalar_constant_value(zeros, raise_not_constant=False)
        return (isinstance(there.op, PICK) and there.inputs[1:] == index and value == 0
                and getattr(there.op, "idx_list", None) == getattr(node.op, "idx_list", None))
    if isinstance(node.op, Reshape):
        return isinstance(there.op, Reshape)
    if not isinstance(there.op, DimShuffle) or node.inputs[0].ndim != there.outputs[0].ndim:
        return False
    order = [axis if axis == "x" else there.op.new_order[axis] for axis in node.op.new_order]
    return len(order) == there.inputs[0].ndim and all(
        axis == k or axis == "x" and k not in there.op.new_order for k, axis in enumerate(order))


def is_move(node):
    """Tell whether it picks or arranges anew the elements of its first input."""
    return node is not None and isinstance(node.op, MOVE)


def is_divisor(fgraph, p):
    """Tell whether something is divided by p, or by elements of it."""
    return any(is_elementwise(user, scalar.TrueDiv)
               or is_move(user) and is_divisor(fgraph, user.outputs[0])
               for user, _ in fgraph.clients[p])


def is_probability(x):
    """Tell whether it is a softmax or a sigmoid. Both are positive, but for rounding."""
    node = x.owner
    return node is not None and (isinstance(node.op, Softmax) or is_elementwise(node, Sigmoid))


def is_complement(node):
    """Tell whether it is one minus a sigmoid."""
    return (is_elementwise(node, scalar.Sub) and is_one(node.inputs[0])
            and is_elementwise(node.inputs[1].owner, Sigmoid))


def is_log(node):
    """Tell whether it is a logarithm."""
    return is_elementwise(node, scalar.Log)


def is_elementwise(node, *kinds):
    """Tell whether it is a node that does one of these scalar operations elementwise."""
    op = getattr(node, "op", None)
    return isinstance(op, Elemwise) and isinstance(op.scalar_op, kinds)


def users(fgraph, sigmoid):
    """List the nodes that use a sigmoid, or one minus it."""
    direct = [node for node, _ in fgraph.clients[sigmoid]]
    return direct + [user for node in direct if is_complement(node)
                     for user, _ in fgraph.clients[node.outputs[0]]]


def is_one(x):
    """Tell whether x is the constant 1, maybe with more dimensions."""
    while x.owner is not None and len(x.owner.inputs) == 1:
        x = x.owner.inputs[0]
    return isinstance(x, Constant) and bool(np.all(x.data == 1))


# Equal probabilities have to be one variable to cancel.
stable_logarithms = SequentialGraphRewriter(
    in2out(written_out, name="times_log"), MergeOptimizer(),
    in2out(one_minus_sigmoid, name="one_minus_sigmoid"), MergeOptimizer(),
    in2out(log_of_probability, probability_over_itself, name="probabilities"))
# Before PyTensor's "canonicalize" (position 1), which writes products anew.
optdb.register("stable_logarithms", stable_logarithms, "fast_run", "fast_compile", position=0.5)
