import shlex

import numpy as np
import pytest

from mirdl.songs import pieces
from mirdl.songs.dataset import DataSet
from mirdl.songs.groups import groups_of

RECORDINGS = [f"{tag}/song{number:02}" for tag in "ab" for number in range(6)]


def noted(capsys, parameters, names, *given, changes=("folds=3",)):
    tags = [name.split("/")[0] for name in names]
    classes = sorted(set(tags))
    songs = [np.full((2, 700), number, np.float32) for number in range(1, len(names) + 1)]
    labels = np.array([classes.index(tag) for tag in tags])
    settled = parameters("DL.batchSize=1", *changes)
    capsys.readouterr()
    pieces.note(DataSet(classes, names, labels, songs, *given), settled)
    return capsys.readouterr().out


@pytest.mark.parametrize("ends", [
    ("_1.wav", "_2.wav"), ("-00.wav", "-01.wav", "-02.wav"), (" (1).wav", " (2).mp3"),
    ("-A.ogg", "-B.ogg"), ("_part1.wav", "_part2.wav")])
def test_the_expression_that_is_noted_keeps_pieces_together(capsys, parameters, ends):
    names = [song + end for song in RECORDINGS for end in ends] + ["a/other.wav"]
    out = noted(capsys, parameters, names)
    assert out.count("\n") == 1 and f"{len(names) - 1} songs look like pieces of 12 recor" in out
    [setting] = [word for word in shlex.split(out) if word.startswith("DS.groups=")]
    groups = dict(zip(names, groups_of(names, setting.removeprefix("DS.groups=")), strict=True))
    assert len(set(groups.values())) == 13
    assert all(len({groups[song + end] for end in ends}) == 1 for song in RECORDINGS)


@pytest.mark.parametrize("names", [
    [f"{tag}/{tag}_{number:02}.wav" for tag in "ab" for number in range(9)],      # numbered
    [f"{tag}/Media-{103400 + number}.wav" for tag in "ab" for number in range(6)]
    + [f"{tag}/Albums {number}.wav" for tag in "ab" for number in range(6)],
    [f"{tag}/take{number}_95bpm.wav" for tag in "ab" for number in range(9)],
    [f"a/song_{number}.wav" for number in (1, 2)] + [f"b/tune_{number}.wav" for number in (1, 2)]])
def test_songs_that_are_only_numbered_are_no_pieces(capsys, parameters, names):
    assert not noted(capsys, parameters, names)


def test_pieces_that_stay_together_are_not_noted(capsys, parameters):
    names = [f"{song}_{piece}.wav" for song in RECORDINGS for piece in (1, 2)]
    assert not noted(capsys, parameters, names, [name[:-6] for name in names])
    split = [0, 0, 1, 1, 2, 2] * 4
    changes = "folds=3", "DS.split=x.csv"
    assert not noted(capsys, parameters, names, None, split, changes=changes)
    split[1] = 1
    out = noted(capsys, parameters, names, None, split, changes=changes)
    assert "the split puts 1 of them on both sides; give their pieces one fold" in out


def test_no_expression_is_given_with_which_no_folds_can_be_made(capsys, parameters):
    names = [f"{song}_{piece}.wav" for song in RECORDINGS[:2] + RECORDINGS[6:8]
             for piece in (1, 2)]
    out = noted(capsys, parameters, names, changes=("folds=5",))
    assert "keep them together (DS.groups)" in out and "DS.groups=" not in out
