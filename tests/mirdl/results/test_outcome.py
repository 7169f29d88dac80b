import json
import math

import numpy as np
import pytest

from mirdl.results.baseline import Baseline
from mirdl.results.outcome import CrossValidation, EpochFigures, ModelInfo, Outcome


@pytest.fixture
def result():
    """Two folds, of which the first gave song b of class 'macro avg' to class 'accuracy'."""
    outcomes = [Outcome("n-f0", 3, 1, 60.0, 0.5, 62.5, 50.0, ["a", "b"], [0, 1], [[3, 1], [2, 2]],
                        [0, 0], 1.5, 0),
                Outcome("n-f1", 3, 2, 70.0, 0.5, 62.5, 100.0, ["c", "d"], [0, 1], [[4, 0], [0, 4]],
                        [0, 1], 1.5, 1)]
    return CrossValidation({"folds": 2}, ["accuracy", "macro avg"], 7, outcomes)


def test_keys_are_those_of_the_original():
    content = Outcome("n-f0", 3, 1, 60.0).to_json()
    assert list(content) == ["name", "epochs", "bestEpoch", "validation", "loss", "utterances",
                             "majorityVote", "songs", "true", "votes", "voted", "seconds", "fold"]
    assert Outcome.from_json({**content, "unknownHere": 1}).best_epoch == 1


@pytest.mark.parametrize("figure", [math.nan, math.inf, -math.inf, np.float64("nan")])
def test_what_is_not_finite_is_null_and_read_as_nan(figure):
    text = json.dumps(Outcome("n", 0, 0, figure, loss=figure).to_json(), allow_nan=False)
    found = Outcome.from_json(json.loads(text))
    assert '"validation": null' in text and math.isnan(found.validation) and math.isnan(found.loss)
    assert found.seconds == 0 and found.songs == []


def test_files_that_hold_NaN_are_still_read():
    text = '{"name": "n", "epochs": 0, "bestEpoch": 0, "validation": NaN, "utterances": 50.0}'
    found = Outcome.from_json(json.loads(text))
    assert math.isnan(found.validation) and found.utterances == 50


def test_any_name_is_a_tag(result):
    assert result.per_class["accuracy"] == {
        "precision": pytest.approx(2 / 3), "recall": 1, "f1-score": pytest.approx(0.8),
        "support": 2}
    assert result.per_class["macro avg"]["recall"] == 0.5
    text = result.text()
    assert "accuracy       0.67      1.00      0.80         2" in text
    assert "macro avg       1.00      0.50      0.67         2" in text


def test_a_cross_validation_reads_back(result):
    content = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert repr(CrossValidation.from_json(content)) == repr(result)     # NaN equals nothing
    assert content["perClass"] == result.per_class
    assert result.true == [0, 1, 0, 1] and result.voted == [0, 0, 0, 1]
    assert result.confusion.tolist() == [[2, 0], [1, 1]]
    assert "mean:\t\t75.00 %\n  std:\t\t25.00 %" in result.text()


FOREST = Baseline("random forest", [[0, 1], [0, 1]], [100.0, 100.0])
LARGEST = Baseline("largest class", [[0, 0], [0, 0]], [50.0, 50.0])


def test_a_network_that_a_baseline_beats_is_told_so(result):
    before = result.text()
    result.baselines = [LARGEST, FOREST]
    assert result.best_baseline is FOREST and result.text().startswith(before)
    assert result.text().removeprefix(before).split("\n") == [
        "Baselines, from the mean and standard deviation of each band over a song:",
        "  largest class:        50.00 % of songs, std 0.00 %",
        "  random forest:       100.00 % of songs, std 0.00 %",
        "Paired test against random forest, song by song: p = 1",
        "  0 songs that only the network has right, 1 that only random forest has",
        "By majority vote the network does worse than random forest (100.0 % of songs): try "
        "recipe=today, another network (DL.type), more epochs (DL.num_epochs) or more songs", ""]
    result.baselines = [LARGEST]
    assert "Paired test against largest class" in result.text()
    assert "does worse" not in result.text()
    for outcome in result.outcomes:
        outcome.true, outcome.voted, outcome.votes = [], [], []
    assert result.text().endswith("  largest class:        50.00 % of songs, std 0.00 %\n")


def test_the_network_stands_beside_its_best_baseline(result):
    result.parameters["DL"] = {"type": "vgg"}
    assert result.song_accuracies == {"vgg by majority vote": 75}
    result.baselines = [FOREST, LARGEST]
    assert result.song_accuracies == {"vgg by majority vote": 75, "random forest": 100}
    for outcome in result.outcomes:
        outcome.true, outcome.majority_vote = [], math.nan
    assert result.song_accuracies == {"random forest": 100}


def test_baselines_read_back_and_follow_the_folds(result):
    assert "baselines" not in result.to_json(), "it is written as it was"
    result.baselines = [LARGEST, FOREST]
    content = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert repr(CrossValidation.from_json(content)) == repr(result)     # NaN equals nothing
    [outcome], [largest, _] = (one := result.only("n-f1")).outcomes, one.baselines
    assert outcome.name == "n-f1" and largest == Baseline("largest class", [[0, 0]], [50.0])
    assert result.only("n-f7").outcomes == [] and len(result.outcomes) == 2
    content["baselines"][0]["voted"][1] = [0]
    with pytest.raises(ValueError, match="answered other songs"):
        CrossValidation.from_json(content)


def test_songs_are_classified_by_vote_and_by_mean_probability():
    outcome = Outcome("n", 1, 0, 50.0)
    outcome.add_songs([1, 0, 1], [np.float32([[0.6, 0.4], [0.6, 0.4], [0, 1]]),
                                  np.float32([[0.9, 0.1]]), np.empty((0, 2))], 999)
    assert outcome.votes == [[2, 1], [1, 0], [0, 0]]
    assert (outcome.voted, outcome.likeliest) == ([0, 0, 999], [1, 0, 999])
    assert outcome.majority_vote == pytest.approx(100 / 3)
    assert outcome.mean_probability == pytest.approx(200 / 3)
    content = outcome.to_json()
    assert (content["meanProbability"], content["likeliest"]) == (outcome.mean_probability,
                                                                  [1, 0, 999])
    assert repr(Outcome.from_json(content)) == repr(outcome)
    assert outcome.text().endswith(
        "[MEANPROBABILITY] Final results:\n  test accuracy:\t\t66.67 %\n")


def test_without_votes_there_are_no_figures_of_classes(result):
    for outcome in result.outcomes:
        outcome.true, outcome.voted, outcome.votes = [], [], []
    assert result.per_class == {} and "perClass" not in result.to_json()
    assert "Songs by majority vote" not in result.text()


def test_folds_that_do_not_count_are_told(result):
    del result.outcomes[1]
    assert "1 of 2 folds had no finite loss and do not count\n" in result.text()


def test_figures_of_an_epoch_in_words():
    figures = EpochFigures(0, 1.25, 50.0, 2.0, 25.0)
    assert figures.line() == "loss 1.250, accuracy 50 %, validation 25 %"
    assert figures.text(3) == (
        "Epoch 1 of 3\n  training loss:\t\t1.250000\n  training accuracy:\t\t50.00 %\n"
        "  validation loss:\t\t2.000000\n  validation accuracy:\t\t25.00 %\n")
    unvalidated = figures._replace(validation_loss=np.nan, validation_accuracy=np.nan)
    assert unvalidated.line() == "loss 1.250, accuracy 50 %"
    assert unvalidated.text(3).endswith("training accuracy:\t\t50.00 %\n")


@pytest.mark.parametrize("tested, told", [
    ({"utterances": 75.0, "majority_vote": 50.0},
     "75.00 % of chunks, 50.00 % of songs by majority vote"),
    ({"utterances": 0.0}, "0.00 % of chunks"),
    ({"majority_vote": 50.0}, "50.00 % of songs by majority vote")])
def test_the_line_of_an_outcome_has_what_was_tested(tested, told):
    line = Outcome("x", 5, 2, 60.0, seconds=1.5, **tested).line()
    assert line == f"5 epochs in 1.5 s, best 3; test accuracy {told}"


INFO = ModelInfo({"DL": {}}, ["x", "y"], 11, 0, "abc", {"numpy": "2"}, [0.5, 2.0], ["a"], ["b"],
                 ["c"])


def test_what_a_model_says_of_itself_reads_back():
    assert ModelInfo.from_json(json.loads(json.dumps(INFO.to_json()))) == INFO


@pytest.mark.parametrize("change", [
    {"classes": "xy"}, {"classes": [1, 2]}, {"moments": [1.0]}, {"moments": [math.nan, 1.0]},
    {"parameters": []}, {"testSongs": None}])
def test_a_model_that_does_not_say_what_it_is_made_for(change):
    with pytest.raises((ValueError, TypeError)):
        ModelInfo.from_json({**INFO.to_json(), **change})
