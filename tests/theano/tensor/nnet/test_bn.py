"""Batch normalisation."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.tensor.nnet import bn

floatX = theano.config.floatX


def test_batch_normalization(rng):
    x, gamma, beta = rng.randn(6, 3, 2, 2) + 3, rng.rand(1, 3, 1, 1), rng.randn(1, 3, 1, 1)
    axes = (0, 2, 3)
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    expected = (x - mean) / np.sqrt(var + 1e-4) * gamma + beta
    out = bn.batch_normalization_train(T.constant(x), gamma, beta, "spatial",
                                       running_mean=np.zeros((1, 3, 1, 1)),
                                       running_var=np.ones((1, 3, 1, 1)))
    values = theano.function([], out)()
    np.testing.assert_allclose(values[0], expected)
    np.testing.assert_allclose(values[1], mean)
    np.testing.assert_allclose(values[2], 1 / np.sqrt(var + 1e-4))
    np.testing.assert_allclose(values[3], 0.1 * mean)
    np.testing.assert_allclose(values[4], 0.9 + 0.1 * var * 24 / 23)
    test = bn.batch_normalization_test(T.constant(x), gamma, beta, mean, var, "spatial")
    np.testing.assert_allclose(test.eval(), expected)
    T.verify_grad(lambda x, g, b: bn.batch_normalization_train(x, g, b, "spatial")[0],
                  [x, gamma, beta], rng=rng)
    with pytest.raises(ValueError, match="'everything'"):
        bn.batch_normalization_test(T.constant(x), gamma, beta, mean, var, "everything")


@pytest.mark.parametrize("shape, axes", [((3,), "per-activation"), ((1, 3), (0,)), ((1, 3), (-2,))])
def test_batch_normalisation_gives_what_has_the_dimensions_of_gamma(shape, axes):
    x, mean, var = T.matrix(), *(theano.shared(np.full(shape, k, floatX)) for k in (0, 1))
    out = T.nnet.bn.batch_normalization_train(x, var, mean, axes, running_mean=mean,
                                              running_var=var)
    assert [v.ndim for v in out[1:]] == [len(shape)] * 4
    f = theano.function([x], out[:3], updates=[(mean, out[3]), (var, out[4])])
    normal, found, scale = f(np.array([[0, 1, 2], [2, 5, 4]], floatX))
    np.testing.assert_allclose(normal[:, 0], [-1, 1], rtol=1e-4)
    assert found.shape == scale.shape == shape and found.ravel().tolist() == [1, 3, 3]
    np.testing.assert_allclose(mean.get_value(), np.reshape([.1, .3, .3], shape), rtol=1e-6)
    np.testing.assert_allclose(var.get_value(), np.reshape([1.1, 1.7, 1.1], shape), rtol=1e-6)


def test_batch_normalisation_of_images_gives_what_has_the_dimensions_of_gamma():
    x, gamma = T.dtensor4(), theano.shared(np.ones(2))
    out = T.nnet.bn.batch_normalization_train(x, gamma, 0 * gamma, "spatial", running_mean=gamma)
    values = np.arange(16.).reshape(2, 2, 2, 2)
    found = theano.function([x], out)(values)
    assert [v.shape for v in found[1:]] == [(2,)] * 3
    np.testing.assert_allclose(found[1], values.mean((0, 2, 3)))
    np.testing.assert_allclose(found[3], .9 + .1 * values.mean((0, 2, 3)))
