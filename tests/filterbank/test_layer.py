"""The layer equals the layers it replaces."""

import lasagne
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lasagne import nonlinearities
from lasagne.layers import InputLayer

import theano
import theano.tensor as T
from filterbank import TemporalFilterBankLayer

pytestmark = pytest.mark.xdist_group("filterbank")     # one worker compiles the kernels

O_NET = [(n, 5) for n in range(6, 42, 5)]


def outputs_and_gradients(layer, x, values):
    """Compute a layer's output, and the gradients of a weighted sum of it.

    The gradients are those of the layer's input and of its parameters.
    """
    lasagne.layers.set_all_param_values(layer, values)
    variable = lasagne.layers.get_all_layers(layer)[0].input_var
    output = lasagne.layers.get_output(layer)
    shape = lasagne.layers.get_output_shape(layer, x.shape)
    weights = np.random.RandomState(1).standard_normal(shape).astype(x.dtype)
    inputs = [variable, *lasagne.layers.get_all_params(layer)]
    gradients = theano.grad((output * weights).sum(), inputs)
    return theano.function([variable], [output, *gradients])(x)


def assert_equal_to_plain(plain, x, filters, pool_bands, nonlinearity, seed=0):
    incoming = InputLayer((None,) + x.shape[1:], T.TensorType(x.dtype, (False,) * 4)("x"))
    bank = TemporalFilterBankLayer(incoming, filters, pool_bands, nonlinearity)
    expected = plain(incoming, filters, pool_bands, nonlinearity)
    assert bank.output_shape == expected.output_shape
    rng = np.random.RandomState(seed)
    values = []
    for value in lasagne.layers.get_all_param_values(bank):
        drawn = rng.standard_normal(value.shape) / value[0].size ** .5
        values.append(drawn.astype(value.dtype))
    found = outputs_and_gradients(bank, x, values)
    for ours, theirs in zip(found, outputs_and_gradients(expected, x, values), strict=True):
        largest = max(1, np.abs(theirs).max(initial=0))
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=1e-5 * largest)


@settings(deadline=None, max_examples=8)
@given(st.data())
def test_values_and_gradients_equal_the_plain_graphs(plain, data):
    batch, channels = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3))
    bands, frames = data.draw(st.integers(2, 20)), data.draw(st.integers(3, 60))
    filters = data.draw(st.lists(
        st.tuples(st.integers(1, frames), st.integers(1, 3)), min_size=1, max_size=3))
    nonlinearity = data.draw(st.sampled_from([
        nonlinearities.rectify, nonlinearities.tanh, nonlinearities.leaky_rectify,
        nonlinearities.sigmoid, None]))
    # Not in float32, where a nonlinearity can round two windows to the same value: a tie, but only
    # for the plain graph.
    x = np.random.RandomState(3).standard_normal((batch, channels, bands, frames))
    assert_equal_to_plain(plain, x, filters, data.draw(st.integers(1, bands)), nonlinearity)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_papers_bank_equals_the_plain_graph(plain, dtype):
    x = np.random.RandomState(4).standard_normal((4, 1, 40, 250)).astype(dtype)
    filters = [(6, 5), (41, 5), (46, 1), (216, 1), (6, 2)]
    assert_equal_to_plain(plain, x, filters, 4, nonlinearities.rectify)


def test_an_empty_batch_gives_an_empty_output():
    x = T.tensor4("x")
    bank = TemporalFilterBankLayer(InputLayer((None, 1, 8, 20), x), [(3, 2), (5, 1)])
    cost = lasagne.layers.get_output(bank)
    gradient = theano.grad(cost.sum(), bank.W[0])
    function = theano.function([x], [cost, gradient])
    output, gradient = function(np.zeros((0, 1, 8, 20), theano.config.floatX))
    assert output.shape == (0, 3, 2, 1)
    assert gradient.shape == (2, 1, 1, 3) and not gradient.any()


def test_training_follows_the_plain_graph(plain):
    """Three epochs with Nesterov momentum on 60 patches, from the same parameters."""
    rng = np.random.RandomState(7)
    images = rng.standard_normal((60, 1, 8, 60)).astype(theano.config.floatX)
    labels = rng.randint(0, 3, 60).astype("int32")
    filters, begin, finals = [(6, 3), (11, 3), (31, 1)], None, []
    for build in (TemporalFilterBankLayer, plain):
        lasagne.random.set_rng(np.random.RandomState(8))
        x, y = T.tensor4("x"), T.ivector("y")
        bank = build(InputLayer((None, 1, 8, 60), x), filters)
        net = lasagne.layers.DenseLayer(bank, 3, nonlinearity=nonlinearities.softmax)
        output = lasagne.layers.get_output(net)
        loss = lasagne.objectives.categorical_crossentropy(output, y).mean()
        parameters = lasagne.layers.get_all_params(net, trainable=True)
        begin = begin or lasagne.layers.get_all_param_values(net)
        lasagne.layers.set_all_param_values(net, begin)
        updates = lasagne.updates.nesterov_momentum(loss, parameters, .02, .9)
        train = theano.function([x, y], loss, updates=updates)
        losses = [float(train(images[i:i + 10], labels[i:i + 10]))
                  for _ in range(3) for i in range(0, 60, 10)]
        finals.append([np.array(losses), *lasagne.layers.get_all_param_values(net)])
    assert finals[0][0][-1] < finals[0][0][0]
    for ours, theirs in zip(*finals, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-4)


def test_initial_values_are_the_original_programs(oracle):
    """Bit for bit, those of oNetOne in fold 0."""
    np.random.seed(11)      # what the original drew before it built the network
    for chunks in (80, 40, 40):
        np.random.permutation(chunks)
    lasagne.random.set_rng(np.random)
    bank = TemporalFilterBankLayer((None, 1, 40, 250), O_NET)
    numbers = oracle("initial_oNetOne.npz")
    for i, parameter in enumerate(bank.get_params()):
        np.testing.assert_array_equal(parameter.get_value(), numbers[f"arr_{i}"])


def test_parameters_and_their_tags():
    bank = TemporalFilterBankLayer((None, 2, 8, 20), [(3, 2), (5, 1)], name="bank")
    assert [p.name for p in bank.get_params()] == ["bank.W", "bank.b"] * 2
    assert bank.get_params(regularizable=True) == bank.W
    assert len(bank.get_params(trainable=True)) == 4
    [weights] = TemporalFilterBankLayer((None, 2, 8, 20), [(3, 2)], b=None).get_params()
    assert weights.get_value().shape == (2, 2, 1, 3)


@pytest.mark.parametrize("arguments, message", [
    ({"filters": [(3, 1), (21, 2)]}, "21 frames.* 20 frames"),
    ({"filters": []}, "filters.*empty"),
    ({"filters": [(3, 0)]}, r"entry \(3, 0\)"),
    ({"filters": [(2.5, 1)]}, r"entry \(2.5, 1\)"),
    ({"pool_bands": 9}, "pool_bands=9.*1 to 8"),
    ({"pool_bands": 0}, "pool_bands=0.*1 to 8"),
    ({"nonlinearity": nonlinearities.softmax}, "nonlinearity=softmax .*NonlinearityLayer"),
    ({"nonlinearity": nonlinearities.LeakyRectify(-1)}, "nonlinearity=.*decrease"),
    ({"incoming": (None, 8, 20)}, r"\(None, 8, 20\)"),
    ({"incoming": (None, 1, 8, None)}, "batch.*None"),
])
def test_what_does_not_fit_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        TemporalFilterBankLayer(
            **{"incoming": (None, 1, 8, 20), "filters": [(3, 1)], **arguments})
