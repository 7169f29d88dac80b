import csv
import json

import numpy as np
import pytest

from mirdl.songs import shared_sound
from mirdl.songs.dataset import DataSet

DS = {"dataset": "Set", "specTransform": "mel", "duplicates": "note"}
PAIRS = [("a/1", "b/1"), ("b/1", "b/2")]
NAMES = ["a/1", "a/2", "b/1", "b/2"]


@pytest.fixture
def songs():
    return {name: np.full((2, 300 + place), 1 + place, np.float32)
            for place, name in enumerate(NAMES)}


@pytest.fixture
def looked(monkeypatch):
    """Count how often songs are compared, which gives PAIRS."""
    calls = []
    monkeypatch.setattr(shared_sound, "pairs_sharing",
                        lambda songs, ds: calls.append(sorted(songs)) or PAIRS)
    return calls


def test_the_same_songs_are_compared_once(workplace, songs, looked):
    assert shared_sound.find(songs, DS) == shared_sound.find(songs, DS) == PAIRS
    assert len(looked) == 1
    songs["a/1"] = songs["a/1"] + 1
    shared_sound.find(songs, DS)
    shared_sound.find({name: songs[name] for name in NAMES[1:]}, DS)
    assert looked == [NAMES, NAMES, NAMES[1:]]
    (workplace / "data/preloaded/Set.shared.json").write_text(json.dumps([1]))
    assert shared_sound.find(songs, DS) == PAIRS and len(looked) == 4


def test_all_but_the_longest_song_of_a_group_are_left_out(songs, capsys):
    assert list(shared_sound.without_repeated(songs, PAIRS)) == ["a/2", "b/2"]
    assert "leaves out 2 songs: 'a/1' (as 'b/2'), 'b/1' (as 'b/2')\n" in capsys.readouterr().out
    assert shared_sound.without_repeated(songs, []) == songs and not capsys.readouterr().out


def noted(songs, parameters, capsys, *given, changes=("folds=3",)):
    settled = parameters("DS.dataset=Set", *changes)
    capsys.readouterr()
    dataset = DataSet(["a", "b"], NAMES, np.array([0, 0, 1, 1]), [*songs.values()], *given)
    shared_sound.note(dataset, PAIRS, settled)
    return capsys.readouterr().out


def test_the_note_names_the_songs_and_what_to_do(workplace, songs, parameters, capsys):
    out = noted(songs, parameters, capsys)
    assert out.startswith("  Note: 3 songs share sound: 'a/1', 'b/1', 'b/2'; if one trains and ")
    assert "set DS.duplicates=together or DS.duplicates=drop; data/preloaded/Set.groups.csv" in out
    assert "set DS.duplicates=drop;" in noted(songs, parameters, capsys, changes=("folds=1",))
    out = noted(songs, parameters, capsys, changes=("folds=3", "DS.duplicates=together"))
    assert out.startswith("  DS.duplicates=together joins 3 songs that share sound: 'a/1', ")


@pytest.mark.parametrize("split, told", [
    ([0, 1, 0, 0], "the split keeps them on one side; data"),
    ([0, 0, 1, 1], "the split puts 1 group of them on both sides, so accuracy is inflated; listen, "
                   "then set DS.duplicates=drop; data")])
def test_the_note_says_what_a_given_split_does(workplace, songs, parameters, capsys, split, told):
    changes = "folds=2", "DS.split=x.csv"
    assert told in noted(songs, parameters, capsys, None, split, changes=changes)


def test_the_table_keeps_songs_and_their_groups_together(workplace, songs, parameters, capsys):
    noted(songs, parameters, capsys, ["x", "x", "y", "z"])
    with open("data/preloaded/Set.groups.csv", newline="") as file:
        rows = list(csv.reader(file))
    assert rows == [["song", "group"], *([name, "x"] for name in NAMES)]
    noted(songs, parameters, capsys)
    with open("data/preloaded/Set.groups.csv", newline="") as file:
        assert [row[1] for row in csv.reader(file)] == ["group", "a/1", "a/2", "a/1", "a/1"]
