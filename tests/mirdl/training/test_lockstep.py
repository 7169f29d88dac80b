import threading
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import small

import buildArchitecture
import dl
import loadDatasets
from filterbank import xla
from mirdl.errors import UserError
from mirdl.results import files, models
from mirdl.spectrograms.chunks import Chunks
from mirdl.training import lockstep
from mirdl.training.lockstep import Lockstep, Slot, StoppedError
from mirdl.training.network import Network, memory_errors_told
from mirdl.training.run import DivergedError
from theano import device

ALONE, TOGETHER = "foldsTogether=False", "foldsTogether=True"
LASAGNES_LAYERS = "DL.type=timeFrequency", "DS.xInput=80", "DL.lr=0.0001"
INCOMPLETE_BATCH = "asPublished=False", "DL.batchSize=7", "randomTry=2"
AUGMENTED = ("DS.augment=crop+stretch+gain+mask+mixup", "DL.update=adam", "DL.schedule=cosine",
             "DL.classWeights=balanced", "validation=0", "DS.xInput=100", "DL.lr=0.0001",
             "DL.momentum=0", "asPublished=False")


def a_run(*overrides):
    return small("DL.type=tiny", "chunkHop=40", "DL.batchSize=4", "DL.lr=0.002",
                 "DL.momentum=0.5", *overrides)


@pytest.fixture
def asked(here, tiny, parameters):
    """Return the parameters of a small run: asked("DL.lr=1")."""
    return lambda *overrides: parameters(*a_run(*overrides))


def read(outcomes):
    """Read all that a run has left: outcome, training curves and weights of each fold."""
    return [(outcome, files.read_training(outcome.name), models.load(outcome.name).weights)
            for outcome in outcomes]


def assertClose(found, expected):
    """Outcomes, training curves and models of two runs agree to 1e-4, all votes exactly."""
    def near(one, other):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)
    for (one, curves, weights), (other, others, expected_weights) in zip(found, expected,
                                                                        strict=True):
        assert one.epochs == other.epochs
        near(curves.training_loss, others.training_loss)
        near(curves.validation_loss, others.validation_loss)
        assert (one.votes, one.true, one.songs) == (other.votes, other.true, other.songs)
        for weight, same in zip(weights, expected_weights, strict=True):
            near(weight, same)


@pytest.mark.parametrize("overrides", [
    pytest.param(("DL.type=oNetOne",), marks=pytest.mark.slow),
    pytest.param(("DL.type=oNetOne", *INCOMPLETE_BATCH), marks=pytest.mark.slow),
    pytest.param(LASAGNES_LAYERS, marks=pytest.mark.slow), AUGMENTED])
def test_together_equals_one_by_one(asked, overrides):
    alone = read(dl.main(asked(*overrides)))
    assertClose(read(dl.main(asked(*overrides, TOGETHER))), alone)


def test_running_averages_of_batch_normalisation_are_each_trainings_own(asked, monkeypatch):
    def normalised(input_var, parameters, numClasses):
        data = buildArchitecture.inputLayer(input_var, parameters)
        layer = buildArchitecture.normalised(data, 4, (5, 5), pad="same")
        features = buildArchitecture.meanAndMaxOverTime(layer)
        return buildArchitecture.outputLayer(features, numClasses), {"input": data}
    monkeypatch.setattr(buildArchitecture, "normalised2", normalised, raising=False)
    settled = "DL.type=normalised2", "DS.xInput=60", "DL.lr=0.001", "DL.momentum=0"
    alone = read(dl.main(asked(*settled)))
    *_, mean, inv_std, _, _ = alone[0][2]
    assert np.abs(mean).min() > 1e-3 and np.abs(inv_std - 1).min() > 1e-3
    assertClose(read(dl.main(asked(*settled, TOGETHER))), alone)


@pytest.fixture
def alone(asked):
    """Cross-validate one fold after the other; return all that the run has left."""
    return read(dl.main(asked()))


def test_the_form_for_gpus_trains_alike(asked, alone, monkeypatch):
    """On a GPU, an epoch is one call even if folds are not together. Here it runs on the CPU."""
    found = []
    build, epoch = xla.largest, Slot.train_epoch
    monkeypatch.setattr(device, "in_use", lambda: SimpleNamespace(platform="gpu"))
    monkeypatch.setattr(xla, "largest", lambda *a, **k: found.append("bank") or build(*a, **k))
    monkeypatch.setattr(Slot, "train_epoch", lambda *a: found.append("epoch") or epoch(*a))
    assertClose(read(dl.main(asked())), alone)
    assert found.count("bank") >= 2 and found.count("epoch") == 12


def test_trainings_that_end_at_once_keep_nobody_waiting(asked):
    with pytest.raises(DivergedError, match="no fold.*loss"):
        dl.main(asked("DL.lr=1e9", "DL.momentum=0.99", TOGETHER))


@pytest.fixture
def lockstep_of(asked):
    """Make a `Lockstep` of so many slots for Beats, some training chunks and a new network."""
    settled = asked("folds=4", "DL.classWeights=balanced")
    dataset = loadDatasets.load_dataset(settled)
    train = loadDatasets.foldOf(dataset, 0, settled).train      # 27 chunks

    def make(count):
        build = buildArchitecture.buildNet
        return Lockstep(build, settled, dataset, count), train, Network(build, settled, 3)
    return make


def assertNear(found, expected):
    for one, other in zip(found, expected, strict=True):
        assert one.shape == other.shape
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-5)


def test_an_epoch_in_one_call_equals_batch_by_batch(lockstep_of):
    """Trainings ask for more or less than the others, for other things, and end earlier.

    The last request of the first is a batch of 2 chunks, that of the third one of 4.
    """
    found, train, network = lockstep_of(3)
    order = np.random.RandomState(1).permutation(len(train))
    some = Chunks(train.spectrograms, train.labels, [[0, 40]] * len(train.labels),
                  train.width, train.mean, train.std, batch_size=4, places=train.places)
    plans = [
        [("train_epoch", train, np.split(order[:24], 6)), ("evaluate_all", some, order[:3] % 18),
         ("train_epoch", train, [order[:4], order[4:8], order[8:10]])],
        [("train_epoch", some, [np.arange(4)]), ("train_epoch", train, np.split(order[:8], 2))],
        [("evaluate_all", train, order[:14]), ("train_epoch", train, np.split(order[:16], 4)),
         ("evaluate_all", train, order[14:]), ("train_epoch", train, np.split(order[16:20], 1))],
    ]

    def follow(plan, network):
        network.reset(np.random.RandomState(len(plan)), len(plan))
        network.set_learning_rate(0.001 * len(plan))
        network.set_shares(np.array([0] * len(plan) + [1, 2]))
        figures = [getattr(network, method)(*given) for method, *given in plan]
        state = network.get_state()
        return [*(each for epoch in figures for each in epoch), *state["weights"],
                *state["others"]]

    def job(number, slot):
        return follow(plans[number], slot)
    answers = dict(found.run_jobs(job, range(3), lambda: (1, 0, "")))
    for number, plan in enumerate(plans):
        assertNear(answers[number], follow(plan, network))


def test_a_slot_keeps_its_own_state(lockstep_of):
    def values(slot):
        state = slot.get_state()
        return [*state["weights"], *state["others"]]
    found, train, _ = lockstep_of(2)
    first, second = found.slots
    first.reset(np.random.RandomState(3), 5)
    first.set_shares(np.array([0, 0, 1]))        # none of class 2
    before = values(first)
    second.reset(np.random.RandomState(4), 6)
    found.end(first)
    second.train_epoch(train, [np.arange(4)])
    second.set_learning_rate(0.5)
    for one, other in zip(before, values(first), strict=True):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(first.get_weights()[0], second.get_weights()[0])


def test_when_one_fails_all_are_stopped(lockstep_of):
    found, train, _ = lockstep_of(2)
    first, second = found.slots
    raised = []

    def wait():
        try:
            first.train_epoch(train, [np.arange(4)])
        except StoppedError as error:
            raised.append(error.__cause__)
    waiting = threading.Thread(target=wait)
    waiting.start()
    found.stop(ValueError("the other one"))
    waiting.join(60)
    assert [str(error) for error in raised] == ["the other one"]


def test_too_little_memory_is_told_with_the_settings():
    message = "(256.0*TiB|[0-9]{15} bytes).*DS.store=disk.*foldsTogether.*batchSize"
    with pytest.raises(UserError, match=message), memory_errors_told():
        jax.jit(lambda: jnp.zeros(2**48, jnp.int8))()
    with pytest.raises(ZeroDivisionError), memory_errors_told():
        raise ZeroDivisionError


@pytest.fixture
def full(monkeypatch):
    """Give the device too little memory for the third epoch of folds together."""
    message = ("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 12884901888 bytes.\n"
               "BFC ...")

    class Full(lockstep.Programs):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            train, fits = self.train, iter(range(2))

            def untilFull(*arguments):
                if next(fits, None) is None:
                    raise jax.errors.JaxRuntimeError(message)
                return train(*arguments)
            self.train = untilFull
    with monkeypatch.context() as patch:
        patch.setattr(lockstep, "Programs", Full)
        yield patch


@pytest.mark.parametrize("more", [ALONE, TOGETHER])
def test_a_device_that_runs_full_loses_nothing(asked, alone, full, monkeypatch, more):
    message = "12884901888 bytes.*foldsTogether.*resume="
    with pytest.raises(UserError, match=message):
        dl.main(asked(TOGETHER))
    full.undo()
    epochs, trainEpoch = [], dl.trainEpoch
    monkeypatch.setattr(dl, "trainEpoch", lambda *given: epochs.append(1) or trainEpoch(*given))
    resumed = read(dl.resume("last", asked(more)))
    assert len(epochs) <= 9, "at least the first of four epochs was saved in each of three folds"
    assertClose(resumed, alone)


@pytest.mark.parametrize("more", ["workers=2", "cluster=tcp://host:8786"])
def test_together_and_apart_is_refused(parameters, more):
    with pytest.raises(UserError, match="foldsTogether=True.*workers="):
        parameters(TOGETHER, more)


def test_a_data_set_on_disk_is_refused(asked):
    with pytest.raises(UserError, match="foldsTogether=True.*DS.store=memory"):
        dl.main(asked("DS.store=disk", TOGETHER))
