"""What programs written around Theano, Lasagne 0.2 and Keras do, and what Theano gave them."""

import lasagne
import numpy as np
import pytest
import theano
import theano.tensor as T

floatX = theano.config.floatX


def value(expression, given=None):
    """What an expression is for these values of its inputs."""
    return expression.eval({v: np.array(x, v.dtype) for v, x in (given or {}).items()})


# Cross-entropies where a probability is 0

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


def test_a_recurrent_classifier_trains_until_its_loss_is_zero():
    rng = np.random.RandomState(0)
    x, t = T.ftensor3("x"), T.ivector("t")
    w, u, v = (theano.shared((rng.randn(*shape) * .5).astype("float32"))
               for shape in ((2, 8), (8, 8), (8, 2)))
    states, _ = theano.scan(lambda x, h: T.tanh(x.dot(w) + h.dot(u)),
                            sequences=x.dimshuffle(1, 0, 2),
                            outputs_info=T.zeros((x.shape[0], 8), "float32"))
    p = T.nnet.softmax(states.dimshuffle(1, 0, 2).reshape((-1, 8)).dot(v))
    p = p.reshape((x.shape[0], x.shape[1], 2)).reshape((-1, 2))     # as Lasagne's ReshapeLayer
    loss = T.nnet.categorical_crossentropy(p, t).mean()
    updates = lasagne.updates.adam(loss, [w, u, v], 3)
    step = theano.function([x, t], loss, updates=updates)
    labels = np.array([0, 1, 1, 0], "int32")
    sequences = np.zeros((4, 5, 2), "float32")
    sequences[np.arange(4), :, labels] = 1
    losses = [float(step(sequences, np.repeat(labels, 5))) for _ in range(40)]
    assert losses[0] > .1 and losses[-1] == 0 and np.isfinite(losses).all()
