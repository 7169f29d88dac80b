"""Graphs inside graphs: OpFromGraph, and the branches of an `ifelse`."""

from pytensor.compile.builders import OpFromGraph
from pytensor.link.jax.dispatch import jax_funcify

from theano.ifelse import LazyIfElse
from theano.link.convert import chosen, convert
from theano.link.program import Program
from theano.link.rewrite import rewritten


@convert.register
def _(op: OpFromGraph, node):
    if jax_funcify.dispatch(type(op)) is not jax_funcify.dispatch(OpFromGraph):
        return convert.dispatch(object)(op, node)   # such as Softmax, which PyTensor's JAX knows
    return program(op.fgraph)


def program(graph):
    """Return what an Op's graph computes, as a function."""
    inner = rewritten(graph)
    return Program(inner.inputs, inner.outputs, inner.toposort())


def lazy(op, node):
    """Convert what PyTensor makes of an IfElse whose branches nothing else needs."""
    yes, no = program(op.true_branch.fgraph), program(op.false_branch.fgraph)
    return lambda condition, *inputs: chosen(condition, lambda: yes(*inputs), lambda: no(*inputs))


if LazyIfElse:
    convert.register(LazyIfElse)(lazy)
