import lasagne
import numpy as np
import pytest

import buildArchitecture
import theano
import theano.tensor as T
from mirdl.errors import UserError
from mirdl.results import filters
from mirdl.results.model_info import ModelInfo
from mirdl.results.models import Model

RATE = 44100 / 1024


@pytest.mark.parametrize("frames, bpm", [(216, 84), (216, 206), (100, 120), (61, 150)])
def test_a_filter_that_repeats_has_the_tempo_of_its_beats(frames, bpm):
    time = np.arange(frames) / RATE
    beats = np.exp(-((time * bpm / 60) % 1) * 8) + 0.3 * time      # a pulse train on a slope
    assert filters.main_tempo(beats, RATE) == pytest.approx(bpm, rel=0.03)


def test_a_filter_without_a_period_of_a_tempo_has_none():
    for frames in (19, 22):      # two beats of 250 bpm take 20.7 frames
        beats = np.cos(np.arange(frames) / RATE * 2 * np.pi * 250 / 60)
        assert np.isnan(filters.main_tempo(beats, RATE)) == (frames < 20), frames
    assert np.isnan(filters.main_tempo(np.zeros(100), RATE))
    fast = np.sin(np.arange(60) / RATE * 2 * np.pi * 310 / 60)
    assert np.isnan(filters.main_tempo(fast, RATE)), "at 300 it still rises"


@pytest.fixture
def model(parameters):
    """oNetpNet for 3 classes with random weights.

    Gives the model, and a function x -> the bank's maxima, probabilities.
    """
    lasagne.random.set_rng(np.random.RandomState(4))
    settled, x = parameters("DL.type=oNetpNet"), T.tensor4("x")
    output, network = buildArchitecture.buildNet(x, settled, 3)
    rng = np.random.RandomState(5)
    weights = [value + rng.normal(0, 0.05, value.shape).astype(np.float32)
               for value in lasagne.layers.get_all_param_values(output)]
    lasagne.layers.set_all_param_values(output, weights)
    forward = theano.function([x], lasagne.layers.get_output([network["fusion"], output],
                                                             deterministic=True))
    info = ModelInfo(settled, list("abc"), 11, 0, "", {}, None, [], [], [])
    return Model("m", "m.npz", weights, info), forward


def test_responses_are_what_the_network_takes_the_maximum_of(model):
    model, forward = model
    x = np.random.RandomState(6).standard_normal((1, 1, 40, 250)).astype(np.float32)
    fusion, _ = forward(x)
    found = filters.find_filters(model)
    assert [len(each.weights) for each in found] == [
        *(n for n in range(6, 42, 5) for _ in range(5)), *range(46, 217, 5)]
    for place in (0, 7, 39, 40, 74):
        [response] = filters.responses([found[place]], x[0, 0])
        np.testing.assert_allclose(response.reshape(10, 4, -1).max(axis=(1, 2)),
                                   fusion[0, place, :, 0], rtol=1e-4, atol=1e-5)


def test_what_all_filters_add_is_the_output_before_the_softmax(model):
    model, forward = model
    x = np.random.RandomState(7).standard_normal((1, 1, 40, 250)).astype(np.float32)
    _, probabilities = forward(x)
    found = filters.find_filters(model)
    shares = [[each.share for each in filters.strongest(found, x[0, 0], label, len(found))]
              for label in range(3)]
    assert all(row == sorted(row, reverse=True) for row in shares)
    scores = np.sum(shares, axis=1) + model.weights[-1]
    powers = np.exp(scores - scores.max())
    np.testing.assert_allclose(powers / powers.sum(), probabilities[0], rtol=1e-3)
    for each in found[:5]:
        sums = each.output.sum(axis=0)
        assert each.feeds == sums.argmax() and each.weight == sums.max()
    more = np.vstack([x[0, 0], np.full((3, 250), 9)])       # three bands that it ignores
    np.testing.assert_allclose([each.share for each in filters.strongest(found, more, 2, 75)],
                               shares[2], rtol=1e-5)


def test_filters_before_another_layer_feed_no_class(model):
    model, _ = model
    rng = np.random.RandomState(8)
    model.weights = [rng.normal(0, 1, shape)        # pooled over bands, not time
                     for shape in ((32, 1, 1, 60), (32,), (32 * 21, 3), (3,))]
    found = filters.find_filters(model)
    assert len(found) == 32 and all(each.feeds is None and each.output is None for each in found)
    x = rng.standard_normal((40, 80))
    first, second = filters.strongest(found, x, 0, 2)
    assert first.share == first.response.max() > second.share
    assert first.response.shape == (40, 21) and first.source in found


def test_a_song_shorter_than_a_filter_has_the_others(model):
    model, _ = model
    found = filters.strongest(filters.find_filters(model), np.ones((40, 50)), 0, 75)
    assert {len(each.source.weights) for each in found} == {*range(6, 51, 5)}


def test_a_network_without_filters_over_time_is_told(model):
    model, _ = model
    model.weights = [np.zeros((32, 1, 12, 8)), np.zeros(32), np.zeros((100, 3)), np.zeros(3)]
    with pytest.raises(UserError, match=r"oNetpNet has no filters over time.*\(32, 1, 12, 8\)"):
        filters.find_filters(model)


def test_a_normalised_filter_is_what_normalisation_makes_of_it_in_a_test(parameters):
    settled, x = parameters("DL.type=timbreRhythm", "DS.xInput=100"), T.tensor4("x")
    output, _ = buildArchitecture.buildNet(x, settled, 3)
    rng = np.random.RandomState(5)
    weights = [value + rng.uniform(0.1, 0.5, value.shape).astype(np.float32)
               for value in lasagne.layers.get_all_param_values(output)]
    lasagne.layers.set_all_param_values(output, weights)
    info = ModelInfo(settled, list("abc"), 11, 0, "", {}, None, [], [], [])
    found = filters.find_filters(Model("m", "m.npz", weights, info))
    assert [len(each.weights) for each in found] == [17] * 8 + [33] * 8 + [65] * 8
    assert all(each.output is None for each in found), "other layers lie between"
    normalised = next(layer for layer in lasagne.layers.get_all_layers(output)
                      if layer.output_shape == (None, 8, 1, 100) and hasattr(layer, "gamma"))
    spectrogram = rng.standard_normal((40, 100)).astype(np.float32)
    forward = theano.function([x], lasagne.layers.get_output(normalised, deterministic=True))
    expected = forward(spectrogram[None, None])[0, :, 0, 8:-8]      # without its padding
    mean = spectrogram.mean(axis=0, keepdims=True)
    np.testing.assert_allclose(filters.responses(found[:8], mean)[:, 0], expected, atol=1e-4)
