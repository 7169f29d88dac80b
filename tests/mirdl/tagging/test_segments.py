import csv
import os

import numpy as np
import pytest

from mirdl.errors import UserError
from mirdl.tagging.answer import Answer
from mirdl.tagging.segments import (
    LABELS,
    Segment,
    audacity,
    joined,
    labels_of,
    of_each_tag,
    paths_in,
    sonic,
    stretches,
)

SEGMENTS = [Segment(0.5, 2, 1, 0.75), Segment(2, 3.25, 0, 0.5)]
CLASSES = ["a\tb", 'slow, or "waltz"']


@pytest.mark.parametrize("hop, expected", [
    (101, [[0, 101], [101, 202], [202, 430]]),          # as long as the chunk
    (40, [[0, 70.5], [70.5, 110.5], [110.5, 430]]),     # chunks overlap, what they stand for not
    (160, [[0, 130.5], [130.5, 290.5], [290.5, 430]]),  # there are gaps between the chunks
])
def test_a_chunk_stands_for_what_is_nearest_to_its_middle(hop, expected):
    found = stretches(range(0, 3 * hop, hop), 430, 101)
    np.testing.assert_array_equal(found, expected)


def test_one_chunk_stands_for_the_whole_song():
    assert stretches(range(0, 1), 110, 100).tolist() == [[0, 110]]


def test_neighbours_of_one_class_are_joined():
    times = np.array([[0, 0.8], [0.8, 1], [1, 1.5], [1.5, 2], [2, 2.25]])
    probabilities = np.array([[0.9, 0.1], [0.6, 0.4], [0.6, 0.4], [0.2, 0.8], [0.7, 0.3]],
                             np.float32)
    found = joined(times, probabilities, np.zeros(5, bool))
    assert [(each.start, each.end, each.label) for each in found] == [
        (0, 1.5, 0), (1.5, 2, 1), (2, 2.25, 0)]
    np.testing.assert_allclose([each.probability for each in found], [0.7, 0.8, 0.7], rtol=1e-6)


def test_rejected_neighbours_are_joined_whatever_their_class():
    times = np.arange(10.0).reshape(5, 2)
    found = joined(times, np.eye(2)[[0, 0, 1, 1, 1]], np.array([0, 1, 1, 0, 0], bool))
    assert [tuple(each) for each in found] == [(0, 1, 0, 1), (2, 5, None, 0), (6, 9, 1, 1)]
    assert audacity(found, CLASSES).splitlines()[1] == "2.000000\t5.000000\tunknown"
    assert sonic(found, CLASSES).splitlines()[2] == "2.000000,0.0000,3.000000,unknown"


def test_each_tag_has_segments_of_its_own_which_overlap_those_of_others():
    times = np.array([[0, 1], [1, 2], [2, 3.5]])
    probabilities = np.array([[0.9, 0.1, 0.3], [0.6, 0.2, 0.3], [0.5, 0.9, 0.29]])
    found = of_each_tag(times, probabilities, np.array([0.6, 0.2, 0.3]))
    assert [each[:3] for each in found] == [(0, 2, 0), (0, 2, 2), (1, 3.5, 1)]
    np.testing.assert_allclose([each.probability for each in found], [0.75, 0.3, 0.55])
    assert of_each_tag(times, probabilities, np.ones(3)) == []


def test_audacity_has_a_line_of_three_fields_for_each():
    lines = audacity(SEGMENTS, CLASSES).splitlines()
    assert [line.split("\t") for line in lines] == [
        ["0.500000", "2.000000", 'slow, or "waltz"'], ["2.000000", "3.250000", "a\\tb"]]


def test_sonic_visualiser_has_time_value_duration_and_label():
    header, *rows = csv.reader(sonic(SEGMENTS, CLASSES).splitlines())
    assert header == ["TIME", "VALUE", "DURATION", "LABEL"]
    assert rows == [["0.500000", "0.7500", "1.500000", 'slow, or "waltz"'],
                    ["2.000000", "0.5000", "1.250000", "a\\tb"]]


def test_songs_of_one_name_have_paths_of_their_own(tmp_path):
    folder = str(tmp_path / "new")
    songs = ["one/01.wav", "two/01.mp3", "two/02.wav"]
    assert [os.path.relpath(path, folder) for path in paths_in(folder, songs, ".txt")] == [
        "01.txt", "01-2.txt", "02.txt"]


def answers():
    one = Answer("one/01.wav", 0, segments=[Segment(0, 2, 0, 0.75)])
    other = Answer("two/01.wav", 1, segments=[Segment(0, 3, 1, 0.75)])
    return [one, Answer("bad.wav", problem="is empty"), other]


@pytest.mark.parametrize("form", LABELS)
def test_each_song_that_has_a_tag_has_a_file(tmp_path, form):
    songs, (function, ending) = [each.song for each in answers()], LABELS[form]
    write = labels_of(form, songs, str(tmp_path))
    told = list(write(answers(), songs, CLASSES, "song"))
    names = [f"01{ending}", f"01-2{ending}"]
    assert sorted(os.listdir(tmp_path)) == sorted(names)
    assert told == [f"{song} -> {tmp_path / name}"
                    for song, name in zip(("one/01.wav", "two/01.wav"), names, strict=True)]
    assert (tmp_path / names[1]).read_text() == function(answers()[2].segments, CLASSES)


def test_no_labels_are_overwritten(tmp_path):
    (tmp_path / "01.txt").write_text("of another song")
    with pytest.raises(UserError, match=r"there is a file '.*01.txt' already: name another folder"):
        labels_of("audacity", ["three/01.wav"], str(tmp_path))
    assert (tmp_path / "01.txt").read_text() == "of another song"


def test_what_a_killed_run_left_goes_even_if_the_folder_is_refused(tmp_path):
    (tmp_path / ".01.txt.abcdefgh.part").write_text("half")
    (tmp_path / ".01.mp3.abcdefgh.part").write_text("of another program")
    (tmp_path / "01.txt").write_text("of the killed run")
    with pytest.raises(UserError, match="already"):
        paths_in(str(tmp_path), ["01.wav"], ".txt")
    assert sorted(os.listdir(tmp_path)) == [".01.mp3.abcdefgh.part", "01.txt"]


def test_labels_of_several_songs_need_a_folder():
    with pytest.raises(UserError, match="there are 2 songs, .* add --out FOLDER"):
        labels_of("sonic", ["a.wav", "b.wav"], None)
    write = labels_of("audacity", ["one/01.wav"], None)
    [text] = write(answers()[:1], ["one/01.wav"], CLASSES, "song")
    assert text == "0.000000\t2.000000\ta\\tb"
