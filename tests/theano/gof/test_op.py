"""Ops as programs write them."""

import pytest
from graphs import value

import theano
import theano.tensor as T
from theano.link.function import SlowPath


def test_an_op_of_ones_own_without_perform():
    class Doubled(theano.Op):
        __props__ = ()

        def make_node(self, x):
            return theano.Apply(self, [x], [x.type()])

        def infer_shape(self, node, shapes):
            return shapes

        def grad(self, inputs, gradients):
            return [2 * gradients[0]]

        def R_op(self, inputs, eval_points):
            return [2 * eval_points[0]]

        def c_code(self, node, name, inputs, outputs, sub):
            return ""

    x, y = T.vectors("xy")
    op = Doubled()
    assert isinstance(op, theano.gof.Op) and isinstance(T.exp, theano.Op) and op == Doubled()
    assert not isinstance(T.exp, Doubled) and issubclass(T.Elemwise, theano.gof.op.Op)
    assert value(T.grad(None, x, known_grads={op(x): y}), {y: [1]}) == 2
    assert value(T.Rop(op(x), x, y), {x: [1], y: [3]}) == 6
    with pytest.raises(theano.gof.utils.MethodNotDefined, match="Doubled.*write perform"):
        theano.function([x], op(x))
    Doubled.perform = lambda self, node, inputs, outputs: outputs[0].__setitem__(0, 2 * inputs[0])
    with pytest.warns(SlowPath, match="JAX has no version"):
        assert value(op(x), {x: [1]}) == 2
