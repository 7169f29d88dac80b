"""Rewriting of graphs, and the modules around it."""

from graphs import value

import theano
import theano.tensor as T


def test_modules_of_graphs():
    from theano.compile.function_module import Function
    from theano.compile.pfunc import pfunc, rebuild_collect_shared
    from theano.gof import Apply, FunctionGraph, Op, Type, local_optimizer
    from theano.gof.fg import MissingInputError
    from theano.gof.opt import in2out
    from theano.gof.toolbox import Feature
    from theano.gof.type import Generic
    assert pfunc is theano.function and isinstance(pfunc([], T.constant(1)), Function)
    assert theano.gof.type.Type is Type and isinstance(theano.generic, Generic)
    assert issubclass(MissingInputError, Exception) and callable(rebuild_collect_shared)
    assert theano.gof.op.Op is Op and theano.Apply is Apply
    assert issubclass(theano.gof.opt.MergeOptimizer, object)

    @local_optimizer([T.exp])
    def exp_is_log(node):
        return [T.log(*node.inputs)]

    @local_optimizer([T.exp])
    def of_graph(fgraph, node):
        return [node.inputs[0] * len(fgraph.inputs)]

    x = T.dvector()
    for rewrite, expected in ((exp_is_log, 0), (of_graph, 1)):
        graph = FunctionGraph([x], [T.exp(x)], clone=False, features=[Feature()])
        in2out(rewrite).rewrite(graph)
        assert value(graph.outputs[0], {x: [1]}) == expected
