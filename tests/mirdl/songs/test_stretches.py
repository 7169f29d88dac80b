import math

import numpy as np
import pytest

from mirdl import settings
from mirdl.errors import UserError
from mirdl.songs import stretches
from mirdl.songs.dataset import Songs
from mirdl.songs.given_splits import GivenSplit
from mirdl.songs.stretch import Stretch, recording_of, times_of
from mirdl.spectrograms.store import Store, compressed

NAMES = "a.wav", "b/c.wav", "d.wav"
SONGS = Songs({name: (f"/{name}", "") for name in NAMES})
DS = {**settings.published()["DS"], "dataset": "Set"}
SECONDS = 1024 / 44100


def read(folder, files, background=""):
    for name, lines in files.items():
        path = folder / "labels" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join("\t".join(map(str, line)) + "\n" for line in lines))
    ds = {**DS, "labels": str(folder / "labels"), "background": background}
    return stretches.read(SONGS, ds)


def test_names_say_which_recording():
    for each in (Stretch("a b.wav", 1.5, 20, "x"), Stretch("a b.wav", 0, math.inf, "x")):
        assert recording_of(each.name) == "a b.wav" and each.name != "a b.wav"
    assert Stretch("a.wav", 1.5, 20, "x").name == "a.wav 1.500-20.000"
    for song in ("takes 1.000-2.000.wav", "a.wav", "2.000-3.000"):
        assert recording_of(song) == song
    assert times_of("a b.wav 1.500-20.000") == (1.5, 20)
    assert times_of("a.wav 0.250-end") == (0.25, math.inf) and times_of("a 1.wav") == (0, math.inf)


def test_files_belong_to_the_recordings_that_are_called_like_them(tmp_path):
    found = read(tmp_path, {"a.txt": [(2, 3, "y"), (0, 2, "x")], "b/c.csv": [],
                            "notes.md": [("not", "labels")]})
    assert found == (Stretch("a.wav", 0, 2, "x"), Stretch("a.wav", 2, 3, "y"))
    # by its name alone, as predict.py calls them
    assert read(tmp_path / "2", {"c.txt": [(0, 2, "x")]}) == (Stretch("b/c.wav", 0, 2, "x"),)


def test_what_is_not_labelled_is_background(tmp_path):
    found = read(tmp_path, {"a.txt": [(1.2, 2, "x"), (2.9, 4, "y"), (5, 6, "x")], "d.txt": []}, "-")
    assert found == (
        Stretch("a.wav", 0, 1.2, "-"), Stretch("a.wav", 1.2, 2, "x"), Stretch("a.wav", 2.9, 4, "y"),
        Stretch("a.wav", 4, 5, "-"), Stretch("a.wav", 5, 6, "x"),
        Stretch("a.wav", 6, math.inf, "-"), Stretch("d.wav", 0, math.inf, "-"))


@pytest.mark.parametrize("files, told", [
    ({"a.txt": [(0, 2, "x"), (1.9, 3, "y")]},
     "a.txt', line 2, starts at 1.9 s, within 'x' from 0.0 to 2.0 s; a stretch of time has one"),
    ({"a.txt": [(0, 2, "x")] * 2}, "line 2, starts at 0.0 s, within 'x'"),
    ({"e.txt": [(0, 2, "x")]}, "e.txt' belongs to no recording: no song of data set 'Set'"),
    ({"a.txt": [(0, 2, "x")], "a.csv": []}, "are labels of one recording; leave one of them"),
    ({"a.doc": []}, "has no labels; expected files .txt or .csv with start, end and tag"),
    ({"a.txt": []}, "has no labels; expected files .txt or .csv"),
])
def test_labels_that_cannot_be_used_are_named(tmp_path, files, told):
    with pytest.raises(UserError) as error:
        read(tmp_path, files)
    assert told in str(error.value)


def test_tags_that_overlap_by_a_second_are_several_at_a_time(tmp_path):
    """Then shorter overlaps count, too, and each stretch has all tags of its time."""
    files = {"a.txt": [(0, 5, "x"), (3, 9, "y"), (4.2, 4.5, "z")],
             "d.txt": [(1, 2, "x"), (1.5, 3, "y")]}
    found = read(tmp_path, files, "-")
    assert found == (
        Stretch("a.wav", 0, 3, ("x",)), Stretch("a.wav", 3, 4.2, ("x", "y")),
        Stretch("a.wav", 4.2, 4.5, ("x", "y", "z")), Stretch("a.wav", 4.5, 5, ("x", "y")),
        Stretch("a.wav", 5, 9, ("y",)), Stretch("a.wav", 9, math.inf, ("-",)),
        Stretch("d.wav", 0, 1, ("-",)), Stretch("d.wav", 1, 1.5, ("x",)),
        Stretch("d.wav", 1.5, 2, ("x", "y")), Stretch("d.wav", 2, 3, ("y",)),
        Stretch("d.wav", 3, math.inf, ("-",)))
    with pytest.raises(UserError, match="starts at 1.5 s, within 'x' from 1.0 to 2.0 s; a stretch"):
        read(tmp_path / "2", {"d.txt": files["d.txt"]})
    with pytest.raises(UserError, match="starts at 2.0 s, within 'x' from 0.0 to 5.0 s; a stretch"):
        read(tmp_path / "3", {**files, "b/c.txt": [(0, 5, "x"), (2, 4, "x")]})


def test_rounded_ends_may_overlap(tmp_path):
    assert len(read(tmp_path, {"a.txt": [(0, 2.0004, "x"), (2, 3, "y")]})) == 2


def given(*found):
    songs = Songs({name: SONGS.files[name] for name in {each.recording for each in found}},
                  stretches=found)
    return stretches.divided(songs, None)[0]


def test_stretches_stay_with_their_recording():
    found = Stretch("a.wav", 0, 2, "x"), Stretch("a.wav", 2, 3, "y"), Stretch("d.wav", 0, 1, "x")
    songs, split = stretches.divided(
        Songs(dict(SONGS.files), stretches=found, groups={"a.wav": "tape", "d.wav": "tape"}),
        GivenSplit("s", "s", {"a.wav": 1, "d.wav": 0}, 2))
    names = [each.name for each in found]
    assert songs.files == dict(zip(names, [("/a.wav", "x"), ("/a.wav", "y"), ("/d.wav", "x")],
                                   strict=True))
    assert list(songs.groups.values()) == ["tape"] * 3 and set(given(*found).groups) == set(names)
    assert given(*found).groups[names[1]] == "a.wav"
    assert split.places == dict(zip(names, [1, 1, 0], strict=True))
    assert songs.recordings == {"a.wav": "/a.wav", "d.wav": "/d.wav"}


@pytest.mark.parametrize("start, end, first, last", [
    (0, 0.5, 0, 22), (10 * SECONDS, 20 * SECONDS, 10, 20),
    (10.01 * SECONDS, 20.01 * SECONDS, 11, 21), (1, math.inf, 44, 100), (0, 2.39, 0, 100)])
@pytest.mark.parametrize("on_disk", [False, True])
def test_a_stretch_has_the_frames_whose_middle_lies_in_it(tmp_path, start, end, first, last,
                                                          on_disk):
    song = np.random.RandomState(1).rand(40, 100).astype(np.float32)
    kept = Store(str(tmp_path), {}).keep("a.wav", (), song)[1] if on_disk else song
    songs = given(Stretch("a.wav", start, end, "x"))
    [part] = stretches.cut({"a.wav": kept}, songs, DS).values()
    np.testing.assert_array_equal(np.asarray(part), song[:, first:last])
    if on_disk:
        logarithm = np.log10(10000 * song[:, first:last] + 1)
        assert compressed(part, "log0m1v").moments == pytest.approx(
            (logarithm.mean(), logarithm.var()), rel=1e-5)
    else:
        part[:] = 0
        assert song.min() > 0, "it is compressed in place, and its recording may be cut again"


@pytest.mark.parametrize("start, end, told", [
    (1, 2.5, "is beyond the end of its recording, which has 2.32 s"),
    (2.4, 2.41, "is beyond the end of its recording"),
    (1, 1.001, "is shorter than a frame; make it longer")])
def test_what_cannot_be_cut_is_left_out_with_the_reason(start, end, told):
    songs = given(Stretch("a.wav", start, end, "x"), Stretch("d.wav", 0, 1, "y"))
    found = stretches.cut({"a.wav": np.zeros((40, 100), np.float32), "d.wav": "is damaged"}, songs,
                          DS)
    reason, other = found.values()
    assert told in reason and other == "is damaged"


def test_of_background_at_the_end_a_second_is_needed():
    songs = given(Stretch("a.wav", 1.3, math.inf, "-"), Stretch("d.wav", 1.4, math.inf, "-"))
    song = np.zeros((40, 100), np.float32)      # 2.32 s
    assert [*stretches.cut({"a.wav": song, "d.wav": song}, songs, DS)] == ["a.wav 1.300-end"]
