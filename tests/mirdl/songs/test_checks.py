import numpy as np
import pytest

from mirdl.errors import UserError
from mirdl.songs import checks
from mirdl.songs.dataset import DataSet, Songs
from mirdl.songs.given_splits import GivenSplit

SONGS = {"a/1.wav": "a", "a/2.wav": "a", "b/1.wav": "b", "b/2.wav": "b"}


def test_songs_that_can_be_learnt_pass(parameters):
    checks.check_songs(SONGS, ["a", "b"], parameters("folds=4"))


@pytest.mark.parametrize("classes, changes, message", [
    (["a", "b", "c"], ["folds=2"], "has no usable song left with the tag 'c'"),
    (["a"], ["folds=2"], "data set 'Ballroom' has 1 tag; a classifier needs two folders"),
])
def test_songs_that_cannot_be_learnt_are_refused(parameters, classes, changes, message):
    with pytest.raises(UserError, match=message):
        checks.check_songs(SONGS, classes, parameters("DS.dataset=Ballroom", *changes))


def test_an_error_code_that_is_a_label_is_refused(parameters):
    classes = [f"tag {number:03}" for number in range(257)]
    with pytest.raises(UserError, match="errorCode=256 is the number of a class .257 classes.; "
                                        "set errorCode=257"):
        checks.check_songs({tag: tag for tag in classes}, classes, parameters("errorCode=256"))


DS = {"inputNorm": "log0m1v", "specTransform": "mel", "level": "as-is"}


def dataset_of(spectrograms, labels, *given):
    classes = [f"tag {label}" for label in range(max(labels) + 1)]
    names = [f"a/{number:02}" for number in range(len(labels))]
    return DataSet(classes, names, np.array(labels), spectrograms, *given)


LONG = np.zeros((2, 700), np.float32)


@pytest.mark.parametrize("labels, groups, split, changes, note", [
    # as published, the first songs validate
    ([0, 1, 1, 0, 1, 1], None, None, ["folds=3"],
     "'tag 0' (2 songs) in folds 1, 2; set validation=0"),
    ([0, 0, 1, 1, 1, 1], None, None, ["folds=3"],
     "'tag 0' (2 songs) in fold 1; set stratified=True validation=0"),
    ([0, 1, 1, 1, 1, 1], None, None, ["folds=3"], "'tag 0' (1 song) in fold 1; add songs to them"),
    ([0, 1, 1, 0, 1, 1], None, None, ["folds=3", "validation=0"], None),
    ([0] * 6 + [1] * 6, list("aaaaaabcdefg"), None, ["folds=4"],
     "'tag 0' (6 songs in 1 group) in fold 1; add songs of other groups to them"),
    ([0] * 6 + [1] * 6, list("aaabbbcdefgh"), None, ["folds=4", "validation=0"], None),
    ([0, 1, 0, 1, 0, 1, 1, 1], None, [0, 0, 0, 1, 1, 2, 2, 2], ["folds=3"],
     "'tag 0' (3 songs) in fold 1; set validation=0"),
    ([0, 1, 0, 1, 2, 1, 1, 2], None, [0, 0, 0, 1, 2, 2, 2, 1], ["folds=3"],
     "'tag 0' (2 songs) in fold 1, 'tag 2' (2 songs) in fold 2; add songs to them"),
    ([0, 1, 0, 1], None, ["test", "test", "validation", "train"], ["folds=1"],
     "'tag 0' (2 songs) in fold 1; set validation=0"),
])
def test_tags_that_are_tested_but_not_trained_on_are_named_with_the_folds(
        parameters, capsys, labels, groups, split, changes, note):
    settled = parameters("DL.batchSize=1", *changes, *(["DS.split=x.csv"] if split else []))
    capsys.readouterr()
    checks.check_folds(dataset_of([LONG] * len(labels), labels, groups, split), settled)
    told = capsys.readouterr().out
    assert told.count("Note: no song of these tags trains") == (note is not None)
    assert note is None or told.endswith(f": {note}\n")


def test_of_many_such_tags_some_are_named(parameters, capsys):
    checks.check_folds(dataset_of([LONG] * 25, range(25)), parameters("DL.batchSize=1", "folds=5"))
    assert "'tag 2' (1 song) in fold 1 and 22 others; add songs" in capsys.readouterr().out


@pytest.mark.parametrize("tags, told", [
    (["Waltz", "waltz", "tango"], "'Waltz' and 'waltz'"),
    (["rock", "rock ", "Hip  Hop", "hip hop"], "'rock' and 'rock '"),
    (["caf\xe9", "cafe\u0301", "cafe"], r"'caf\xe9' and 'cafe\u0301'"),
    (["rock", "ro\u200bck"], r"'rock' and 'ro\u200bck'"),
    (["A#", "A", "hip-hop", "hiphop", "rock1", "rock2"], None)])
def test_tags_that_look_alike_are_told(capsys, tags, told):
    songs = [np.full((2, 3), number, np.float32) for number in range(1, len(tags) + 1)]
    dataset = dataset_of(songs, range(len(tags)))
    dataset.classes = tags
    checks.note_oddities(dataset, DS)
    line = f"  Note: the tags {told} look alike, but count as different ones; if they mean the same"
    out = capsys.readouterr().out
    assert out.startswith(line) if told else not out
    assert out.count("look alike") == (0 if told is None else 2 if "Hip  Hop" in tags else 1)


def test_songs_that_are_silent_or_of_another_level_are_named(capsys):
    songs = [np.full((2, 3), level, np.float32) for level in [0, 1, 0, 1, 0, 1, 0, 1, 0, 0.1]]
    checks.note_oddities(dataset_of(songs, [0] * 10), DS)
    silent, quiet, *_ = capsys.readouterr().out.splitlines()
    assert silent.startswith("  Note: 'a/00', 'a/02', 'a/04' and 2 others are silence, or two ")
    assert quiet.startswith("  Note: 'a/09' is at least 8 dB quieter than most training songs")


@pytest.mark.parametrize("split, told", [
    ([0, 1, 0, 0], "1 group on both sides, so accuracy is inflated: 'x'"),
    (["train", "train", "test", "train"], "1 group on both sides, so accuracy is inflated: 'y'"),
    ([0, 1, 1, 2], "2 groups on both sides, so accuracy is inflated: 'x', 'y'"),
    ([0, 0, 1, 1], None), (None, None)])
def test_groups_that_a_given_split_divides_are_told(capsys, split, told):
    songs = [np.full((2, 3), number, np.float32) for number in range(1, 5)]
    checks.note_oddities(dataset_of(songs, [0] * 4, ["x", "x", "y", "y"], split), DS)
    assert capsys.readouterr().out == (f"  Note: the split puts {told}\n" if told else "")


def test_songs_are_counted_with_what_the_loader_and_the_split_say(parameters, capsys):
    settled = parameters("DS.dataset=Set")
    capsys.readouterr()
    songs = Songs({name: (name, tag) for name, tag in SONGS.items()}, notes=["Note: old."])
    checks.print_songs(songs, None, settled)
    places = {"a/1.wav": 0, "b/2.wav": 1}
    checks.print_songs(songs, GivenSplit("s", "DS.split=s", places, 2), settled)
    assert capsys.readouterr().out.splitlines() == [
        "Data set Set: 4 audio files", "  Note: old.",
        "Data set Set: 4 audio files, 2 folds by DS.split=s", "  Note: old.",
        "  2 songs are left out by DS.split=s: 'a/2.wav', 'b/1.wav'"]


@pytest.mark.parametrize("changes, noted", [
    (["validation=0"], True), (["validation=0.2"], True), ([], False),
    (["validation=0", "mode=Set_oNetOne_1"], False)])
def test_it_is_told_when_a_part_that_validates_does_not(parameters, capsys, changes, noted):
    songs = Songs({name: (name, tag) for name, tag in SONGS.items()})
    places = dict(zip(SONGS, ["train", "validation", "test", "test"], strict=True))
    settled = parameters("DS.dataset=Set", *changes)
    capsys.readouterr()
    checks.print_songs(songs, GivenSplit("s", "DS.split=s", places, 1), settled)
    _, *notes = capsys.readouterr().out.splitlines()
    assert [changes[0] in note and "DS.split=s: its 1 song may train" in note
            and note.endswith("set validation=published") for note in notes] == [True] * noted


def test_batches_larger_than_a_part_are_refused(parameters):
    dataset = dataset_of([np.zeros((2, 330), np.float32)] * 6, [0, 1] * 3)

    def check(size, *changes, **options):
        settled = parameters("folds=3", "chunkHop=80", f"DL.batchSize={size}", *changes)
        checks.check_folds(dataset, settled, **options)
    check(2)
    check(9, "asPublished=False")
    message = "fold 1 has 2 training chunks of 2 songs, less than one batch of DL.batchSize=3"
    with pytest.raises(UserError, match=message):
        check(3)
    with pytest.raises(UserError, match="fold 1 has 2 test chunks of 2 songs, less than one"):
        check(3, parts=("test",))


def test_no_song_validates_where_none_is_asked_to(parameters):
    dataset = dataset_of([np.zeros((2, 330), np.float32)] * 9, [0, 1, 0] * 3)
    settled = parameters("folds=1", "chunkHop=80", "DL.batchSize=3", "validation=0",
                         "trainSplit=0.6", "testSplit=0.4")
    checks.check_folds(dataset, settled)
    dataset.split = [*["train"] * 5, "validation", *["test"] * 3]
    checks.check_folds(dataset, settled)
    with pytest.raises(UserError, match="fold 1 has 1 validation chunks of 1 songs"):
        checks.check_folds(dataset, {**settled, "validation": "published"})


def test_without_asPublished_a_part_needs_one_chunk(parameters):
    dataset = dataset_of([np.zeros((2, 330), np.float32)] * 3, [0, 1, 1])
    settled = parameters("folds=1", "trainSplit=0.7", "testSplit=0.3", "asPublished=False")
    with pytest.raises(UserError, match="fold 1 has 0 validation chunks of 0 songs"):
        checks.check_folds(dataset, settled)
