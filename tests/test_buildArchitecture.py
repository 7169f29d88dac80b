import lasagne
import numpy as np
import pytest

import buildArchitecture
import theano
import theano.tensor as T
from mirdl.errors import UserError
from mirdl.networks import architectures

# networks of the paper before this one (CBMI 2016), and the number of their parameters
BEFORE = {"time": 7336, "frequency": 3368, "timeFrequency": 196816, "blackBox": 3275312}
AFTER = {"timbreRhythm": 120832, "vgg": 99928}      # with 8 classes
TYPES = ["oNetOne", "pNetOne", "oNetTwo", "pNetTwo", "oNetpNet", "oNetTwopNetTwo",
         "oNetFourpNetFour", "oNetEightpNetEight"]


@pytest.mark.parametrize("name", TYPES)
def test_parameters_equal_the_originals(oracle, parameters, name):
    output, network = buildArchitecture.buildNet(None, parameters(f"DL.type={name}"), 8)
    expected = oracle("architectures.json")[name]
    found = lasagne.layers.get_all_params(output)
    shapes = [[parameter.name.rpartition(".")[2], list(parameter.get_value().shape)]
              for parameter in found]
    assert shapes == [[parameter, shape] for parameter, shape, _ in expected["params"]]
    assert lasagne.layers.count_params(output) == expected["count"]
    layers = lasagne.layers.get_all_layers(output)
    assert [layer.p for layer in layers if hasattr(layer, "p")] == expected["dropout"]
    assert output.output_shape == (None, 8) and network["output"] is output


@pytest.mark.parametrize("name, count", BEFORE.items())
def test_the_predecessors_networks(parameters, name, count):
    x = T.tensor4("x")
    settled = parameters(f"DL.type={name}", "DS.xInput=80")
    output, network = buildArchitecture.buildNet(x, settled, 8)
    assert lasagne.layers.count_params(output) == count
    forward = theano.function([x], lasagne.layers.get_output(output, deterministic=True))
    chunks = np.random.RandomState(0).standard_normal((3, 1, 40, 80)).astype(np.float32)
    probabilities = forward(chunks)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert len(np.unique(probabilities)) == 24, "every chunk and class has its own probability"


@pytest.mark.parametrize("name", AFTER)
@pytest.mark.parametrize("bands, frames", [(40, 128), (40, 20), (96, 33)])
def test_the_networks_after_the_paper_take_chunks_of_any_length(parameters, name, bands, frames):
    x = T.tensor4("x")
    settled = parameters(f"DL.type={name}", f"DS.xInput={frames}", f"DS.melBands={bands}")
    output, _ = buildArchitecture.buildNet(x, settled, 8)
    if bands == 40:
        assert lasagne.layers.count_params(output) == AFTER[name]
    chunks = np.random.RandomState(0).standard_normal((3, 1, bands, frames)).astype(np.float32)
    forward = theano.function([x], lasagne.layers.get_output(output))
    probabilities = forward(chunks)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert len(np.unique(probabilities)) == 24, "every chunk and class has its own probability"


def test_the_probe_is_one_layer_on_the_maxima_over_time(parameters):
    x = T.tensor4("x")
    settled = parameters("DL.type=probe", "DS.melBands=4", "DS.xInput=5")
    output, _ = buildArchitecture.buildNet(x, settled, 3)
    rng = np.random.RandomState(2)
    weights = [rng.standard_normal((4, 3)).astype(np.float32), np.float32([0.5, 0, -1])]
    lasagne.layers.set_all_param_values(output, weights)
    chunks = rng.standard_normal((2, 1, 4, 5)).astype(np.float32)
    found = theano.function([x], lasagne.layers.get_output(output, deterministic=True))(chunks)
    powers = np.exp(chunks.max(axis=3)[:, 0] @ weights[0] + weights[1])
    np.testing.assert_allclose(found, powers / powers.sum(axis=1, keepdims=True), rtol=1e-5)


def test_a_network_that_does_not_fit_names_those_that_do(parameters):
    with pytest.raises(UserError, match="fits: .*oNetOne.*vgg") as error:
        buildArchitecture.buildNet(None, parameters("DL.type=pNetOne", "DS.xInput=200"), 8)
    assert "pNet" not in str(error.value).partition("fits:")[2]


@pytest.mark.parametrize("name, seed", [("oNetOne", 11), ("pNetOne", 12), ("oNetpNet", 13)])
def test_probabilities_equal_the_originals(oracle, parameters, name, seed):
    x = T.tensor4("x")
    output, network = buildArchitecture.buildNet(x, parameters(f"DL.type={name}"), 8)
    numbers = oracle(f"forward_{name}.npz")
    weights = [numbers[f"arr_{place}"] for place in range(len(numbers.files) - 2)]
    lasagne.layers.set_all_param_values(output, weights)
    found = lasagne.layers.get_output([network["fusion"], output], deterministic=True)
    forward = theano.function([x], found)
    rng = np.random.RandomState(1000 + seed)
    fusion, probabilities = forward(rng.standard_normal((10, 1, 40, 250)).astype(np.float32))
    tolerance = 1e-5 * np.abs(numbers["fusion"]).max()
    np.testing.assert_allclose(fusion, numbers["fusion"], rtol=0, atol=tolerance)
    np.testing.assert_allclose(probabilities, numbers["probs"], rtol=0, atol=1e-5)


def test_a_new_function_is_a_network_and_helpers_are_none(monkeypatch, parameters):
    def mine(input_var, parameters, numClasses):
        data = buildArchitecture.inputLayer(input_var, parameters)
        return buildArchitecture.outputLayer(data, numClasses), {"input": data}
    monkeypatch.setattr(buildArchitecture, "mine", mine, raising=False)
    assert set(architectures.networks(buildArchitecture)) == {
        *TYPES, *BEFORE, *AFTER, "musicnn", "probe", "mine"}
    output, _ = buildArchitecture.buildNet(None, parameters("DL.type=mine"), 3)
    assert lasagne.layers.count_params(output) == 40 * 250 * 3 + 3


def test_an_unknown_network_is_answered_with_the_list(parameters):
    message = (r"DL.type=oNetone is not a network of buildArchitecture.py; did you mean oNetOne\? "
               "There are: blackBox, .*pNetTwo, .*")
    with pytest.raises(UserError, match=message):
        buildArchitecture.buildNet(None, parameters("DL.type=oNetone"), 8)
    with pytest.raises(UserError, match="DL.type=temporalNet is not a network"):
        architectures.find("temporalNet", buildArchitecture)


def test_the_source_hash_follows_what_a_network_uses(monkeypatch):
    def hashes():
        return {name: architectures.source_hash(name, buildArchitecture) for name in TYPES}
    before = hashes()
    assert len(set(before.values())) == len(TYPES)
    monkeypatch.setattr(buildArchitecture, "pNet", [(50, 1)])
    changed = {name for name, found in hashes().items() if found != before[name]}
    assert changed == {name for name in TYPES if "pNet" in name}

    def inputLayer(input_var, parameters):
        raise NotImplementedError
    monkeypatch.setattr(buildArchitecture, "inputLayer", inputLayer)
    after = hashes()
    assert all(after[name] != before[name] for name in TYPES), "helpers of helpers count"
