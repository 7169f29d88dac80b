"""Ops made of graphs."""

import numpy as np
import pytest
from graphs import value

import theano
import theano.tensor as T

x = T.dvector("x")


def test_the_gradient_of_an_op_from_a_graph_may_be_replaced():
    """As in Lasagne's recipe for guided backpropagation."""
    inner, weights = T.dvector(), T.constant([1., -1., 1.])
    rectify = theano.OpFromGraph([inner], [T.nnet.relu(inner)])
    slope = theano.function([x], T.grad((rectify(x) * weights).sum(), x))
    assert slope([1., 2., -1.]).tolist() == [1, -1, 0]
    guided = theano.OpFromGraph([inner], [T.nnet.relu(inner)])
    guided.grad = lambda inputs, gradients: (gradients[0] * (inputs[0] > 0) * (gradients[0] > 0),)
    slope = theano.function([x], T.grad((guided(x) * weights).sum(), x))
    assert slope([1., 2., -1.]).tolist() == [1, 0, 0]
    sevenfold = theano.OpFromGraph(
        [inner], [inner], grad_overrides=lambda inputs, gradients: [7 * gradients[0]])
    assert theano.function([x], T.grad(sevenfold(x).sum(), x))([1.]).tolist() == [7]
    scaled = theano.OpFromGraph([inner], [inner * theano.shared(3.)])
    scaled.grad = lambda inputs, gradients: [inputs[0] * gradients[0]]
    assert theano.function([x], [scaled(x), T.grad(scaled(x).sum(), x)])([2.]) == [6, 2]


def test_an_op_from_a_graph_is_compiled_as_any_graph():
    inner, images, scores = T.dtensor4(), T.dtensor4(), T.dmatrix()
    filters = theano.shared(np.ones((3, 1, 2, 2)))
    op = theano.OpFromGraph([inner], [T.nnet.conv2d(inner, filters).flatten(2)])
    f = theano.function([images], [op(images), T.grad(op(images).sum(), filters)])
    found, slope = f(np.ones((2, 1, 4, 4)))
    assert found.tolist() == [[4] * 27] * 2 and slope.shape == (3, 1, 2, 2)
    op = theano.OpFromGraph([scores], [T.log(T.nnet.softmax(scores))])
    z = T.dmatrix()
    found, slope = theano.function([z], [op(z), T.grad(op(z)[:, 0].sum(), z)])([[0., 900.]])
    assert found.tolist() == [[-900, 0]] and slope.tolist() == [[1, -1]]


def test_derivatives_of_an_op_from_a_graph_given_as_graphs():
    x, y, g = T.dvectors("xyg")
    a, b = T.dvectors("ab")
    twofold = theano.OpFromGraph([x, y, g], [2 * g, 3 * g * x])
    op = theano.OpFromGraph([x, y], [x * y], grad_overrides=twofold)
    found = theano.function([a, b], T.grad(op(a, b).sum(), [a, b]))([5.], [7.])
    assert [v.tolist() for v in found] == [[2], [15]]
    op = theano.OpFromGraph([x, y], [x * y], grad_overrides=[
        "default", theano.OpFromGraph([x, y, g], [-g])])
    found = theano.function([a, b], T.grad(op(a, b).sum(), [a, b]))([5.], [7.])
    assert [v.tolist() for v in found] == [[7], [-1]]
    op = theano.OpFromGraph([x, y], [x * y], lop_overrides=[
        lambda inputs, outputs, gs: outputs[0] * gs[0], theano.gradient.DisconnectedType()()])
    assert theano.function([a, b], T.grad(op(a, b).sum(), a))([5.], [7.]) == 35
    with pytest.raises(theano.gradient.DisconnectedInputError):
        T.grad(op(a, b).sum(), b)
    with pytest.raises(ValueError, match="not both"):
        theano.OpFromGraph([x], [x], grad_overrides=twofold, lop_overrides=twofold)
    with pytest.raises(ValueError, match="1 overrides for 2 derivatives"):
        T.grad(theano.OpFromGraph([x, y], [x * y], grad_overrides=["default"])(a, b).sum(), a)


def test_derivatives_forward_of_an_op_from_a_graph():
    x, y, u, v = T.dvectors("xyuv")
    a, b, c, d = T.dvectors("abcd")
    given = {a: [5.], b: [7.], c: [1.], d: [2.]}
    for rop, expected in (("default", 7 + 2 * 5), (theano.OpFromGraph([x, y, u, v], [u - v]), -1),
                          ([lambda inputs, given: inputs[0] * given[1]], 10)):
        op = theano.OpFromGraph([x, y], [x * y], rop_overrides=rop)
        assert value(T.Rop(op(a, b), [a, b], [c, d]), given) == expected
    assert value(T.Rop(T.nnet.softmax(a), a, c).sum(), {a: [1., 2], c: [1., 0]}) < 1e-12
