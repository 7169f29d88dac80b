import numpy as np

from mirdl.results import files
from mirdl.results.outcome import EpochFigures
from mirdl.training.runs import Run
from mirdl.training.trial import Job, Trial, all_trials, progress


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
    assert len({trial.dropout_seed for trial in trials}) == 6


def test_a_job_names_its_trial(parameters):
    class data:
        in_memory = False
    trial = Trial(run_of(parameters("DS.dataset=Beats", "folds=3", "DL.type=oNetOne")), 2, 0)
    assert Job.of(trial, data) == ("Beats_oNetOne_id", "disk", 2, 0, "fold 3 of 3")
