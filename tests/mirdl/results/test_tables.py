from dataclasses import replace

import pytest

from mirdl.results import tables
from mirdl.results.baseline import Baseline
from mirdl.results.outcome import CrossValidation, Outcome

NAN = float("nan")


def run(accuracies, songs="abcd", **changes):
    """Two folds of two songs, classes x and y; `accuracies`: by majority vote."""
    outcomes = [Outcome(f"n-f{fold}", 10 + fold, 4, 50.0, 0.5, 62.5, accuracy,
                        list(songs[2 * fold:2 * fold + 2]), [0, 1], [[3, 1], [2, 2]], [0, 0], 1.5,
                        fold)
                for fold, accuracy in enumerate(accuracies)]
    parameters = {"DL": {"type": "pNetOne"}, "chunkHop": 250, **changes}
    return CrossValidation(parameters, ["x", "y"], 7428, outcomes)


def test_misclassified_songs_with_their_votes():
    result = run([50, 50])
    first, second = result.outcomes
    first.votes[1] = [4, 0]
    second.name = "n-f0-f1t2"
    assert tables.misclassified(result) == [
        {"song": "b", "true": "y", "voted": "x", "votes": "x 4", "model": "-f0"},
        {"song": "d", "true": "y", "voted": "x", "votes": "x 2, y 2", "model": "-f1t2"}]
    second.fold = 2       # as fold 2 had no finite loss
    assert tables.folds(result)[1]["fold"] == "3"
    first.votes, first.voted, first.name = [[3, 1], [0, 0]], [0, 999], "published"
    assert tables.misclassified(result)[-1] == {
        "song": "b", "true": "y", "voted": "(no chunks)", "votes": "", "model": "published"}


def test_of_equal_votes_the_likelier_class_comes_first():
    outcome = Outcome("n-f0", 1, 0, 50.0, songs=["a", "b", "c", "d"], true=[1] * 4,
                      voted=[0, 0, 0, 999], votes=[[2, 0], [5, 0], [3, 1], [0, 0]],
                      probabilities=[[0.6, 0.4], [0.8, 0.2], [0.9, 0.1], [0.5, 0.5]])
    wrong = tables.misclassified(CrossValidation({}, ["x", "y"], 1, [outcome]))
    assert [row["song"] for row in wrong] == ["b", "a", "c", "d"]


def test_classes_may_have_any_name():
    result = run([50, 50])
    result.classes = ["accuracy", "macro avg"]
    assert tables.per_class(result) == [
        {"class": "macro avg", "precision": "0.00", "recall": "0.00", "F1": "0.00", "songs": "2"},
        {"class": "accuracy", "precision": "0.50", "recall": "1.00", "F1": "0.67", "songs": "2"}]


@pytest.mark.parametrize("classes, votes", [
    (5, "A 3, B 2, C 1, D 1, E 1"), (6, "A 3, B 2, C 1, D 1, E 1, 1 other class"),
    (9, "A 3, B 2, C 1, D 1, E 1, 4 other classes")])
def test_of_many_votes_the_most_are_listed(classes, votes):
    outcome = Outcome("n-f0", 1, 0, 50.0, songs=["a"], true=[4], voted=[0],
                      votes=[[3, 2] + [1] * (classes - 2) + [0] * 3])
    result = CrossValidation({}, list("ABCDEFGHIJKL"), 1, [outcome])
    assert tables.misclassified(result)[0]["votes"] == votes


def test_a_figure_that_is_not_known_is_no_number():
    result = run([NAN, NAN])
    result.outcomes[0] = Outcome("a model", 0, 0, NAN, songs=["a"])
    assert tables.folds(result)[0] == {
        "fold": "1", "model": "a model", "epochs": "-", "best epoch": "-", "validation (%)": "-",
        "chunks (%)": "-", "majority vote (%)": "-", "mean probability (%)": "-",
        "seconds": "0"}
    for column in ("majority vote (%)", "mean probability (%)", "best baseline (%)"):
        assert tables.comparison({"A": result})[0][column] == "-"
    assert tables.mean_and_std([NAN]) == "-"


def test_runs_are_compared():
    one, other = run([50, 75]), run([60, 95])
    first, second = tables.comparison({"A": one, "B": other})
    assert (first["run"], first["parameters"]) == ("A", "7,428")
    assert first["majority vote (%)"] == "62.50 ± 12.50"
    assert (first["p against the first"], first["epochs"], first["seconds"]) == ("", "10", "3")
    assert second["p against the first"] == "1", "each has songs a and c right"


@pytest.mark.parametrize("changes, columns", [
    ({}, {}),
    ({"checkpointEvery": 7, "DS": {"store": "disk"}}, {}),      # how the work is done
    ({"DS": {"augment": "crop"}}, {"DS.augment": ["", "crop"]}),
    ({"DS": {"labels": "other.csv"}, "folds": 4},
     {"folds": ["10", "4"], "DS.labels": ["", "other.csv"]}),
    ({"DL": {"type": "vgg", "lr": 0.1 + 0.2}, "DS": {"yInput": 1025}, "valSplit": 0.3},
     {"DL.type": ["pNetOne", "vgg"], "DL.lr": ["0.01", "0.3"]})])
def test_every_setting_that_differs_is_compared(changes, columns):
    """One is of an earlier version, and does not name most settings: they have their defaults."""
    rows = tables.comparison({"A": run([50, 50]), "B": run([50, 50], **changes)})
    between = list(rows[0])[1:list(rows[0]).index("parameters")]
    assert {key: [row[key] for row in rows] for key in between} == columns


def test_the_last_training_songs_are_told_by_what_they_gain():
    runs = {f"n{share}": run([50, 75], trainShare=share) for share in (1.0, 0.5, 0.25)}
    runs["n1.0"].outcomes[0].voted = runs["n1.0"].outcomes[0].true
    told = tables.more_songs(runs)
    assert told.startswith("From 50 to 100 % of the training songs, the majority vote changes from "
                           "50.0 to 75.0 % of songs (p = 1).")
    assert told.endswith("python utils.py learning n1.0 n0.5 n0.25")
    assert tables.more_songs({**runs, "other": run([50, 75], folds=3)}) is None
    assert tables.more_songs({"n": runs["n1.0"]}) is None
    for result in runs.values():
        for outcome in result.outcomes:
            outcome.true, outcome.voted = [], []
    assert tables.more_songs(runs) is None, "only chunks were tested"


def answers(voted, **changes):
    """One fold of 12 songs of class x; `voted`: the label of each."""
    outcome = Outcome("n-f0", 1, 0, 50.0, songs=list("abcdefghijkl"), true=[0] * 12,
                      voted=list(voted))
    return CrossValidation({}, ["x", "y"], 1, [replace(outcome, **changes)])


def test_runs_are_tested_song_by_song():
    """Of the songs that only one run has right, eight are one's and one is the other's."""
    one, other = answers([0] * 9 + [1] * 3), answers([0, 1] + [1] * 7 + [0, 1, 999])
    p = 2 * (1 + 9) / 2**9
    assert float(tables.paired_test(one, other)) == pytest.approx(p, rel=0.05)
    assert tables.paired_test(one, one) == "1"
    backwards = answers([999, 1, 0] + [1] * 7 + [1, 0], songs=list("lkjihgfedcba"))
    assert tables.paired_test(one, backwards) == tables.paired_test(one, other), "by their names"
    assert tables.paired_test(one, answers([0] * 12, songs=list("abcdefghijkm"))) == (
        "other songs or tags")
    assert tables.paired_test(one, answers([0] * 12, true=[1] + [0] * 11)) == "other songs or tags"
    assert tables.paired_test(one, answers([], true=[])) == "-", "only chunks were tested"


def test_a_run_beside_its_baselines():
    result = run([50, 50])
    result.outcomes[0].mean_probability, result.outcomes[1].mean_probability = 50, 100
    result.baselines = [Baseline("largest class", [[0, 0], [0, 0]], [50, 50]),
                        Baseline("random forest", [[0, 1], [1, 1]], [100, 50])]
    row = tables.comparison({"A": result})[0]
    assert row["best baseline (%)"] == "random forest 75.00 ± 25.00"
    assert row["mean probability (%)"] == "75.00 ± 25.00"
    assert tables.folds(result)[1]["mean probability (%)"] == "100.00"
    rows = [list(row.values()) for row in tables.baselines(result)]
    assert rows == [["pNetOne, majority vote", "50.00 ± 0.00", "", "", ""],
                    ["pNetOne, mean probability", "75.00 ± 25.00", "", "", ""],
                    ["largest class", "50.00 ± 0.00", "0", "0", "1"],
                    ["random forest", "75.00 ± 25.00", "2", "1", "1"]]
    for outcome in result.outcomes:
        outcome.true, outcome.voted = [], []
    assert list(tables.baselines(result)[-1].values())[2:] == ["-", "-", "-"]


def test_text_is_aligned():
    rows = [{"a": "x", "long": "1"}, {"a": "yyy", "long": "2"}]
    assert tables.text(rows) == "a    long\nx       1\nyyy     2"
    assert tables.text([]) == "(none)"


def test_text_is_aligned_by_what_a_terminal_shows():
    rows = [{"a": name, "b": "1"} for name in ("祭り", "e\u0301", "x\ny\udcff", "a\u3000b")]
    assert tables.text(rows).split("\n")[1:] == [
        "祭り        1", "e\u0301           1", "x\\ny\\udcff  1", "a\u3000b        1"]


def test_numbers_stand_to_the_right():
    rows = [{"name": "x", "votes": "1", "%": "9.50 ± 0.10", "p": "", "note": "-"},
            {"name": "yy", "votes": "1,234", "%": "-", "p": "7.4e-33", "note": "x 3"}]
    assert tables.text(rows).split("\n") == ["name  votes            %        p  note",
                                             "x         1  9.50 ± 0.10           -",
                                             "yy    1,234            -  7.4e-33  x 3"]


@pytest.mark.parametrize("value, text", [
    (1 - 0.8 - 0.1, "0.1"), (0.1 + 0.2, "0.3"), (1.0, "1"), (1e-7, "1e-07"), (250, "250"),
    (0.0123456789, "0.0123456789"), (True, "True"), ("0.30000000000000004", "0.30000000000000004")])
def test_values_of_settings_are_written_as_people_do(value, text):
    assert tables.written(value) == text
