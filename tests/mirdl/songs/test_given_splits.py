import pytest

from mirdl.errors import UserError
from mirdl.songs.dataset import Songs
from mirdl.songs.given_splits import GivenSplit, given_split, settled

NAMES = ["a/1.wav", "a/2.wav", "b/1.wav", "b/2.wav"]
OFFERED = {"own": dict(zip(NAMES, "1221", strict=True)),
           "fixed": dict(zip(NAMES, ["train", "validation", "test"], strict=False))}


def songs(split=""):
    return Songs({name: ("/" + name, name[0]) for name in NAMES}, splits=OFFERED, split=split)


def asked(split, **others):
    return {"DS": {"dataset": "Set", "split": split}, "mode": "train", "validation": "published",
            **others}


def given(split, own="", **others):
    return given_split(songs(own), asked(split, **others))


def write(path, column, values):
    path.write_text(f"song,{column}\n" + "".join(
        f"{name},{value}\n" for name, value in zip(NAMES, values, strict=False)))
    return str(path)


def test_a_table_of_folds_numbers_them_in_order(tmp_path):
    split = given(write(tmp_path / "f.csv", "fold", ["10", "2", "2", "unused"]))
    assert split.places == {"a/1.wav": 1, "a/2.wav": 0, "b/1.wav": 0} and split.folds == 2
    names = given(write(tmp_path / "f.CSV", "fold", ["x", "b", "x", "a"]))
    assert list(names.places.values()) == [2, 1, 2, 0] and names.folds == 3


def test_a_table_of_parts_is_one_fixed_split(tmp_path):
    path = write(tmp_path / "p.csv", "part", ["test", "train", "validation", "unused"])
    assert given(path) == GivenSplit(path, f"DS.split={path}", {
        "a/1.wav": "test", "a/2.wav": "train", "b/1.wav": "validation"}, 1)


@pytest.mark.parametrize("column, values, message", [
    ("fold", "112", "gives no fold to 'b/2.wav'; give every song one, or 'unused' to"),
    ("fold", "1111", "has 1 fold; expected two or more, or train, validation, test"),
    ("part", ["train", "train", "test", "valid"], "the song 'b/2.wav' the part 'valid'; expected "
                                                  "one of train, validation, test, unused"),
    ("part", ["train", "train", "test", "unused"],
     "has no song of the part 'validation'; give it some, or set validation=0"),
    ("part", ["train", "train", "validation", "unused"],
     "has no song of the part 'test'; give it some$"),
])
def test_tables_that_give_no_split_are_refused(tmp_path, column, values, message):
    with pytest.raises(UserError, match=f"^DS.split=.*t.csv .*{message}"):
        given(write(tmp_path / "t.csv", column, values))


def test_parts_need_no_validation_where_the_run_takes_none_of_them(tmp_path):
    path = write(tmp_path / "p.csv", "part", ["test", "train", "train", "train"])
    for others in ({"validation": "0"}, {"validation": "0.2"}, {"mode": "Set_oNetOne_1"}):
        assert {*given(path, **others).places.values()} == {"train", "test"}
    for needed, spared in (("train", "test"), ("test", "train")):
        path = write(tmp_path / "p.csv", "part", [spared, spared, "validation", "validation"])
        with pytest.raises(UserError, match=f"has no song of the part '{needed}'; give it some$"):
            given(path, validation="0")


def test_the_splits_that_a_loader_offers():
    assert given("") is None and given("none", own="own") is None and given("None") is None
    own = given("", own="own")
    assert own.name == "own" and own.source == "the split 'own' of data set 'Set'"
    assert own.places == dict(zip(NAMES, [0, 1, 1, 0], strict=True)) and own.folds == 2
    fixed = given("fixed", own="own")
    assert fixed.folds == 1 and "b/2.wav" not in fixed.places
    with pytest.raises(UserError, match="DS.split=x is neither a .csv file nor a split of data set "
                                        "'Set'; splits there: fixed, own"):
        given("x")


def test_folds_of_one_number_have_an_order_of_their_own(tmp_path):
    split = given(write(tmp_path / "f.csv", "fold", ["1", "01", "2", "1.0"]))
    assert split.places == {"a/1.wav": 1, "a/2.wav": 0, "b/1.wav": 3, "b/2.wav": 2}


def test_a_split_of_its_own_without_songs_is_told_with_the_way_out():
    empty = Songs({name: ("/" + name, name[0]) for name in NAMES}, splits={"own": {}}, split="own")
    with pytest.raises(UserError, match="has 0 folds; expected .*, or add DS.split=none"):
        given_split(empty, asked(""))


def test_folds_follow_from_the_split(parameters):
    unchanged = parameters("folds=7", "stratified=True")
    assert settled(unchanged, None) is unchanged
    own = given("", own="own")
    for folds in (2, 10):
        found = settled(parameters(f"folds={folds}"), own)
        assert found["folds"] == 2 and found["DS"]["split"] == "own"
    hint = ", or add DS.split=none to divide the songs otherwise"
    with pytest.raises(UserError) as error:
        settled(parameters("folds=3"), own)
    assert str(error.value) == ("folds=3 contradicts the split 'own' of data set 'Set', which has "
                                f"2 folds; set folds=2{hint}")
    with pytest.raises(UserError) as error:
        settled(parameters("folds=3", "DS.split=fixed"), given("fixed"))
    assert str(error.value) == ("folds=3 contradicts DS.split=fixed, which is one fixed split "
                                "(folds=1); set folds=1")


def test_settled_parameters_are_allowed_again(parameters):
    groups = parameters("folds=1", "DS.groups=x", "DS.split=fixed")
    assert settled(groups, given("fixed"))["folds"] == 1
