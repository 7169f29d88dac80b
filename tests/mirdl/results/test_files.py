import json
import os

import numpy as np
import pytest

from mirdl.errors import UserError
from mirdl.results import files
from mirdl.results.curves import EpochFigures
from mirdl.results.outcome import CrossValidation, Outcome
from mirdl.system import pickles

ROWS = [EpochFigures(0, 2.5, 12.5, 2.0, 25.0), EpochFigures(1, float("nan"), 50.0, 1.0, 75.0)]


def test_training_curves_read_back(workplace):
    files.write_training(ROWS[:1], "n")
    files.append_training(ROWS[1], "n")
    found = files.read_training("n")
    assert files.count_epochs("n") == 2 and files.count_epochs("other") == 0
    np.testing.assert_array_equal(np.transpose(found), ROWS)
    assert found.validation_accuracy.tolist() == [25, 75]
    with open("data/results/n.training") as file:
        assert file.readline() == ("epoch,trainingLoss,trainingAccuracy,validationLoss,"
                                   "validationAccuracy\n")


def test_a_line_that_is_being_written_does_not_count(workplace):
    files.write_training(ROWS, "n")
    with open("data/results/n.training", "a") as file:
        file.write("2,0.")
    assert files.read_training("n").epoch.tolist() == [0, 1] and files.count_epochs("n") == 2


def test_a_json_file_is_json(workplace):
    """A model that was only tested has no validation accuracy."""
    tested = Outcome("m", 0, 0, float("nan"), songs=["a$/b.wav"], true=[0], votes=[[0, 1]],
                     voted=[1], majority_vote=0.0)
    result = CrossValidation({"folds": 1}, ["a$", "accuracy"], 7, [tested])
    files.write_cross_validation(result, "Test_m")

    def refuse(name):
        raise AssertionError(name)
    with open("data/results/Test_m.json") as file:
        content = json.load(file, parse_constant=refuse)
    assert content["folds"][0]["utterances"] is None
    [found] = files.read_outcomes("Test_m").outcomes
    assert np.isnan([found.validation, found.utterances, found.loss]).all()
    [matrix] = pickles.load("data/results/Test_m.confusionMatrix")
    assert matrix.tolist() == [[0, 1], [0, 0]]


def test_a_file_that_holds_NaN_is_still_read(workplace):
    files.write_cross_validation(CrossValidation({"folds": 1}, ["a"], 7, [
        Outcome("m", 0, 0, float("nan"))]), "Test_m")
    path = "data/results/Test_m.json"
    with open(path) as file:
        text = file.read().replace("null", "NaN")
    with open(path, "w") as file:
        file.write(text)
    assert np.isnan(files.read_outcomes("Test_m").outcomes[0].validation)


def test_a_run_is_read_by_its_name_or_a_folds(finished_run):
    name = finished_run()
    whole = files.read_outcomes(name)
    assert len(whole.outcomes) == 2
    # their text, as some figures are NaN, which equals nothing
    assert repr(files.read_outcomes(files.cross_validation(name))) == repr(whole)
    assert repr(files.read_outcomes(name + "-f1").outcomes) == repr(whole.outcomes[1:])
    assert files.runs(name) == [name + "-f0", name + "-f1"]
    assert files.runs(name + "-f1") == [name + "-f1"]
    with pytest.raises(UserError, match="is not one of the folds that count"):
        files.read_outcomes(name + "-f2")


@pytest.mark.parametrize("content", [
    "{", "[]", "{}", '{"folds": 1}', '{"folds": [1]}',
    '{"folds": [], "parameters": {}, "classes": [], "numParams": 1, "baselines": 5}',
    '{"folds": [], "parameters": {}, "classes": [], "numParams": 1, "baselines": [{"name": "x"}]}'])
def test_a_damaged_file_is_told(workplace, content):
    with open("data/results/n.json", "w") as file:
        file.write(content)
    with pytest.raises(UserError, match=r"'data/results/n.json' is damaged: "):
        files.read_outcomes("n")


@pytest.mark.parametrize("title, end", [
    ("Yelle - Ba$$in", "Yelle - Ba$$in.png"),
    ("祭り", "祭り.png"),
    ("a/b\0c\nd", "a_b_c_d.png"),
    ("not Unicode \udcff", "not Unicode _.png"),
    ("<b> & 50%", "<b> & 50%.png"),
])
def test_a_path_keeps_the_letters_of_a_name(workplace, title, end):
    path = files.distinct_name("data/results/run.activations.", title, ".png")
    assert path == f"data/results/run.activations.{end}"
    open(path, "w").close()


def test_a_long_name_is_cut_to_what_a_file_system_takes(workplace):
    paths = []
    for _ in range(11):
        paths.append(files.distinct_name("data/results/run.", "祭" * 200, ".png", paths))
        with files.whole(paths[-1]) as file:        # under a temporary name first
            file.write("")
    assert len(set(paths)) == 11 == len(os.listdir("data/results"))
    lengths = [len(os.path.basename(path).encode()) for path in paths]
    assert max(lengths) <= 255 and min(lengths) >= 252
    assert paths[1].endswith("祭-2.png")


@pytest.mark.parametrize("one, other", [("01", "01"), ("a", "A"), ("\u00e9", "e\u0301")])
def test_names_that_a_file_system_takes_for_one_get_a_number(one, other):
    first = files.distinct_name("run.", one, ".png")
    assert files.distinct_name("run.", other, ".png", [first]).endswith("-2.png")
    assert files.distinct_name("run.", "02", ".png", [first]).endswith(".02.png")


def test_names_that_are_no_unicode_are_written(workplace):
    files.write_text("song \udcff\n", "n", ".result")
    with open("data/results/n.result") as file:
        assert file.read() == "song \\udcff\n"
