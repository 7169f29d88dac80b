import json

import numpy as np
import pytest
from sklearn.metrics import f1_score

from mirdl.errors import UserError
from mirdl.results import beside
from mirdl.results.models import Model
from mirdl.results.outcome import CrossValidation, Outcome
from mirdl.results.tables import misclassified
from mirdl.results.thresholds import fitted, of_folds

PROBABILITIES = np.array([[0.9, 0.2, 0.3], [0.4, 0.3, 0.1], [0.7, 0.1, 0.2], [0.2, 0.1, 0.9]])
HAS = np.array([[1, 1, 0], [0, 1, 0], [1, 0, 0], [1, 0, 0]], bool)


def test_a_threshold_is_that_of_the_largest_F1_between_two_songs():
    found = fitted(PROBABILITIES, HAS)
    # all three of the first tag for one wrong, against two of three; the last one has no song
    np.testing.assert_allclose(found, [0.1, 0.15, 0.5])
    rng = np.random.RandomState(2)
    chances, has = rng.rand(30, 1).round(2), rng.rand(30, 1) < 0.4
    best = max(f1_score(has, chances >= value) for value in np.linspace(0, 1, 201))
    [threshold] = fitted(chances, has)
    assert f1_score(has, chances >= threshold) == best
    assert np.abs(chances - threshold).min() > 0.001


def test_each_fold_has_thresholds_of_the_others():
    found = of_folds(PROBABILITIES, HAS, np.array([0, 0, 1, 2]), [[], [], []])
    np.testing.assert_array_equal(found[2], fitted(PROBABILITIES[[0, 1, 3]], HAS[[0, 1, 3]]))
    np.testing.assert_array_equal(found[0], found[1])
    alone = PROBABILITIES[:2], HAS[:2], np.array([0, 0])
    assert of_folds(*alone, [[0.1, 0.2, 0.3]]).tolist() == [[0.1, 0.2, 0.3]] * 2
    assert of_folds(*alone, [[]]).tolist() == [[0.5, 0.5, 0.5]] * 2


@pytest.fixture
def result():
    """Two folds of two songs each."""
    outcomes = []
    for fold in range(2):
        outcomes.append(Outcome(f"r-f{fold}", 1, 0, 50.0, songs=[f"{fold}a", f"{fold}b"],
                                fold=fold))
        outcomes[-1].add_tagged(HAS[2 * fold:][:2], PROBABILITIES[2 * fold:][:2])
    return CrossValidation({"DL": {"type": "n"}}, ["x", "y", "z"], 9, outcomes)


def test_results_of_several_tags_are_kept_and_read(result):
    assert result.several and result.outcomes[0].tags == [[0, 1], [1]]
    np.testing.assert_array_equal(result.has, HAS)
    np.testing.assert_array_equal(result.probabilities, PROBABILITIES)
    again = CrossValidation.from_json(json.loads(json.dumps(result.to_json())))
    assert [each.tags for each in again.outcomes] == [each.tags for each in result.outcomes]
    np.testing.assert_array_equal(again.thresholds, result.thresholds)
    figures = result.per_class
    assert figures["x"]["support"] == 3 and figures["z"]["roc-auc"] is None
    assert figures["x"]["average-precision"] == pytest.approx((1 + 1 + 3 / 4) / 3)
    assert result.to_json()["means"]["roc-auc"] == pytest.approx(
        np.mean([figures[tag]["roc-auc"] for tag in "xy"]))
    assert "intervals" not in result.to_json()


def test_the_worst_mistakes_come_first(result):
    result.outcomes[0].thresholds = result.outcomes[1].thresholds = []
    rows = misclassified(result)
    given = result.probabilities >= result.thresholds
    wrong = {song for song, mistakes in zip(["0a", "0b", "1a", "1b"], given != HAS, strict=True)
             if mistakes.any()}
    assert {row["song"] for row in rows} == wrong
    one = CrossValidation(result.parameters, result.classes, 9, result.outcomes[1:])
    assert [list(row.values()) for row in misclassified(one)] == [
        ["1b", "x 0.20", "z 0.90", "", "-f1"]]


def test_thresholds_lie_beside_the_models(workplace, result):
    beside.write(result.outcomes, result.classes, "r")
    info = type("info", (), {"classes": result.classes})
    model = Model("r-f1", "data/results/r-f1.npz", [], info)
    np.testing.assert_allclose(beside.read_thresholds(model), fitted(PROBABILITIES, HAS))
    elsewhere = Model("s-f1", "data/results/s-f1.npz", [], info)
    assert beside.read_thresholds(elsewhere).tolist() == [0.5] * 3
    for content in ("", "[]", '{"thresholds": {"x": 0.1}}',
                    '{"thresholds": {"x": 2, "y": 0, "z": 0}}'):
        (workplace / "data/results/r.thresholds.json").write_text(content)
        with pytest.raises(UserError, match="r.thresholds.json' is damaged: expected a threshold"):
            beside.read_thresholds(model)
    one = Outcome("o-f0", 1, 0, 50.0)
    beside.write([one], ["x"], "o")
    assert not (workplace / "data/results/o.thresholds.json").exists()
