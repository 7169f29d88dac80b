import json
import math

import numpy as np
import pytest

from mirdl.results import prose
from mirdl.results.baseline import Baseline
from mirdl.results.outcome import CrossValidation, Outcome


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
    text = prose.run_text(result)
    assert "accuracy       0.67      1.00      0.80         2" in text
    assert "macro avg       1.00      0.50      0.67         2" in text


def test_a_cross_validation_reads_back(result):
    content = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert repr(CrossValidation.from_json(content)) == repr(result)     # NaN equals nothing
    assert content["perClass"] == result.per_class
    assert result.true == [0, 1, 0, 1] and result.voted == [0, 0, 0, 1]
    assert result.confusion.tolist() == [[2, 0], [1, 1]]
    assert "mean:\t\t75.00 %\n  std:\t\t25.00 %" in prose.run_text(result)


FOREST = Baseline("random forest", [[0, 1], [0, 1]], [100.0, 100.0])
LARGEST = Baseline("largest class", [[0, 0], [0, 0]], [50.0, 50.0])


def test_the_network_stands_beside_its_best_baseline(result):
    result.parameters["DL"] = {"type": "vgg"}
    assert result.song_accuracies == {"vgg by majority vote": 75}
    result.baselines = [FOREST, LARGEST]
    assert result.song_accuracies == {"vgg by majority vote": 75, "random forest": 100}
    for outcome in result.outcomes:
        outcome.true, outcome.majority_vote = [], math.nan
    assert result.song_accuracies == {"random forest": 100}


def test_accuracies_have_intervals_by_songs_or_by_groups(result):
    result.outcomes[0].likeliest, result.outcomes[1].likeliest = [1, 1], [0, 1]
    assert {name: (each.accuracy, each.by) for name, each in result.intervals.items()} == {
        "majority_vote": (75, "songs"), "mean_probability": (75, "songs")}
    assert "majority vote: 75.0 % of songs, 30.1 to 95.4 by songs" in prose.how_sure(result)
    assert prose.how_sure(result) not in prose.run_text(result), "which is as published"
    result.groups = {"a": "x", "b": "y", "c": "x", "d": "x"}
    assert "by groups" in prose.how_sure(result)
    content = json.loads(json.dumps(result.to_json(), allow_nan=False))
    assert content["intervals"]["majorityVote"] == result.intervals["majority_vote"]._asdict()
    assert CrossValidation.from_json(content).groups == result.groups
    for outcome in result.outcomes:
        outcome.true, outcome.voted, outcome.likeliest = [], [], []
    assert prose.how_sure(result) == "" and "intervals" not in result.to_json()


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
    assert prose.outcome_text(outcome).endswith(
        "[MEANPROBABILITY] Final results:\n  test accuracy:\t\t66.67 %\n")


def test_without_votes_there_are_no_figures_of_classes(result):
    for outcome in result.outcomes:
        outcome.true, outcome.voted, outcome.votes = [], [], []
    assert result.per_class == {} and "perClass" not in result.to_json()
    assert "Songs by majority vote" not in prose.run_text(result)
