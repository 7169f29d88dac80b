import numpy as np
import pytest
from sklearn.metrics import average_precision_score

import buildArchitecture
import theano
import theano.tensor as T
from mirdl.errors import UserError
from mirdl.training.network import Network
from mirdl.training.targets import (
    OneTag,
    SeveralTags,
    mean_figures,
    song_means,
    target_of,
)


def test_costs_of_each_chunk():
    prediction = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]], np.float32)
    y = np.array([0, 2], np.int32)
    p, labels = T.matrix(), T.ivector()
    both = theano.function([p, labels], [OneTag.costs(p, labels, 3, cost)
                                         for cost in ("crossentropy", "squared_error")])
    entropy, squared = both(prediction, y)
    np.testing.assert_allclose(entropy, -np.log([0.7, 0.3]), rtol=1e-6)
    np.testing.assert_allclose(squared, [(0.09 + 0.04 + 0.01) / 3, (0.01 + 0.36 + 0.49) / 3],
                               rtol=1e-5)


def test_of_several_tags_each_has_a_cost_of_its_own():
    prediction = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]], np.float32)
    y = np.array([[1, 1, 0], [0, 0, 0]], np.float32)
    p, tags = T.matrix(), T.matrix()
    call = theano.function([p, tags], [SeveralTags.costs(p, tags, 3, "crossentropy"),
                                       T.mean(SeveralTags.right(p, tags))])
    costs, right = call(prediction, y)
    np.testing.assert_allclose(costs, [-np.log(0.7 * 0.2 * 0.9), -np.log(0.9 * 0.4 * 0.7)],
                               rtol=1e-5)
    assert right == pytest.approx(4 / 6)


def test_mean_figures():
    losses = np.array([1.0, 2.0, 2.0**24, 3.0], np.float32)     # in float32 they have another sum
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1], [0.3, 0.7], [0.8, 0.2]])
    assert mean_figures(losses, probabilities, np.array([0, 1, 1, 0]), None) == (2**22 + 1.5, 75.0)


def test_of_several_tags_the_figure_is_the_mean_average_precision_of_songs():
    """Four songs of one to three chunks, in any order; a tag that all have does not count."""
    song = np.array([2, 0, 1, 2, 3, 2, 0])
    has = np.array([[1, 0, 1], [0, 0, 1], [0, 1, 1], [1, 1, 1]], np.float32)
    probabilities = np.random.RandomState(1).rand(7, 3)
    means = np.array([probabilities[song == each].mean(axis=0) for each in range(4)])
    np.testing.assert_allclose(song_means(probabilities, song, 5), [*means, [0, 0, 0]])
    expected = 100 * average_precision_score(has[:, :2], means[:, :2])
    loss, found = mean_figures(np.ones(7), probabilities, has[song], song)
    assert (loss, found) == (1, pytest.approx(expected)) and found < 100
    _, none = mean_figures(np.ones(7), probabilities, np.ones((7, 3)), song)
    assert np.isnan(none)


@pytest.fixture
def network(parameters, tiny):
    settled = parameters("DL.type=tiny", "DS.xInput=60", "DL.batchSize=4", "DL.lr=0.05",
                         "DS.augment=mixup:0.5")
    made = Network(buildArchitecture.buildNet, settled, 3, target=SeveralTags)
    made.reset(np.random.RandomState(5), seed=3)
    return made


def test_a_network_learns_several_tags(network):
    rng = np.random.RandomState(1)
    x, y = rng.standard_normal((4, 1, 40, 60)).astype(np.float32), np.float32(
        [[1, 1, 0], [0, 0, 0], [1, 0, 0], [0, 1, 0]])
    assert target_of(y) is SeveralTags and target_of(y[:, 0]) is OneTag
    whole = np.ones(4, np.float32)
    for _ in range(200):
        network.train(x, y, np.roll(y, 1, axis=0), whole)
    losses, probabilities = network.evaluate(x, y)
    np.testing.assert_allclose(probabilities, y, atol=0.2)
    expected = -np.log(np.where(y, probabilities, 1 - probabilities)).sum(axis=1)
    np.testing.assert_allclose(losses, expected, rtol=1e-3)


def test_a_tag_starts_as_likely_as_it_is_frequent(network):
    y = np.zeros((18, 3), np.float32)
    y[:1, 0], y[:9, 1] = 1, 1       # one more with each tag and one more without are assumed
    network.set_shares(y)
    x = np.zeros((4, 1, 40, 60), np.float32)
    biases = network.output.b.get_value()
    np.testing.assert_allclose(1 / (1 + np.exp(-biases)), [0.1, 0.5, 0.05], rtol=1e-5)
    _, probabilities = network.evaluate(x, np.zeros((4, 3), np.float32))
    np.testing.assert_allclose(probabilities, [[0.1, 0.5, 0.05]] * 4, rtol=1e-4)


def test_a_network_without_a_last_softmax_is_refused_by_name(parameters, monkeypatch):
    def ownEnd(input_var, parameters, numClasses):
        data = buildArchitecture.inputLayer(input_var, parameters)
        return buildArchitecture.DenseLayer(data, numClasses, nonlinearity=T.nnet.softmax), {}
    monkeypatch.setattr(buildArchitecture, "ownEnd", ownEnd, raising=False)
    settled = parameters("DL.type=ownEnd")
    buildArchitecture.buildNet(None, settled, 3)
    with pytest.raises(UserError, match="DL.type=ownEnd cannot learn songs that have several tags"):
        buildArchitecture.buildNet(None, settled, 3, several=True)
