from types import SimpleNamespace

import numpy as np
import pytest

from mirdl.results import files
from mirdl.results.curves import EpochFigures
from mirdl.results.model_info import ModelInfo
from mirdl.results.outcome import Outcome
from mirdl.songs.dataset import DataSet, Split
from mirdl.training.run import Run
from mirdl.training.schedule import Cosine, Published
from mirdl.training.trial import Training, Trial, all_trials, model_info, progress


def run_of(parameters, seed=11):
    return Run(parameters, "id", seed, {}, "")


def test_progress_of_all_folds(workplace, parameters):
    trials = all_trials(run_of(parameters("DS.dataset=Beats", "folds=3", "randomTry=2",
                                          "DL.num_epochs=10")))
    for trial, epochs in zip(trials, (4, 3, 10), strict=False):
        files.write_training([EpochFigures(epoch, 1.0, 50.0, 1.0, 50.0)
                              for epoch in range(epochs)], trial.name)
    total, done, words = progress(trials, {trials[0].name})
    assert total == 4 + 5 * 10, "the first one stopped early"
    assert done == 17 and words == "fold 1 of 3 try 2 of 2: 3, fold 2 of 3 try 1 of 2: 10"


def test_names_and_titles(parameters):
    one = Trial(run_of(parameters("DS.dataset=Beats", "folds=3", "DL.type=oNetOne")), 1, 0)
    assert (one.name, one.title) == ("Beats_oNetOne_id-f1", "fold 2 of 3")
    second = Trial(run_of(parameters("DS.dataset=Beats", "folds=3", "DL.type=oNetOne",
                                     "randomTry=2")), 1, 1)
    assert (second.name, second.title) == ("Beats_oNetOne_id-f1t1", "fold 2 of 3 try 2 of 2")


def test_every_trial_draws_from_a_stream_of_its_own(parameters):
    trials = all_trials(run_of(parameters("folds=3", "randomTry=2")))
    drawn = [trial.rng(purpose).randint(2**31) for trial in trials for purpose in (0, 1)]
    assert len(set(drawn)) == 12
    assert drawn[0] == np.random.RandomState(11).randint(2**31), "the first draws as the original"
    assert drawn[2] == np.random.RandomState([11, 0, 1, 0]).randint(2**31)
    assert trials[1].rng().randint(2**31) == drawn[2], "purpose 0 is the order of the chunks"
    assert len({trial.dropout_seed for trial in trials}) == 6


def test_dropout_draws_a_seed_as_lasagne_does(parameters, monkeypatch):
    monkeypatch.setattr(Trial, "rng", lambda trial, purpose: SimpleNamespace(
        randint=lambda *limits: (purpose, *limits)))
    assert Trial(run_of(parameters()), 0, 0).dropout_seed == (1, 1, 2147462579)


class Network:
    """Has weights that tell how often they were asked for."""

    asked = 0

    def get_weights(self):
        self.asked += 1
        return [np.array(self.asked)]


def training_of(parameters):
    info = ModelInfo(parameters, ["a", "b"], 7, 2, "hash", {}, None, [], [], ["a/1"])
    return Training.new(Trial(run_of(parameters), 2, 0), info)


def train(training, *accuracies):
    """Add epochs of these validation accuracies; give the best epoch after each."""
    network, best = Network(), []
    for accuracy in accuracies:
        training.add(EpochFigures(training.epoch, 1.0, 50.0, 1.0, accuracy), network)
        best.append(training.best)
    return best


def test_the_first_of_the_best_epochs_counts(parameters):
    training = training_of(parameters())
    assert train(training, 0.0, 60.0, 50.0, float("60"), 70.0) == [0, 1, 1, 1, 4]
    assert training.weights == [3] and training.info.validation == 70
    expected = Outcome("x", 5, 4, 70.0, songs=["a/1"], fold=2)
    assert repr(training.outcome("x")) == repr(expected), "as text, for NaN equals nothing"


def test_without_validation_songs_the_last_epoch_counts(parameters):
    training = training_of(parameters())
    assert train(training, *[float("nan")] * 3) == [0, 1, 2] and training.weights == [3]


@pytest.mark.parametrize("accuracies, kind", [
    ((), Published(0.005, 0.5, 7)), ((40.0, 60.0, 50.0), Cosine(0.01, 200, 3))])
def test_a_training_goes_on_from_its_state(parameters, accuracies, kind):
    settled = parameters("DL.schedule=cosine") if isinstance(kind, Cosine) else parameters()
    training, again = training_of(settled), training_of(settled)
    training.schedule = kind
    assert training.get_state()["seconds"] == 0
    train(training, *accuracies)
    training.rng.standard_normal()      # keeps one more number
    training.seconds = 7.5
    again.set_state(training.get_state())
    assert again == Training(kind, again.rng, training.info, training.rows, 7.5,
                             training.best, training.weights)
    assert again.rng.standard_normal() == training.rng.standard_normal()
    assert again.info.validation == (60 if accuracies else None)


@pytest.mark.parametrize("where, norm, moments", [
    ("global", "log0m1v", [1.5, 2.5]), ("train", "log0m1v", [1.5, 2.5]), ("local", "log0m1v", None),
    ("local", "None", [1.5, 2.5])])
def test_a_model_tells_its_songs_and_by_what_it_was_normalised(parameters, where, norm, moments):
    trial = Trial(run_of(parameters(f"DS.inputNormWhere={where}", f"DS.inputNorm={norm}")), 1, 0)
    songs = [np.full((2, 3), number, np.float32) for number in range(4)]
    dataset = DataSet(["a", "b"], ["a/0", "a/1", "b/2", "b/3"], np.array([0, 0, 1, 1]), songs)
    fold = SimpleNamespace(mean=np.float32([1.5, 8, 9]), std=np.float32([2.5, 8, 9]),
                           songs=Split(*map(np.array, ([0, 3], [1], [2]))))
    info = model_info(trial, dataset, fold)
    assert info.moments == moments
    assert info.training_songs == ["a/0", "b/3"] and info.validation_songs == ["a/1"]
    assert info.test_songs == ["b/2"] and info.training_moments == [[0.0, 0.0], [3.0, 0.0]]
    assert (info.classes, info.seed, info.fold) == (["a", "b"], 11, 1)
