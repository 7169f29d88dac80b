"""Logarithms that do not overflow, nor do their gradients: rewrites that come before all others.

PyTensor has some of them; it does not take the probability out of the gradient, g / p * p, where p may have become 0.
"""

import numpy as np

import pytensor.tensor as pt
from pytensor.compile.mode import optdb
from pytensor.graph.basic import Constant
from pytensor.graph.rewriting.basic import MergeOptimizer, SequentialGraphRewriter, in2out, node_rewriter
from pytensor.scalar.basic import Add, Log, Mul, Neg, Sub, TrueDiv
from pytensor.scalar.math import Sigmoid
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.special import Softmax, log_softmax


@node_rewriter([Elemwise])
def one_minus_sigmoid(fgraph, node):
    """1 - sigmoid(x) as sigmoid(-x), which is exact where the sigmoid is 1. It costs an exp: only next to a logarithm."""
    if is_complement(node) and any(map(is_log, users(fgraph, node.inputs[1]))):
        return [pt.sigmoid(-node.inputs[1].owner.inputs[0])]


@node_rewriter([Elemwise])
def log_of_probability(fgraph, node):
    """log(softmax(x)) and log(sigmoid(x)) in their stable forms."""
    if not is_log(node) or not is_probability(node.inputs[0]):
        return None
    p = node.inputs[0].owner
    return [log_softmax(p.inputs[0], axis=p.op.axis) if isinstance(p.op, Softmax) else -pt.softplus(-p.inputs[0])]


@node_rewriter([Elemwise])
def probability_over_itself(fgraph, node):
    """g / p * p as g, with sums and other factors around the quotient."""
    if not is_elementwise(node, Mul):
        return None
    for i, p in enumerate(node.inputs):
        others = [*node.inputs[:i], *node.inputs[i + 1:]]
        if is_probability(p) and any(is_elementwise(user, TrueDiv) for user, _ in fgraph.clients[p]):
            product = times(others[0] if len(others) == 1 else pt.mul(*others), p, {})
            if product is not None:
                return [product.astype(node.outputs[0].dtype)]


def times(g, p, found):
    """g * p, where p is cancelled in g; None if g has no quotient by p. `found` are those of parts of g."""
    if g not in found:
        found[g] = _times(g, p, found)
    return found[g]


def _times(g, p, found):
    node = g.owner
    if is_elementwise(node, TrueDiv) and node.inputs[1] is p:
        return pt.second(p, node.inputs[0])
    if not is_elementwise(node, Add, Sub, Neg, Mul):
        return None
    parts = [times(x, p, found) for x in node.inputs]
    if all(part is None for part in parts):
        return None
    if is_elementwise(node, Mul):
        first = next(i for i, part in enumerate(parts) if part is not None)
        return node.op(*(parts[i] if i == first else x for i, x in enumerate(node.inputs)))
    return node.op(*(x * p if part is None else part for x, part in zip(node.inputs, parts)))


def is_probability(x):
    """Is it a softmax or a sigmoid? Both are positive, but for rounding."""
    return x.owner is not None and (isinstance(x.owner.op, Softmax) or is_elementwise(x.owner, Sigmoid))


def is_complement(node):
    """Is it one minus a sigmoid?"""
    return is_elementwise(node, Sub) and is_one(node.inputs[0]) and is_elementwise(node.inputs[1].owner, Sigmoid)


def is_log(node):
    return is_elementwise(node, Log)


def is_elementwise(node, *kinds):
    """Is it a node that does one of these scalar operations elementwise?"""
    return node is not None and isinstance(node.op, Elemwise) and isinstance(node.op.scalar_op, kinds)


def users(fgraph, sigmoid):
    """The nodes that use a sigmoid, or one minus it."""
    direct = [node for node, _ in fgraph.clients[sigmoid]]
    return direct + [user for node in direct if is_complement(node) for user, _ in fgraph.clients[node.outputs[0]]]


def is_one(x):
    """Is x the constant 1, maybe with more dimensions?"""
    while x.owner is not None and len(x.owner.inputs) == 1:
        x = x.owner.inputs[0]
    return isinstance(x, Constant) and bool(np.all(x.data == 1))


# Equal probabilities have to be one variable to cancel.
stable_logarithms = SequentialGraphRewriter(
    MergeOptimizer(), in2out(one_minus_sigmoid, name="one_minus_sigmoid"),
    MergeOptimizer(), in2out(log_of_probability, probability_over_itself, name="probabilities"))
# Before PyTensor's "canonicalize" (position 1), which writes products anew.
optdb.register("stable_logarithms", stable_logarithms, "fast_run", "fast_compile", position=0.5)
