import lasagne
import numpy as np
import pytest

import buildArchitecture
import theano
from mirdl.training.network import Network


@pytest.fixture(scope="module")
def network():
    return network_of("DL.momentum=0.9", "DL.classWeights=balanced")


def network_of(*overrides):
    """Make a small network with these settings."""
    from mirdl import settings
    parameters = settings.check(settings.override(settings.published(), [
        "DL.type=oNetOne", "DS.xInput=60", "DL.batchSize=4", "DL.lr=0.05", *overrides]))
    made = Network(buildArchitecture.buildNet, parameters, 3)
    made.reset(np.random.RandomState(5), seed=3)
    return made


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


def test_a_rate_that_changes_gradually_keeps_the_momentum(network, batch):
    def second_step(*rate):
        network.reset(np.random.RandomState(5), seed=3)
        network.train(*batch)
        network.set_learning_rate(*rate)
        network.train(*batch)
        return network.get_weights()
    network.reset(np.random.RandomState(5), seed=3)
    for _ in range(2):
        network.train(*batch)
    for one, other in zip(second_step(0.05, True), network.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("rule", ["sgd", "adagrad", "rmsprop", "adadelta", "adam"])
def test_every_rule_trains_and_its_state_goes_on_to_the_bit(rule, batch):
    network = network_of(f"DL.update={rule}", "DL.lr=0.01")
    first = network.get_weights()
    network.train(*batch)
    state = network.get_state()
    expected = network.train(*batch)
    assert any(not np.array_equal(*pair) for pair in zip(first, network.get_weights(), strict=True))
    network.reset(np.random.RandomState(6), seed=4)
    network.set_state(state)
    np.testing.assert_array_equal(network.train(*batch), expected)


def test_weight_decay_takes_its_share_of_filters_but_not_of_offsets(batch):
    plain, decayed = network_of("DL.update=adam"), network_of("DL.update=adam",
                                                              "DL.weightDecay=0.1")
    first = [weight + np.float32(0.5) for weight in plain.get_weights()]   # offsets begin at 0
    for network in (plain, decayed):
        network.set_weights(first)
        network.set_learning_rate(0.02)
        network.train(*batch)
    for before, one, other in zip(first, plain.get_weights(), decayed.get_weights(), strict=True):
        share = 0.02 * 0.1 if before.ndim > 1 else 0
        np.testing.assert_allclose(one - other, share * before, atol=1e-6)


def test_balanced_classes_that_are_there_count_alike():
    rng = np.random.RandomState(1)
    x = np.repeat(rng.standard_normal((1, 1, 40, 60)), 4, axis=0).astype(np.float32)
    network = network_of("DL.update=sgd", "DL.classWeights=balanced")

    def loss(label):
        network.reset(np.random.RandomState(5), seed=3)
        y = np.full(4, label, np.int32)
        return network.train(x, y)[0]
    plain = np.array([loss(label) for label in range(3)])
    for y, expected in (([0] * 6 + [1] * 2 + [2], [9 / 18, 9 / 6, 9 / 3]),
                        ([0] * 6 + [2] * 2, [8 / 12, 8 / 4]), ([0] * 6 + [1] * 2, [8 / 12, 8 / 4])):
        network.set_shares(np.array(y))
        labels = np.unique(y)
        found = [loss(label) for label in labels]
        np.testing.assert_allclose(found / plain[labels], expected, rtol=1e-5)


def test_an_evaluation_weighs_no_class_and_drops_no_unit(network, batch):
    network.reset(np.random.RandomState(5), seed=3)
    first = network.evaluate(*batch)
    network.set_shares(np.array([0, 0, 0, 1, 2]))
    for one, other in zip(network.evaluate(*batch), first, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_mixed_chunk_costs_its_two_classes_by_weight(batch):
    x, y = batch
    other = np.roll(y, 1)
    network = network_of("DS.augment=mixup", "DL.update=sgd", "DL.classWeights=balanced")
    network.set_shares(np.array([0, 0, 0, 1, 2]))

    def loss(one, other, weight):
        network.reset(np.random.RandomState(5), seed=3)
        return network.train(x, one, other, np.full(4, weight, np.float32))[0]
    both = loss(y, y, 1), loss(other, other, 1)
    assert loss(y, other, 0.75) == pytest.approx(0.75 * both[0] + 0.25 * both[1], rel=1e-5)
    assert abs(both[0] - both[1]) > 0.1


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
    first = two_steps()
    network.set_learning_rate(0.5)
    again = two_steps()
    np.testing.assert_array_equal(first, again)
    network.reset(np.random.RandomState(6), seed=3)
    assert network.train(*batch)[0] != first[0][0]


def test_each_dropout_layer_drops_units_of_its_own(monkeypatch, batch):
    def twice(input_var, parameters, numClasses):
        data = buildArchitecture.inputLayer(input_var, parameters)
        both = [lasagne.layers.dropout(data) for _ in range(2)]
        output = buildArchitecture.outputLayer(lasagne.layers.ConcatLayer(both), numClasses)
        return output, {"input": data}
    monkeypatch.setattr(buildArchitecture, "twice", twice, raising=False)
    network = network_of("DL.type=twice")
    concat = lasagne.layers.get_all_layers(network.output)[-3]
    x = lasagne.layers.get_all_layers(network.output)[0].input_var
    one, other = np.split(theano.function([x], lasagne.layers.get_output(concat))(batch[0]), 2, 1)
    assert 0.4 < np.mean((one == 0) == (other == 0)) < 0.6


def test_a_state_goes_on_to_the_bit(network, batch):
    network.reset(np.random.RandomState(5), seed=3)
    network.set_shares(np.array([0, 0, 0, 1, 2]))
    network.set_learning_rate(0.02)
    network.train(*batch)
    state = network.get_state()
    expected = [network.train(*batch) for _ in range(2)], network.get_weights()
    network.reset(np.random.RandomState(6), seed=4)
    network.set_shares(np.arange(3))
    network.set_state(state)
    found = [network.train(*batch) for _ in range(2)], network.get_weights()
    np.testing.assert_array_equal(found[0], expected[0])
    for one, other in zip(found[1], expected[1], strict=True):
        np.testing.assert_array_equal(one, other)
