import json

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score

from mirdl.results import ranking, tables
from mirdl.results.outcome import CrossValidation, Outcome
from mirdl.results.report import html


def chunks_of(rng, label, classes):
    """Give the probabilities of some chunks of a song of a class."""
    return rng.dirichlet(np.ones(classes) + 1.5 * np.eye(classes)[label], rng.randint(1, 5))


@pytest.fixture
def result():
    """Two folds of 20 and 15 songs, in which class c has no song."""
    rng, outcomes = np.random.RandomState(2), []
    for fold, count in enumerate((20, 15)):
        true = rng.choice([0, 1, 3], count).tolist()
        outcome = Outcome(f"n-f{fold}", 3, 1, 60.0, songs=[f"{fold}/{n}" for n in range(count)],
                          fold=fold)
        outcome.add_songs(true, [chunks_of(rng, label, 4) for label in true], 999)
        outcomes.append(outcome)
    parameters = {"folds": 2, "DL": {"type": "vgg"}, "DS": {}}
    return CrossValidation(parameters, ["a", "b", "c", "d"], 7, outcomes)


def test_figures_are_those_of_scikit_learn_from_what_the_json_file_has(result):
    content = json.loads(json.dumps(result.to_json(), allow_nan=False))
    true = np.concatenate([fold["true"] for fold in content["folds"]])
    kept = np.concatenate([fold["probabilities"] for fold in content["folds"]])
    assert kept.shape == (35, 4) and (kept == kept.round(4)).all()
    found, expected = [], []
    for label in (0, 1, 3):
        figures = content["perClass"]["abcd"[label]]
        found.append([figures["roc-auc"], figures["average-precision"]])
        expected.append([roc_auc_score(true == label, kept[:, label]),
                         average_precision_score(true == label, kept[:, label])])
    assert found == expected
    assert list(content["means"].values()) == pytest.approx(np.mean(expected, axis=0), abs=1e-12)
    assert list(content["means"]) == ["roc-auc", "average-precision"]


def test_a_class_without_songs_has_no_figures_and_that_is_said(result):
    assert result.per_class["c"]["roc-auc"] is result.per_class["c"]["average-precision"] is None
    [row] = [row for row in tables.per_class(result) if row["class"] == "c"]
    assert (row["ROC AUC"], row["average precision"]) == ("-", "-")
    [row] = tables.comparison({"A": result})
    mean = ranking.means(result.per_class)["roc-auc"]
    assert row["ROC AUC"] == f"{mean:.3f} (3 of 4 classes)"
    page = html("n", result, [])
    assert "where no test song is of the class or all are: &#x27;c&#x27;" in page
    result.outcomes = result.outcomes[:1]
    result.outcomes[0].true = [1] * 20      # all songs are of one class
    assert ranking.means(result.per_class) == {} and "means" not in result.to_json()
    assert tables.comparison({"A": result})[0]["ROC AUC"] == "-"


def test_probabilities_are_means_over_chunks_to_4_digits_whatever_their_order():
    chunks = np.float32([[0.9, 0.1], [0.2, 0.8], [0.12345, 0.87655]])
    assert ranking.mean_probabilities(chunks) == [0.4078, 0.5922]
    assert ranking.mean_probabilities(chunks[:0]) == [0, 0], "a song without chunks comes last"
    many = np.random.RandomState(0).dirichlet(np.ones(3), 1000).astype(np.float32)
    assert ranking.mean_probabilities(many) == ranking.mean_probabilities(many[::-1])


def test_results_of_earlier_versions_are_read_without_them(result):
    content = result.to_json()
    for fold in content["folds"]:
        del fold["probabilities"]
    old = CrossValidation.from_json(json.loads(json.dumps(content)))
    assert old.probabilities is None and set(old.per_class["a"]) == {
        "precision", "recall", "f1-score", "support"}
    assert "means" not in old.to_json() and "probabilities" not in old.to_json()["folds"][0]
    assert "ROC AUC" not in tables.per_class(old)[0]
    assert tables.comparison({"A": old})[0]["ROC AUC"] == "-"
    assert "ROC AUC" in html("n", result, []) and "by mean probability" not in html("n", old, [])
    content["folds"][0]["probabilities"] = [[0.5, 0.5]] * 20
    with pytest.raises(ValueError, match="probabilities are of other songs or classes"):
        CrossValidation.from_json(content)
