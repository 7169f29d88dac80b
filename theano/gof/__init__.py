"""Graphs: variables, the applications of Ops that join them, and their types."""

from pytensor.graph import basic
from pytensor.graph.basic import Apply, Constant, clone, equal_computations
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import graph_rewriter as optimizer
from pytensor.graph.rewriting.basic import node_rewriter as local_optimizer
from pytensor.graph.type import Type
from pytensor.link.c.type import generic

from theano.gof import graph, op, utils
from theano.gof.graph import Variable
from theano.gof.op import Op
from theano.gof.utils import hash_from_code

Generic = type(generic)
