"""Rewriting of graphs: PyTensor's, with Theano's names."""

import functools
import inspect

from pytensor.graph.rewriting.basic import EquilibriumGraphRewriter as EquilibriumOptimizer
from pytensor.graph.rewriting.basic import GraphRewriter as Optimizer
from pytensor.graph.rewriting.basic import MergeOptimizer, in2out, node_rewriter, out2in
from pytensor.graph.rewriting.basic import NodeRewriter as LocalOptimizer
from pytensor.graph.rewriting.basic import PatternNodeRewriter as PatternSub
from pytensor.graph.rewriting.basic import SequentialGraphRewriter as SeqOptimizer
from pytensor.graph.rewriting.basic import SubstitutionNodeRewriter as OpSub
from pytensor.graph.rewriting.basic import graph_rewriter as optimizer


class OpRemove(LocalOptimizer):
    """Replaces the outputs of `op` by its inputs, everywhere in a graph."""

    def __init__(self, op):
        self.op = op

    def tracks(self):
        """Return the Ops to look for."""
        return [self.op]

    def transform(self, fgraph, node, **settings):
        """Return the inputs of a node of `op`."""
        return node.inputs if node.op == self.op else False


def local_optimizer(tracks):
    """Decorate a function that gives a node's outputs anew, or False, to make a rewrite of it.

    It takes the node, as in Theano, or the graph and the node, as in PyTensor.
    """
    def decorated(function):
        of_node = function
        if len(inspect.signature(function).parameters) == 1:
            of_node = functools.wraps(function)(lambda fgraph, node: function(node))
            del of_node.__wrapped__
        return node_rewriter(tracks)(of_node)
    return decorated
