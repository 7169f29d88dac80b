import numpy as np
import pytest

import buildArchitecture
from mirdl.training.network import Network, costs, mean_figures


@pytest.fixture(scope="module")
def network():
    from mirdl import settings
    parameters = settings.check(settings.override(settings.published(), [
        "DL.type=oNetOne", "DS.xInput=60", "DL.batchSize=4", "DL.momentum=0.9", "DL.lr=0.05"]))
    return Network(buildArchitecture.buildNet, parameters, 3)


@pytest.fixture
def batch():
    rng = np.random.RandomState(1)
    return rng.standard_normal((4, 1, 40, 60)).astype(np.float32), np.array([0, 1, 2, 0], np.int32)


def changes(before, after):
    return [b - a for a, b in zip(before, after, strict=True)]


def test_momentum_starts_anew_with_a_new_learning_rate(network, batch):
    def train_twice(between):
        network.reset(np.random.RandomState(5), seed=3)
        network.train(*batch)
        between()
        state = network.get_state()
        network.train(*batch)
        return changes(state["weights"], network.get_weights())

    kept = train_twice(lambda: None)
    started_anew = train_twice(lambda: network.set_learning_rate(0.05))
    assert any(not np.allclose(one, other) for one, other in zip(kept, started_anew, strict=True))

    def forget_velocities():
        for velocity in network._velocities:
            velocity.set_value(0 * velocity.get_value())
    for one, other in zip(train_twice(forget_velocities), started_anew, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_learning_rate_scales_the_first_step(network, batch):
    def first_step(lr):
        network.reset(np.random.RandomState(5), seed=3)
        network.set_learning_rate(lr)
        before = network.get_weights()
        network.train(*batch)
        return changes(before, network.get_weights())
    for one, other in zip(first_step(0.01), first_step(0.02), strict=True):
        np.testing.assert_allclose(2 * one, other, rtol=1e-2, atol=1e-6)


def test_reset_forgets_all_that_was_learnt(network, batch):
    def two_steps():
        network.reset(np.random.RandomState(5), seed=3)
        return [network.train(*batch) for _ in range(2)]
    first, again = two_steps(), two_steps()
    np.testing.assert_array_equal(first, again)
    network.reset(np.random.RandomState(6), seed=3)
    assert network.train(*batch)[0] != first[0][0]


def test_a_state_goes_on_to_the_bit(network, batch):
    network.reset(np.random.RandomState(5), seed=3)
    network.train(*batch)
    state = network.get_state()
    expected = [network.train(*batch) for _ in range(2)], network.get_weights()
    network.reset(np.random.RandomState(6), seed=4)
    network.set_state(state)
    found = [network.train(*batch) for _ in range(2)], network.get_weights()
    np.testing.assert_array_equal(found[0], expected[0])
    for one, other in zip(found[1], expected[1], strict=True):
        np.testing.assert_array_equal(one, other)


def test_costs_of_each_chunk():
    prediction = np.array([[0.7, 0.2, 0.1], [0.1, 0.6, 0.3]], np.float32)
    y = np.array([0, 2], np.int32)
    import theano
    import theano.tensor as T
    p, labels = T.matrix(), T.ivector()
    both = theano.function([p, labels], [costs(p, labels, 3, cost)
                                         for cost in ("crossentropy", "squared_error")])
    entropy, squared = both(prediction, y)
    np.testing.assert_allclose(entropy, -np.log([0.7, 0.3]), rtol=1e-6)
    np.testing.assert_allclose(squared, [(0.09 + 0.04 + 0.01) / 3, (0.01 + 0.36 + 0.49) / 3],
                               rtol=1e-5)


def test_mean_figures():
    losses = np.array([1.0, 3.0], np.float32)
    probabilities = np.array([[0.6, 0.4], [0.9, 0.1]])
    assert mean_figures(losses, probabilities, np.array([0, 1])) == (2.0, 50.0)
