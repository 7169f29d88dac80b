import numpy as np
import pytest

from mirdl.errors import UserError
from mirdl.songs.left_out import leave_out


def test_songs_without_a_chunk_are_left_out(parameters, capsys):
    songs = {"long": np.zeros((2, 330)), "short": np.zeros((2, 329)), "broken": "is empty"}
    published, settled = parameters("chunkHop=80"), parameters("chunkHop=80", "asPublished=False")
    capsys.readouterr()
    assert list(leave_out(songs, published)) == ["long"]
    assert capsys.readouterr().out.splitlines() == [
        "  2 of 3 files are left out:",
        "    'short' is too short: 329 frames give no chunk of 250 (asPublished needs 330)",
        "    'broken' is empty",
    ]
    del songs["broken"]
    assert leave_out(songs, settled) == songs
    assert capsys.readouterr().out == ""


def test_songs_that_share_a_reason_share_a_line_and_a_file_lists_them(workplace, parameters,
                                                                      capsys):
    songs = {f"a/{number}.wav": "is empty" for number in range(5)}
    songs.update({f"b/{number}.wav": np.zeros((2, 100 + number)) for number in range(400)})
    songs["c/odd.wav"], songs["c/long.wav"] = "holds no samples", np.zeros((2, 500))
    settled = parameters("DS.dataset=Set")
    capsys.readouterr()
    assert list(leave_out(songs, settled)) == ["c/long.wav"]
    assert capsys.readouterr().out.splitlines() == [
        "  406 of 407 files are left out (data/preloaded/Set.left_out.txt has the list):",
        "    5 files ('a/0.wav', 'a/1.wav', 'a/2.wav' and 2 others): each is empty",
        "    400 files ('b/0.wav', 'b/1.wav', 'b/2.wav' and 397 others): each is too short: "
        "100 to 499 frames give no chunk of 250 (asPublished needs 500)",
        "    'c/odd.wav' holds no samples",
    ]
    with open("data/preloaded/Set.left_out.txt") as file:
        lines = file.read().splitlines()
    assert len(lines) == 406 and lines[0] == "'a/0.wav' is empty"
    assert lines[5] == ("'b/0.wav' is too short: 100 frames give no chunk of 250 "
                        "(asPublished needs 500)")


@pytest.mark.parametrize("frames, changes, words", [
    ([217] * 3, [], "(217 frames, 5.0 s): DS.xInput=250 with chunkHop=250 and asPublished=True "
     "needs 500 frames, 11.6 s; DS.xInput=109 chunkHop=108 or asPublished=False DS.xInput=217 "
     "would use all of them"),
    ([389, 400], [], "(389 to 400 frames, 9.0 to 9.3 s): DS.xInput=250 with chunkHop=250 and "
     "asPublished=True needs 500 frames, 11.6 s; DS.xInput=250 chunkHop=139 or asPublished=False "
     "would use all of them"),
    ([1] + [217] * 50, ["asPublished=False"], "(1 to 217 frames, 0.0 to 5.0 s): DS.xInput=250 "
     "needs 250 frames, 5.8 s; DS.xInput=217 would use 50 of them"),
    ([450] * 3, ["chunkHop=300"], "; DS.xInput=250 chunkHop=200 or asPublished=False would use"),
    ([1] * 3, [], "; asPublished=False DS.xInput=1 would use all of them"),
])
def test_when_all_are_too_short_it_says_which_settings_would_use_them(
        parameters, capsys, frames, changes, words):
    songs = {f"a/{number}": np.zeros((2, count)) for number, count in enumerate(frames)}
    settled = parameters("DS.dataset=Set", *changes)
    capsys.readouterr()
    with pytest.raises(UserError) as error:
        leave_out(songs, settled)
    assert f"all {len(frames)} songs of data set 'Set' are too short" in str(error.value)
    assert words in str(error.value)
    assert capsys.readouterr().out == "", "one line is enough"


@pytest.mark.parametrize("frames", [2, 3, 50, 217, 312, 313, 389, 499])
def test_the_settings_that_it_names_take_the_songs(parameters, frames):
    song = {"a/1": np.zeros((2, frames))}
    with pytest.raises(UserError) as error:
        leave_out(song, parameters())
    named = str(error.value).split("; ")[-1].removesuffix(" would use all of them")
    for way in named.split(" or "):
        assert leave_out(song, parameters(*way.split())) == song
