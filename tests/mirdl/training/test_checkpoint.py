import os
from types import SimpleNamespace

import numpy as np
import pytest

from mirdl.errors import UserError
from mirdl.results import files, models
from mirdl.results.curves import EpochFigures
from mirdl.results.model_info import ModelInfo
from mirdl.results.outcome import Outcome
from mirdl.system import pickles
from mirdl.training import checkpoint
from mirdl.training.checkpoint import Checkpoint
from mirdl.training.run import Run
from mirdl.training.schedule import Published
from mirdl.training.trial import Training, Trial


class Network:
    """Has what a checkpoint asks a network for."""

    def __init__(self):
        self.weights = [np.arange(6, dtype=np.float32).reshape(2, 3)]

    def get_weights(self):
        return [weight.copy() for weight in self.weights]

    def get_state(self):
        return {"weights": self.get_weights(), "others": [np.float32(0.5)]}


@pytest.fixture
def trial(workplace, parameters):
    settled = parameters("DS.dataset=Beats", "DL.type=oNetOne", "folds=2")
    run = Run(settled, "id", 7, {}, "hash")
    open(files.path_of(run.name, ".lock"), "w").close()      # as long as the run is worked on
    return Trial(run, 0, 0)


@pytest.fixture
def training(trial):
    info = ModelInfo(trial.parameters, ["a", "b"], 7, 0, "hash", {}, [0.0, 1.0], [], [], ["a/1"])
    return Training(Published(0.01), trial.rng(), info)


def row(epoch, accuracy):
    return EpochFigures(epoch, 1.0 / (epoch + 1), 50.0, 1.0, accuracy)


def test_what_was_saved_is_gone_on_with(trial, training):
    network = Network()
    training.schedule.lr, training.schedule.rises = 0.005, 7
    training.rng.standard_normal()      # keeps one more number
    for epoch, accuracy in enumerate((40.0, 60.0, 50.0, 50.0)):
        network.weights = [weight + 1 for weight in network.weights]
        training.schedule.add(1.0 / (epoch + 1))
        training.add(row(epoch, accuracy), network)
    Checkpoint(trial).save(training, network)
    saved = Checkpoint(trial)
    assert not saved.ended and saved.outcome is None
    again = Training.new(trial, training.info)
    again.set_state(saved.current["training"])
    assert again.rows == training.rows and again.epoch == 4 and again.best == 1
    assert again.schedule == training.schedule and again.schedule.loss == 0.25
    np.testing.assert_array_equal(again.weights[0], np.arange(6).reshape(2, 3) + 2)
    assert again.rng.standard_normal() == training.rng.standard_normal()
    assert again.rng.randint(2**31) == training.rng.randint(2**31)
    np.testing.assert_array_equal(saved.current["network"]["weights"][0], network.weights[0])
    np.testing.assert_array_equal(models.load(trial.name).weights[0], again.weights[0])


def test_it_is_saved_every_so_many_epochs_counted_from_the_first(trial, training):
    saved, written = Checkpoint(trial, every=2), []
    for epoch in range(6):
        training.add(row(epoch, 50.0), Network())
        saved._next = 0         # the 2 % of the time are tested below
        saved.save(training, Network())
        written.append(os.path.exists(saved._path) and os.path.getmtime(saved._path))
        if written[-1]:
            os.utime(saved._path, (epoch, epoch))
    assert [bool(time) for time in written] == [False, True, True, True, True, True]
    assert written[2] == 1 and written[4] == 3, "not after epochs 3 and 5"
    assert written[3] > 10 and written[5] > 10, "after epochs 4 and 6"


def test_it_is_not_saved_again_a_moment_later(trial, training):
    saved = Checkpoint(trial, every=2)
    for epoch in range(4):
        training.add(row(epoch, 50.0), Network())
        saved.save(training, Network())
    assert len(Checkpoint(trial).current["training"]["rows"]) == 2


def test_saving_takes_2_per_cent_of_the_time(trial, training, monkeypatch):
    now, saved, times = [0.0], Checkpoint(trial), []

    def take_3_seconds(*arguments):
        times.append(now[0])
        now[0] += 3
    monkeypatch.setattr(checkpoint, "time", SimpleNamespace(monotonic=lambda: now[0]))
    monkeypatch.setattr(models, "save", take_3_seconds)
    for _ in range(2):
        training.add(row(training.epoch, 50.0), Network())
    for moment in (0, 3, 152, 153, 305, 306):
        now[0] = moment
        saved.save(training, Network())
    assert times == [0, 153, 306]


def test_an_ended_training_keeps_its_outcome(trial, training):
    training.add(row(0, 50.0), Network())
    with checkpoint.held(trial, 1) as saved:
        saved.save(training, Network())
        saved.finish(Outcome(trial.name, 3, 1, 60.0, songs=["a/1"], true=[0], voted=[1]))
    other = Trial(trial.run, 1, 0)
    with checkpoint.held(other, 1) as saved:
        saved.finish(None)
    third = Trial(trial.run, 1, 1)
    found = checkpoint.ended([trial, other, third])
    assert list(found) == [trial.name, other.name]
    assert found[trial.name].best_epoch == 1 and found[trial.name].voted == [1]
    assert found[other.name] is None, "it diverged"
    assert Checkpoint(trial).current is None, "nothing is left to go on with"


def test_a_worker_whose_run_was_stopped_learns_it(trial, training):
    os.unlink(files.path_of(trial.run.name, ".lock"))
    with pytest.raises(UserError, match="'Beats_oNetOne_id'.*stopped"):
        Checkpoint(trial).save(training, Network())


def test_a_damaged_state_is_named(trial):
    with open(files.path_of(trial.name, ".state"), "wb") as file:
        file.write(b"rubbish")
    with pytest.raises(UserError, match="'data/results/Beats_oNetOne_id-f0.state'"):
        Checkpoint(trial)


@pytest.mark.parametrize("version", ["4", "6"])
def test_a_state_of_another_version_is_refused(trial, version):
    path = files.path_of(trial.name, ".state")
    pickles.dump({"format": f"mirdl checkpoint {version}", "current": None, "ended": True,
                  "outcome": None}, path)
    with pytest.raises(UserError, match="another version.*new run"):
        Checkpoint(trial)
