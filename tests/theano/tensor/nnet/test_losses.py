"""Losses."""

import numpy as np
import pytest
from graphs import value

import theano.tensor as T


def test_crossentropies(rng):
    scores, classes = rng.randn(4, 3), np.array([0, 2, 1, 1], "int32")
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    expected = -np.log(p[np.arange(4), classes])
    loss = T.nnet.categorical_crossentropy
    np.testing.assert_allclose(loss(T.constant(p), classes).eval(), expected)
    np.testing.assert_allclose(loss(T.nnet.softmax(T.constant(scores)), classes).eval(), expected)
    np.testing.assert_allclose(loss(T.constant(p), np.eye(3)[classes]).eval(), expected)
    together = T.nnet.crossentropy_softmax_argmax_1hot_with_bias(T.constant(scores), np.zeros(3),
                                                                 classes)
    np.testing.assert_allclose(together[0].eval(), expected)
    assert together[2].eval().tolist() == p.argmax(1).tolist()
    with pytest.raises(TypeError, match="true_dist has 1 dimensions"):
        loss(T.tensor3(), T.ivector())
    o, t = rng.rand(5), rng.rand(5)
    np.testing.assert_allclose(T.nnet.binary_crossentropy(T.constant(o), t).eval(),
                               -t * np.log(o) - (1 - t) * np.log(1 - o))
    z = rng.randn(5) * 10
    np.testing.assert_allclose(
        T.nnet.sigmoid_binary_crossentropy(T.constant(z), t).eval(),
        T.nnet.binary_crossentropy(T.nnet.sigmoid(T.constant(z)), t).eval(), rtol=1e-6)


@pytest.mark.parametrize("target", [0., 0.25, 1.])
def test_gradient_of_sigmoid_binary_crossentropy(target):
    z = T.dvector()     # 0: where a layer begins whose weights are zeros
    loss = T.nnet.sigmoid_binary_crossentropy(z, target)
    at = np.array([-800., -2., 0., 2., 800.])
    with np.errstate(over="ignore"):
        expected = 1 / (1 + np.exp(-at)) - target
    np.testing.assert_allclose(value(T.grad(loss.sum(), z), {z: at}), expected, atol=1e-12)
    assert value(loss, {z: at})[[0, -1]].tolist() == [800 * target, 800 * (1 - target)]


@pytest.mark.filterwarnings("ignore::theano.link.function.SlowPath")
def test_confusion_matrix():
    a, p = T.ivectors("ap")
    counts, classes = T.nnet.confusion_matrix(a, p)
    assert value(counts, {a: [0, 1, 1], p: [0, 1, 0]}).tolist() == [[1, 0], [1, 1]]
    assert value(classes, {a: [5, 2], p: [2, 9]}).tolist() == [2, 5, 9]
    assert value(counts, {a: [5, 2], p: [2, 9]}).tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 0]]
