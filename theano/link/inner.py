"""Graphs inside graphs: OpFromGraph."""

from pytensor.compile.builders import OpFromGraph
from pytensor.link.jax.dispatch import jax_funcify

from theano.link.convert import convert
from theano.link.program import Program
from theano.link.rewrite import rewritten


@convert.register
def _(op: OpFromGraph, node):
    if jax_funcify.dispatch(type(op)) is not jax_funcify.dispatch(OpFromGraph):
        return convert.dispatch(object)(op, node)   # such as Softmax, which PyTensor's JAX knows
    inner = rewritten(op.fgraph)
    return Program(inner.inputs, inner.outputs, inner.toposort())
