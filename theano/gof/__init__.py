"""Graphs: variables, the applications of Ops that join them, and their types."""

from pytensor.graph import basic  # noqa: I001 (names stand side by side)
from pytensor.graph.null_type import NullType

from theano.gof import fg, graph, null_type, op, opt, toolbox, type, utils
from theano.gof.fg import FunctionGraph, InconsistencyError, MissingInputError
from theano.gof.graph import Apply, Constant, Variable, clone, equal_computations
from theano.gof.op import Op
from theano.gof.opt import (EquilibriumOptimizer, LocalOptimizer, MergeOptimizer, OpRemove, OpSub,
                            Optimizer, PatternSub, SeqOptimizer, local_optimizer, optimizer)
from theano.gof.type import CType, Generic, Type, generic
from theano.gof.utils import hash_from_code
