import threading
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from conftest import link

import buildArchitecture
import dl
import loadDatasets
from filterbank import xla
from mirdl import settings
from mirdl.errors import UserError
from mirdl.results import files
from mirdl.training import lockstep
from mirdl.training.lockstep import Broken, Seat, Table
from mirdl.training.network import Network, explained
from run import parameters as published
from theano import device

SMALL = ("DS.dataset=Beats", "folds=3", "chunkHop=40", "DL.batchSize=4", "DL.lr=0.002", "DL.num_epochs=4", "DL.momentum=0.5")


@pytest.fixture
def both(beats, workplace):
    """Cross-validates one fold after the other, then all together; gives the outcomes of both."""
    link(beats, workplace)

    def call(*overrides):
        return [dl.main(settings.override(published, [*SMALL, *overrides, *more])) for more in ([], ["foldsTogether=True"])]
    return call


def assertClose(alone, together):
    """The outcomes, training curves and models of two runs agree to 1e-4, all votes exactly."""
    assert [one.epochs for one in alone] == [one.epochs for one in together]
    for one, other in zip(alone, together):
        first, second = (files.read_training(outcome.name) for outcome in (one, other))
        for column in ("trainingLoss", "validationLoss"):
            np.testing.assert_allclose(second[column], first[column], rtol=0, atol=1e-4)
        assert (one.votes, one.true, one.songs) == (other.votes, other.true, other.songs)
        for a, b in zip(*(files.load_model(files.find_model(outcome.name))[0] for outcome in (one, other))):
            np.testing.assert_allclose(b, a, rtol=0, atol=1e-4)


@pytest.mark.parametrize("overrides", [
    ("DL.type=oNetOne",),
    ("DL.type=oNetOne", "asPublished=False", "DL.batchSize=7", "randomTry=2"),      # an incomplete last batch
    ("DL.type=timeFrequency", "DS.xInput=80", "DL.lr=0.0001"),                                      # Lasagne's own layers
])
def test_together_equals_one_by_one(both, overrides):
    assertClose(*both(*overrides))


def test_the_form_for_gpus_trains_alike(beats, workplace, monkeypatch):
    """There one fold after the other has its epochs in one call, too. Here that form runs on the CPU."""
    link(beats, workplace)
    asked = settings.override(published, [*SMALL, "DL.type=oNetOne"])
    expected = dl.main(asked)
    found = []
    build, epoch = xla.largest, Seat.trainEpoch
    monkeypatch.setattr(device, "in_use", lambda: SimpleNamespace(platform="gpu"))
    monkeypatch.setattr(xla, "largest", lambda *a, **k: found.append("bank") or build(*a, **k))
    monkeypatch.setattr(Seat, "trainEpoch", lambda *a: found.append("epoch") or epoch(*a))
    assertClose(expected, dl.main(asked))
    assert found.count("bank") >= 2 and found.count("epoch") == 12


def test_trainings_that_end_at_once_keep_nobody_waiting(beats, workplace, parameters):
    link(beats, workplace)
    with pytest.raises(dl.Diverged, match="no fold could be trained"):
        dl.main(settings.override(published, [*SMALL, "DL.type=oNetOne", "DL.lr=1e9", "DL.momentum=0.99", "foldsTogether=True"]))


@pytest.fixture
def table(beats, workplace, parameters):
    """Makes a `Table` of so many seats for Beats; gives it with the training chunks and a fresh network."""
    link(beats, workplace)
    settled = parameters(*SMALL, "DL.type=oNetOne")
    dataset = loadDatasets.load_dataset(settled)
    train, *_ = dl.foldData(dataset, 0, settled)

    def make(seats):
        return Table(Network(buildArchitecture.buildNet, settled, 3), dataset, settled, seats), train, Network(buildArchitecture.buildNet, settled, 3)
    return make


def test_an_epoch_in_one_call_equals_batch_by_batch(table):
    found, train, network = table(1)
    [seat] = found.seats
    batches = [np.arange(4) + place for place in range(0, 16, 4)]
    for each in (network, seat):
        each.reset(np.random.RandomState(3), 5)
    for _ in range(2):
        for one, other in zip(network.trainEpoch(train, batches), seat.trainEpoch(train, batches)):
            np.testing.assert_allclose(other, one, rtol=0, atol=1e-5)
    for one, other in zip(network.get_state()["weights"], seat.get_state()["weights"]):
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-5)
    for one, other in zip(network.evaluate_all(train, batches), seat.evaluate_all(train, batches)):
        assert one.shape == other.shape
        np.testing.assert_allclose(other, one, rtol=0, atol=1e-5)


def test_a_seat_keeps_its_own_state(table):
    found, train, _ = table(2)
    first, second = found.seats
    first.reset(np.random.RandomState(3), 5)
    before = first.get_state()
    second.reset(np.random.RandomState(4), 6)
    found.leave(first)
    second.trainEpoch(train, [np.arange(4)])
    second.set_learning_rate(0.5)
    for one, other in zip([*before["weights"], *before["others"]], [*first.get_state()["weights"], *first.get_state()["others"]]):
        np.testing.assert_array_equal(one, other)
    assert not np.array_equal(first.get_weights()[0], second.get_weights()[0])


def test_when_one_fails_all_are_sent_away(table):
    found, train, _ = table(2)
    first, second = found.seats
    raised = []

    def wait():
        try:
            first.trainEpoch(train, [np.arange(4)])
        except Broken as error:
            raised.append(error.__cause__)
    waiting = threading.Thread(target=wait)
    waiting.start()
    found.stop(ValueError("the other one"))
    waiting.join(60)
    assert [str(error) for error in raised] == ["the other one"]


def test_too_little_memory_is_told_with_the_settings():
    with pytest.raises(UserError, match="the device's memory is too small: .*(256.0*TiB|[0-9]{15} bytes); leave out foldsTogether, "):
        with explained():
            jax.jit(lambda: jnp.zeros(2**48, jnp.int8))()
    with pytest.raises(ZeroDivisionError), explained():
        1 / 0


@pytest.fixture
def full(monkeypatch):
    """A device that runs full in the third epoch of folds together."""
    class Full(lockstep.Programs):
        def __init__(self, *arguments):
            super().__init__(*arguments)
            train, fits = self.train, iter(range(2))

            def untilFull(*arguments):
                if next(fits, None) is None:
                    raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: Out of memory while trying to allocate 12884901888 bytes.\nBFC ...")
                return train(*arguments)
            self.train = untilFull
    with monkeypatch.context() as patch:
        patch.setattr(lockstep, "Programs", Full)
        yield patch


@pytest.mark.parametrize("more", [[], ["foldsTogether=True"]])
def test_a_device_that_runs_full_loses_nothing(beats, workplace, full, monkeypatch, more):
    link(beats, workplace)
    asked = [*SMALL, "DL.type=oNetOne"]
    with pytest.raises(UserError, match="trying to allocate 12884901888 bytes; leave out foldsTogether, or .*; then go on with: .* resume="):
        dl.main(settings.override(published, [*asked, "foldsTogether=True"]))
    full.undo()
    epochs, trainEpoch = [], dl.trainEpoch
    monkeypatch.setattr(dl, "trainEpoch", lambda *arguments: epochs.append(1) or trainEpoch(*arguments))
    resumed = dl.resume("last", settings.override(published, more))
    assert len(epochs) <= 9, "at least the first of four epochs was saved in each of the three folds"
    assertClose(dl.main(settings.override(published, asked)), resumed)


@pytest.mark.parametrize("more", ["workers=2", "cluster=tcp://host:8786"])
def test_together_and_apart_is_refused(parameters, more):
    with pytest.raises(UserError, match="foldsTogether=True trains all folds in one process .* not workers="):
        parameters("foldsTogether=True", more)


def test_a_data_set_on_disk_is_refused(beats, workplace):
    link(beats, workplace)
    with pytest.raises(UserError, match="foldsTogether=True needs the data set in memory"):
        dl.main(settings.override(published, [*SMALL, "DL.type=oNetOne", "DS.store=disk", "foldsTogether=True"]))
