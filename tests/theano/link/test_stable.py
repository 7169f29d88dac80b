"""Logarithms and cross-entropies, where a probability is 0 or nearly so."""

import numpy as np
import pytest
from graphs import value

import theano
import theano.tensor as T

floatX = theano.config.floatX


def logistic(z):
    with np.errstate(over="ignore"):
        return 1 / (1 + np.exp(-z))


@pytest.mark.parametrize("expression, gradient", [
    (lambda z: T.log(T.nnet.softmax(z))[:, 0], None),
    (lambda z: T.log(T.nnet.sigmoid(z)), lambda z: 1 - logistic(z)),
    (lambda z: T.log(1 - T.nnet.sigmoid(z)), lambda z: -logistic(z)),
    (lambda z: T.log(1 + T.exp(z)), logistic),
    (lambda z: T.nnet.binary_crossentropy(T.nnet.sigmoid(z), 1), lambda z: logistic(z) - 1),
])
def test_logarithms_do_not_overflow_nor_do_their_gradients(expression, gradient):
    z = T.dmatrix()
    values = np.array([[0., 800., -3.], [-600., 600., 0.]])
    value, slope = theano.function([z], [expression(z), T.grad(expression(z).sum(), z)])(values)
    assert np.isfinite(value).all() and np.isfinite(slope).all()
    if gradient:
        np.testing.assert_allclose(slope, gradient(values), atol=1e-12)
    elif gradient is None:
        np.testing.assert_allclose(value, [-800, -1200])
        np.testing.assert_allclose(slope.sum(axis=1), 0, atol=1e-12)


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_probabilities_stay_in_the_graph(mode):
    z, y, q = T.dmatrix("z"), T.ivector("y"), T.dmatrix("q")
    p = T.nnet.softmax(z)
    loss = T.nnet.categorical_crossentropy(p, y)
    half = np.array([[0.5, 0.25, 0.25]])
    np.testing.assert_allclose(theano.function([p, y], loss, mode=mode)(half, [1]), np.log(4))
    f = theano.function([q, y], loss, givens={p: q}, mode=mode)
    np.testing.assert_allclose(f(half, [1]), np.log(4))
    slope = theano.function([z, y], T.grad(loss.sum(), p), mode=mode)(np.log(half), [1])
    np.testing.assert_allclose(slope, [[0, -4, 0]])


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_gradients_through_probabilities_used_twice_are_finite(mode):
    z = T.dmatrix("z")
    values = np.array([[0., 800., -3.], [-600., 600., 40.]])
    targets = np.array([[1, 0.5, 0], [1, 0, 1]])
    p = T.nnet.softmax(z)
    loss = T.nnet.categorical_crossentropy(p, np.array([0, 2], "int32")).sum() + 3 * p.sum()
    slope = theano.function([z], T.grad(loss, z), mode=mode)(values)
    np.testing.assert_allclose(slope, [[-1, 1, 0], [0, 1, -1]], atol=1e-12)
    o = T.nnet.sigmoid(z)
    inside, _ = theano.scan(lambda v, t: T.nnet.binary_crossentropy(T.nnet.sigmoid(v), t),
                            sequences=[z, T.constant(targets)])
    for loss in T.nnet.binary_crossentropy(o, targets), inside:
        slope = theano.function([z], T.grad(loss.sum(), z), mode=mode)(values)
        np.testing.assert_allclose(slope, logistic(values) - targets, atol=1e-12)
    slope = theano.function([z], T.grad(T.log(o).sum(), z), mode=mode)(values)
    np.testing.assert_allclose(slope, logistic(-values), rtol=1e-12)    # 1 - sigmoid(40) is 4e-18
    w = theano.shared(values)
    slope = T.grad(T.log(1 - T.nnet.sigmoid(w)).sum(), w)
    theano.function([], updates=[(w, w - slope)], mode=mode)()
    np.testing.assert_allclose(w.get_value(), values + logistic(values), rtol=1e-12)


def test_a_probability_is_looked_for_once_in_each_part_of_a_product():
    z = T.dvector()
    p = T.nnet.sigmoid(z)
    power = 1 / p
    for _ in range(60):
        power = power * power
    # PyTensor's own rewrites would take for ever.
    assert theano.function([z], power * p, mode="FAST_COMPILE")([800.]) == 1
    assert theano.function([z], (2 / p + z) * p)([-800.]) == 2


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_classes_that_are_not_the_true_one_get_no_gradient(mode):
    p, t = T.matrix("p"), T.ivector("t")
    slope = theano.function([p, t], T.grad(T.nnet.categorical_crossentropy(p, t).sum(), p),
                            mode=mode)
    zeros_and_ones = np.array([[.4, .6, 0], [0, 0, 1]], floatX)
    np.testing.assert_array_equal(slope(zeros_and_ones, [0, 2]),
                                  np.array([[-1 / .4, 0, 0], [0, 0, -1]], floatX))


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("expected, probabilities", [
    (1, lambda x: T.nnet.softmax(x.reshape((-1, 3))).reshape((-1, 3))),
    (1, lambda x: T.nnet.softmax(x[0])[:, :2]),
    (1, lambda x: T.nnet.softmax(x[0]).dimshuffle("x", 0, 1)[0]),
    (1, lambda x: T.nnet.softmax(x[0]).T.reshape((3, -1)).T),
    (0, lambda x: (T.nnet.softmax(x[0]) + T.nnet.softmax(x[0])) / 2),
    (0, lambda x: T.exp(x[0] - x[0].max(1, keepdims=True))
     / T.exp(x[0] - x[0].max(1, keepdims=True)).sum(1, keepdims=True)),
])
def test_no_gradient_of_a_softmax_is_nan(expected, probabilities, mode):
    """Right and sure; and, where the softmax is known as such, wrong and sure."""
    x, t = T.tensor3("x", "float32"), T.ivector("t")
    loss = T.nnet.categorical_crossentropy(probabilities(x), t).mean()
    f = theano.function([x, t], [loss, T.grad(loss, x)], mode=mode)
    found, slope = f(np.array([[[200., 0, 0]]], "float32"), [0])
    assert found == 0 and slope.tolist() == [[[0, 0, 0]]]
    if expected:
        found, slope = f(np.array([[[200., 0, 0]]], "float32"), [1])
        assert found == 200 and slope.tolist() == [[[1, -1, 0]]]


def test_moves_that_do_not_fit_are_not_cancelled():
    x, i = T.dmatrix("x"), T.ivector("i")
    p = T.nnet.softmax(x)
    other = T.inc_subtensor(T.ones_like(p)[:, 0], 1 / p[:, 1]) * p      # another place, no zeros
    np.testing.assert_allclose(value(other, {x: np.log([[.2, .3, .5]])}), [[.2 + .2 / .3, .3, .5]])
    turned = (1 / p.T).reshape(p.shape) * p     # a transposition is no reshape
    grid = np.array([[.2, .8], [.6, .4]])
    np.testing.assert_allclose(value(turned, {x: np.log(grid)}), grid / grid.T)
    twice = T.grad(T.log(p[i, [0, 0]]).sum(), x)        # the same element twice
    np.testing.assert_allclose(value(twice, {x: np.log([[.2, .8]]), i: [0, 0]}), [[1.6, -1.6]])


def test_one_hot_targets_and_binary_ones_where_the_probability_is_zero():
    p, t = T.matrix("p"), T.matrix("t")
    for loss in (T.nnet.categorical_crossentropy(p, t), T.nnet.binary_crossentropy(p, t)):
        found, slope = theano.function([p, t], [loss.sum(), T.grad(loss.sum(), p)])(
            np.array([[0, 1]], floatX), np.array([[0, 1]], floatX))
        assert found == 0 and np.isfinite(slope).all()
    assert slope.tolist() == [[1, -1]]
    slope = T.grad(T.nnet.binary_crossentropy(p, t).sum(), p)
    assert value(slope, {p: [[0, 1, .5]], t: [[1, 0, 1]]}).tolist() == [[-np.inf, np.inf, -2]]
    slope = T.grad(T.nnet.categorical_crossentropy(p, t).sum(), p)
    np.testing.assert_allclose(value(slope, {p: [[0, .5, .5]], t: [[0, 1, 0]]}), [[0, -2, 0]])
    tiny = T.nnet.binary_crossentropy(p, 0.)    # by log1p
    np.testing.assert_allclose(value(tiny, {p: [[1e-10]]}), [[1e-10]], rtol=1e-6)
