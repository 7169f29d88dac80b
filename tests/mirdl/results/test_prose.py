import numpy as np
import pytest

from mirdl.results import prose
from mirdl.results.baseline import Baseline
from mirdl.results.curves import EpochFigures
from mirdl.results.outcome import CrossValidation, Outcome


@pytest.fixture
def result():
    """Two folds, of which the first gave song b of class 'macro avg' to class 'accuracy'."""
    outcomes = [Outcome("n-f0", 3, 1, 60.0, 0.5, 62.5, 50.0, ["a", "b"], [0, 1], [[3, 1], [2, 2]],
                        [0, 0], 1.5, 0),
                Outcome("n-f1", 3, 2, 70.0, 0.5, 62.5, 100.0, ["c", "d"], [0, 1], [[4, 0], [0, 4]],
                        [0, 1], 1.5, 1)]
    return CrossValidation({"folds": 2}, ["accuracy", "macro avg"], 7, outcomes)


FOREST = Baseline("random forest", [[0, 1], [0, 1]], [100.0, 100.0])
LARGEST = Baseline("largest class", [[0, 0], [0, 0]], [50.0, 50.0])


def test_a_network_that_a_baseline_beats_is_told_so(result):
    before = prose.run_text(result)
    result.baselines = [LARGEST, FOREST]
    assert result.best_baseline is FOREST and prose.run_text(result).startswith(before)
    assert prose.run_text(result).removeprefix(before).split("\n") == [
        "Baselines (docs/results.md says what each of them sees):",
        "  largest class:        50.00 % of songs, std 0.00 %",
        "  random forest:       100.00 % of songs, std 0.00 %",
        "Paired test against random forest, song by song: p = 1",
        "  0 songs that only the network has right, 1 that only random forest has",
        "By majority vote the network does worse than random forest (100.0 % of songs): try "
        "recipe=today, another network (DL.type), more epochs (DL.num_epochs) or more songs", ""]
    result.baselines = [LARGEST]
    assert "Paired test against largest class" in prose.run_text(result)
    assert "does worse" not in prose.run_text(result)
    for outcome in result.outcomes:
        outcome.true, outcome.voted, outcome.votes = [], [], []
    assert prose.run_text(result).endswith("  largest class:        50.00 % of songs, std 0.00 %\n")


def test_folds_that_do_not_count_are_told(result):
    del result.outcomes[1]
    assert "1 of 2 folds had no finite loss and do not count\n" in prose.run_text(result)


def test_figures_of_an_epoch_in_words():
    figures = EpochFigures(0, 1.25, 50.0, 2.0, 25.0)
    assert prose.epoch_line(figures) == "loss 1.250, accuracy 50 %, validation 25 %"
    assert prose.epoch_text(figures, 3) == (
        "Epoch 1 of 3\n  training loss:\t\t1.250000\n  training accuracy:\t\t50.00 %\n"
        "  validation loss:\t\t2.000000\n  validation accuracy:\t\t25.00 %\n")
    unvalidated = figures._replace(validation_loss=np.nan, validation_accuracy=np.nan)
    assert prose.epoch_line(unvalidated) == "loss 1.250, accuracy 50 %"
    assert prose.epoch_text(unvalidated, 3).endswith("training accuracy:\t\t50.00 %\n")


@pytest.mark.parametrize("tested, told", [
    ({"utterances": 75.0, "majority_vote": 50.0},
     "75.00 % of chunks, 50.00 % of songs by majority vote"),
    ({"utterances": 0.0}, "0.00 % of chunks"),
    ({"majority_vote": 50.0}, "50.00 % of songs by majority vote")])
def test_the_line_of_an_outcome_has_what_was_tested(tested, told):
    line = prose.outcome_line(Outcome("x", 5, 2, 60.0, seconds=1.5, **tested))
    assert line == f"5 epochs in 1.5 s, best 3; test accuracy {told}"
