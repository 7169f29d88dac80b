"""Activation functions."""

import numpy as np
import pytest

import theano
import theano.tensor as T


@pytest.mark.parametrize("function, expected", [
    (T.nnet.relu, lambda x: np.maximum(x, 0)),
    (lambda x: T.nnet.relu(x, 0.1), lambda x: np.where(x > 0, x, 0.1 * x)),
    (T.nnet.elu, lambda x: np.where(x > 0, x, np.exp(x) - 1)),
    (T.nnet.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
    (T.nnet.hard_sigmoid, lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
    (T.nnet.softplus, lambda x: np.log1p(np.exp(x))),
    (T.nnet.softsign, lambda x: x / (1 + abs(x))),
    (T.nnet.softmax, lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True)),
    (T.nnet.logsoftmax, lambda x: x - np.log(np.exp(x).sum(1, keepdims=True))),
])
def test_activations(function, expected, rng):
    x = rng.randn(3, 4) * 3
    np.testing.assert_allclose(function(T.constant(x)).eval(), expected(x), rtol=1e-6)
    T.verify_grad(function, [x], rng=rng)


def test_relus_gradient_at_zero_is_theanos():
    x = T.dscalar()
    assert theano.function([x], T.grad(T.nnet.relu(x), x))(0.) == 0.5


def test_relu_of_an_array_is_an_array():
    found = T.nnet.relu(np.array([-1., 2.]))
    assert type(found) is np.ndarray and found.tolist() == [0, 2]
    assert T.nnet.relu(-3.) == 0 and T.nnet.relu(np.float32(2)) == 2
    assert isinstance(T.nnet.relu(T.vector()), theano.Variable)
    assert T.nnet.relu(np.array([-1., 2.]), .5).eval().tolist() == [-.5, 2]
    assert T.nnet.elu(np.array([-1., 2.])).eval()[1] == 2
