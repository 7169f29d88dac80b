import numpy as np
import pytest

from mirdl.errors import UserError
from mirdl.songs.left_out import leave_out


def left(songs, *given):
    """Call leave_out for songs whose tags are their folders."""
    return leave_out(songs, {name: name.partition("/")[0] for name in songs}, *given)


def test_songs_without_a_chunk_are_left_out(parameters, capsys):
    songs = {"a/long": np.zeros((2, 330)), "a/short": np.zeros((2, 329)), "a/broken": "is empty",
             "a/longer": np.zeros((2, 331))}
    published, settled = parameters("chunkHop=80"), parameters("chunkHop=80", "asPublished=False")
    capsys.readouterr()
    assert list(left(songs, published)) == ["a/long", "a/longer"]
    assert capsys.readouterr().out.splitlines() == [
        "  2 of 4 files are left out:",
        "    'a/short' is too short: 329 frames give no chunk of 250 (asPublished needs 330)",
        "    'a/broken' is empty",
    ]
    del songs["a/broken"]
    assert left(songs, settled) == songs
    assert capsys.readouterr().out == ""
    songs["b/short"] = np.zeros((2, 249))
    assert left(songs, parameters("chunkHop=80", "DS.short=pad")) == songs
    assert capsys.readouterr().out.splitlines()[-1] == (
        "  DS.short=pad lengthens 1 of 4 songs to a chunk")


def test_songs_that_share_a_reason_share_a_line_and_a_file_lists_them(workplace, parameters,
                                                                      capsys):
    songs = {f"a/{number}.wav": "is empty" for number in range(5)}
    songs.update({f"b/{number}.wav": np.zeros((2, 100 + number)) for number in range(400)})
    songs["c/odd.wav"], songs["c/long.wav"] = "holds no samples", np.zeros((2, 500))
    settled = parameters("DS.dataset=Set")
    capsys.readouterr()
    assert list(left(songs, settled)) == ["c/long.wav"]
    assert capsys.readouterr().out.splitlines()[:5] == [
        "  406 of 407 files are left out (data/preloaded/Set.left_out.txt has the list):",
        "    5 files ('a/0.wav', 'a/1.wav', 'a/2.wav' and 2 others): each is empty",
        "    400 files ('b/0.wav', 'b/1.wav', 'b/2.wav' and 397 others): each is too short: "
        "100 to 499 frames give no chunk of 250 (asPublished needs 500)",
        "    'c/odd.wav' holds no samples",
        "    the tag 'a' keeps 0 of 5 songs",
    ]
    with open("data/preloaded/Set.left_out.txt") as file:
        lines = file.read().splitlines()
    assert len(lines) == 406 and lines[0] == "'a/0.wav' is empty"
    assert lines[5] == ("'b/0.wav' is too short: 100 frames give no chunk of 250 "
                        "(asPublished needs 500)")


@pytest.mark.parametrize("frames, changes, words", [
    ([217] * 3, [], "(217 frames, 5.0 s): DS.xInput=250 with chunkHop=250 and asPublished=True "
     "needs 500 frames, 11.6 s; DS.xInput=109 chunkHop=108 or asPublished=False DS.xInput=217 "
     "or DS.short=repeat would use all of them"),
    ([389, 400], [], "(389 to 400 frames, 9.0 to 9.3 s): DS.xInput=250 with chunkHop=250 and "
     "asPublished=True needs 500 frames, 11.6 s; DS.xInput=250 chunkHop=139 or asPublished=False "
     "or DS.short=repeat would use all of them"),
    ([1] + [217] * 50, ["asPublished=False"], "(1 to 217 frames, 0.0 to 5.0 s): DS.xInput=250 "
     "needs 250 frames, 5.8 s; DS.xInput=217 or DS.short=repeat would use at least 50 of them"),
    ([450] * 3, ["chunkHop=300"], "; DS.xInput=250 chunkHop=200 or asPublished=False or "),
    ([1] * 3, [], "; asPublished=False DS.xInput=1 or DS.short=repeat would use all of them"),
])
def test_when_all_are_too_short_it_says_which_settings_would_use_them(
        parameters, capsys, frames, changes, words):
    songs = {f"a/{number}": np.zeros((2, count)) for number, count in enumerate(frames)}
    settled = parameters("DS.dataset=Set", *changes)
    capsys.readouterr()
    with pytest.raises(UserError) as error:
        left(songs, settled)
    assert f"all {len(frames)} songs of data set 'Set' are too short" in str(error.value)
    assert words in str(error.value)
    assert capsys.readouterr().out == "", "one line is enough"


@pytest.mark.parametrize("frames", [2, 3, 50, 217, 312, 313, 389, 499])
def test_the_settings_that_it_names_take_the_songs(parameters, frames):
    song = {"a/1": np.zeros((2, frames))}
    with pytest.raises(UserError) as error:
        left(song, parameters())
    named = str(error.value).split("; ")[-1].removesuffix(" would use all of them")
    for way in named.split(" or "):
        assert left(song, parameters(*way.split())) == song


@pytest.mark.parametrize("lengths, changes, line", [
    # B keeps 2 of 10: those of 389 frames would do with a smaller hop
    ([389] * 8 + [600] * 2, [], "2 of 10 songs; DS.xInput=250 chunkHop=139 or "
                                "asPublished=False or DS.short=repeat would use all of them"),
    ([389] * 6 + [600] * 5, [], "5 of 11 songs; DS.xInput=250 chunkHop=139"),
    ([389] * 5 + [600] * 5, [], None),
    ([200] * 8 + ["is empty"] * 2, ["asPublished=False"],
     "0 of 10 songs; DS.xInput=200 or DS.short=repeat would use all of them"),
    (["is empty"] * 3 + [600], [], "1 of 4 songs"),
])
def test_a_tag_that_loses_most_of_its_songs_is_told_with_settings_that_keep_them(
        workplace, parameters, capsys, lengths, changes, line):
    songs = {f"B/{number}": length if isinstance(length, str) else np.zeros((2, length))
             for number, length in enumerate(lengths)}
    songs.update({f"A/{number}": np.zeros((2, 600)) for number in range(10)})
    settled = parameters("DS.dataset=Set", *changes)
    capsys.readouterr()
    left(songs, settled)
    told = [each for each in capsys.readouterr().out.splitlines() if " keeps " in each]
    assert len(told) == (line is not None)
    assert not line or told[0].startswith(f"    the tag 'B' keeps {line}")


def test_of_many_tags_that_lose_most_some_are_told(workplace, parameters, capsys):
    for count, others in ((10, []), (12, ["    2 other tags also lose most"])):
        songs = {f"{tag:02}/1": "is empty" for tag in range(count)}
        left({**songs, "z/1": np.zeros((2, 600))}, parameters("DS.dataset=Set"))
        told = [each for each in capsys.readouterr().out.splitlines() if " tag" in each]
        assert told[0] == "    the tag '00' keeps 0 of 1 song" and told[10:] == others


def test_only_settings_that_the_network_allows_are_named(parameters):
    def attempt(changed):
        if changed["DS"]["xInput"] < 216 and changed["DL"]["type"] == "pNetOne":
            raise UserError("a filter of 216 frames does not fit")

    def advice(frames, *changes):
        with pytest.raises(UserError) as error:
            left({"a/1": np.zeros((2, frames))}, parameters("DL.type=pNetOne", *changes), attempt)
        return str(error.value).split("; ")[-1]
    assert advice(431).startswith("DS.xInput=250 chunkHop=181 or asPublished=False or ")
    assert advice(260, "chunkHop=108").startswith(
        "DS.xInput=234 chunkHop=26 or asPublished=False or ")
    assert advice(217).startswith("DS.xInput=216 chunkHop=1 or asPublished=False DS.xInput=217 ")
    assert advice(216).startswith("asPublished=False DS.xInput=216 or DS.sh")
    assert advice(215) == "DS.short=repeat would use all of them"
    with pytest.raises(UserError, match="no settings make pNetOne use them: take longer songs$"):
        def never(changed):
            raise UserError("never")
        left({"a/1": np.zeros((2, 20))}, parameters("DL.type=pNetOne"), never)
