import jax
import jax.numpy as jnp
import lasagne
import numpy as np
import pytest
from lasagne.layers import Conv2DLayer, InputLayer, get_all_params, get_output

import theano
import theano.tensor as T
from mirdl.networks.batch_norm import batch_norm, normalise


@pytest.fixture
def x():
    return (3 + 2 * np.random.RandomState(0).standard_normal((5, 2, 4, 6))).astype(np.float32)


@pytest.fixture
def layer():
    lasagne.random.set_rng(np.random.RandomState(1))
    return batch_norm(Conv2DLayer(InputLayer((None, 2, 4, 6), T.tensor4("x")), 3, 3, pad="same"))


def functions(layer):
    x = layer.input_layer.input_layer.input_var
    before, after = get_output([layer.input_layer, layer])
    test = get_output(layer, deterministic=True)
    return theano.function([x], [before, after]), theano.function([x], test)


def test_the_offset_of_the_layer_is_left_out_and_its_nonlinearity_comes_after(layer):
    assert [str(parameter) for parameter in get_all_params(layer)] == [
        "W", "beta", "gamma", "mean", "inv_std"]
    assert layer.nonlinearity is lasagne.nonlinearities.rectify
    assert [str(each) for each in get_all_params(layer, trainable=True)] == ["W", "beta", "gamma"]
    assert [str(each) for each in get_all_params(layer, regularizable=True)] == ["W", "gamma"]


def test_each_channel_of_a_batch_is_normalised(layer, x):
    train, _ = functions(layer)
    layer.gamma.set_value(np.float32([1, 2, 3]))
    layer.beta.set_value(np.float32([9, 8, 7]))      # so large that the ReLU lets all pass
    before, after = train(x)
    mean, std = before.mean((0, 2, 3), keepdims=True), before.std((0, 2, 3), keepdims=True)
    expected = (before - mean) / std * np.reshape([1, 2, 3], (1, 3, 1, 1))
    expected += np.reshape([9, 8, 7], (1, 3, 1, 1))
    np.testing.assert_allclose(after, np.maximum(expected, 0), atol=2e-3)


def test_its_gradients_are_those_of_the_formula(x):
    rng = np.random.RandomState(2)
    x, g = x.astype(np.float64), rng.standard_normal(x.shape)
    gamma, beta = rng.uniform(0.5, 2, (2, 2))

    def formula(x, gamma, beta):
        mean, variance = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
        return ((x - mean) / jnp.sqrt(variance + 1e-2) * gamma.reshape(1, -1, 1, 1)
                + beta.reshape(1, -1, 1, 1))

    with jax.enable_x64(True):
        value, back = jax.vjp(lambda *inputs: normalise(*inputs, 1e-2)[0], x, gamma, beta)
        expected, expected_back = jax.vjp(formula, x, gamma, beta)
        np.testing.assert_allclose(value, expected, rtol=1e-12, atol=1e-12)
        for found, right in zip(back(g), expected_back(g), strict=True):
            np.testing.assert_allclose(found, right, rtol=1e-10, atol=1e-10)


def test_a_test_takes_the_running_averages(layer, x):
    train, test = functions(layer)
    for _ in range(3):
        before, _ = train(x)
    mean, deviation = before.mean((0, 2, 3)), np.sqrt(before.var((0, 2, 3)) + 1e-4)
    np.testing.assert_allclose(layer.mean.get_value(), (1 - 0.9**3) * mean, rtol=1e-4)
    averaged = 0.9**3 + (1 - 0.9**3) / deviation
    np.testing.assert_allclose(layer.inv_std.get_value(), averaged, rtol=1e-4)
    kept = [layer.mean.get_value(), layer.inv_std.get_value()]
    expected = (before - kept[0].reshape(1, 3, 1, 1)) * kept[1].reshape(1, 3, 1, 1)
    np.testing.assert_allclose(test(x), np.maximum(expected, 0), rtol=1e-4, atol=1e-4)
    for one, other in zip(kept, [layer.mean.get_value(), layer.inv_std.get_value()], strict=True):
        assert np.array_equal(one, other), "a test changes nothing"
