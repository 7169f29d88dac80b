import numpy as np
import pytest
from scipy.stats import ttest_rel

from mirdl.results import tables


def run(votes, songs="abcd", type="pNetOne"):
    """The outcome of two folds of two songs, classes x and y; `votes`: the accuracies by majority vote."""
    every = [{"name": f"n-f{fold}", "fold": fold, "songs": list(songs[2 * fold:2 * fold + 2]), "true": [0, 1], "votes": [[3, 1], [2, 2]], "voted": [0, 0],
              "epochs": 10 + fold, "bestEpoch": 4, "validation": 50.0, "seconds": 1.5, "utterances": 62.5, "majorityVote": vote}
             for fold, vote in enumerate(votes)]
    return {"parameters": {"DL": {"type": type}, "chunkHop": 250}, "classes": ["x", "y"], "numParams": 7428, "folds": every}


def test_misclassified_songs_with_their_votes():
    content = run([50, 50])
    content["folds"][0]["votes"][1] = [4, 0]
    assert tables.misclassified(content) == [
        {"song": "b", "true": "y", "voted": "x", "votes": "x 4", "fold": "1"},
        {"song": "d", "true": "y", "voted": "x", "votes": "x 2, y 2", "fold": "2"}]
    content["folds"][1]["fold"] = 2       # as fold 2 had no finite loss
    assert tables.misclassified(content)[1]["fold"] == "3" == tables.folds(content)[1]["fold"]
    content["folds"][0].update(votes=[[3, 1], [0, 0]], voted=[0, 999])
    assert tables.misclassified(content)[-1] == {"song": "b", "true": "y", "voted": "(no chunks)", "votes": "", "fold": "1"}


def test_runs_are_compared_by_a_paired_test():
    one, other = run([50, 75]), run([60, 95])
    rows = tables.comparison({"CrossValidation_A": one, "B": other})
    assert rows[0]["run"] == "A" and rows[0]["parameters"] == "7,428" and rows[0]["majority vote (%)"] == "62.50 ± 12.50"
    assert rows[0]["p against the first"] == "" and rows[0]["epochs"] == "10" and rows[0]["seconds"] == "3"
    assert float(rows[1]["p against the first"]) == pytest.approx(ttest_rel([50, 75], [60, 95]).pvalue, abs=5e-4)
    assert tables.paired_test(one, one) == "="
    assert tables.paired_test(one, run([60, 85])) == "-", "the same difference in each fold: no spread"
    assert tables.paired_test(one, run([50, 75], songs="badc")) == "other test songs"


def test_text_is_aligned():
    assert tables.text([{"a": "x", "long": "1"}, {"a": "yyy", "long": "2"}]) == "a    long\nx    1\nyyy  2"
    assert tables.text([]) == "(none)"
    assert tables.mean_and_std([{"u": np.nan}], "u") == "-"
