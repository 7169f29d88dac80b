import os
import pickle
import warnings

import numpy as np
import pytest

from mirdl.errors import UserError
from mirdl.spectrograms.normalisation import NORMS, compress
from mirdl.spectrograms.store import Store, compressed

MADE_WITH = {"bands": 4, "window": "hann"}


@pytest.fixture
def songs():
    rng = np.random.RandomState(0)
    return {f"a/{number}.wav": rng.rand(4, 10 + number).astype(np.float32) for number in range(5)}


@pytest.fixture
def folder(tmp_path, songs):
    store = Store(str(tmp_path / "set.store"), MADE_WITH)
    for number, (name, song) in enumerate(songs.items()):
        store.keep(name, (number, 7), song)
    store.keep("a/broken.wav", (1, 1), "is empty")
    return tmp_path / "set.store"


def opened(folder, made_with=MADE_WITH):
    store = Store(str(folder), made_with)
    store.read()
    return store


def test_songs_come_back_whole_and_in_parts(folder, songs):
    store = opened(folder)
    assert list(store.songs) == [*songs, "a/broken.wav"]
    assert store.songs["a/broken.wav"] == ((1, 1), "is empty")
    for number, (name, song) in enumerate(songs.items()):
        stamp, stored = store.songs[name]
        assert stamp == (number, 7) and stored.shape == song.shape and stored.nbytes == song.nbytes
        np.testing.assert_array_equal(np.asarray(stored), song)
        np.testing.assert_array_equal(stored[:, 3:8], song[:, 3:8])
        assert stored[:, 3:8].flags.c_contiguous
    logarithm = compressed(store.songs["a/2.wav"][1], "log0m1v")
    expected = compress(songs["a/2.wav"][:, 2:4].copy(), "log0m1v")
    np.testing.assert_array_equal(logarithm[:, 2:4], expected)
    assert compressed(expected, "None") is expected


def test_mean_and_variance_are_known_without_reading(folder, songs):
    kept = opened(folder).songs
    (folder / "spectra.f32").unlink()
    for name, song in songs.items():
        for norm in NORMS:
            expected = compress(song.copy(), norm).astype(np.float64)
            found = compressed(kept[name][1], norm).moments
            np.testing.assert_allclose(found, (expected.mean(), expected.var()), rtol=1e-9)


def test_where_none_is_allowed_no_logarithm_is_taken(tmp_path):
    folder = tmp_path / "set.store"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Store(str(folder), MADE_WITH, ["None"]).keep("a/1.wav", (1, 7), np.float32([[-1, 2]] * 4))
        _, song = opened(folder).songs["a/1.wav"]
    for norm in "None", "bands":
        assert compressed(song, norm).moments == (0.5, 2.25)


@pytest.mark.parametrize("lost", range(1, 60, 7))
def test_what_was_half_written_is_not_there_and_the_rest_is(folder, songs, lost):
    lines, spectra = folder / "songs.jsonl", folder / "spectra.f32"
    lines.write_bytes(lines.read_bytes()[:-lost])
    spectra.write_bytes(spectra.read_bytes() + b"half a song")
    store = opened(folder)
    assert list(store.songs) == list(songs)[:len(store.songs)] and len(store.songs) >= 4
    store.keep("b/new.wav", (0, 0), songs["a/4.wav"])
    store = opened(folder)
    for name in list(songs)[:4]:
        np.testing.assert_array_equal(np.asarray(store.songs[name][1]), songs[name])
    np.testing.assert_array_equal(np.asarray(store.songs["b/new.wav"][1]), songs["a/4.wav"])


@pytest.mark.parametrize("file, spoil", [
    ("songs.jsonl", lambda content: b"rubbish\n" + content),
    ("songs.jsonl", lambda content: content.replace(b'"at": 0', b'"at": -8')),
    ("songs.jsonl", lambda content: content.replace(b'"frames": 10', b'"frames": 99999999')),
    ("songs.jsonl", lambda content: content.replace(b'"frames": 10', b'"frames": -10')),
    ("songs.jsonl", lambda content: content.replace(b'"frames": 10', b'"frames": "10"')),
    ("songs.jsonl", lambda content: content.replace(b'"stamp"', b'"clamp"')),
    ("songs.jsonl", lambda content: content.replace(b'{"name"', b'["name"')),
    ("songs.jsonl", lambda content: content.replace(b'"moments"', b'"torments"')),
    ("songs.jsonl", lambda content: content.replace(b'"None": [', b'"None": ["", ')),
    ("spectra.f32", lambda content: content[:-4]),
])
def test_damage_is_found(folder, file, spoil):
    (folder / file).write_bytes(spoil((folder / file).read_bytes()))
    with pytest.raises((ValueError, KeyError, TypeError)):
        opened(folder)


def test_songs_made_with_other_parameters_are_refused(folder):
    with pytest.raises(ValueError, match="made with other parameters"):
        opened(folder, {**MADE_WITH, "bands": 5})


def test_a_file_that_shrinks_while_it_is_read_is_told(folder):
    _, song = opened(folder).songs["a/4.wav"]
    (folder / "spectra.f32").write_bytes(b"")
    with pytest.raises(UserError, match="has become shorter"):
        song[:, 0:5]


def test_songs_stay_whole_when_the_store_is_removed_and_made_anew(folder, songs):
    kept = opened(folder).songs
    another = opened(folder)
    another.remove()
    another.keep("a/3.wav", (0, 0), songs["a/4.wav"])
    for name, song in songs.items():
        np.testing.assert_array_equal(np.asarray(kept[name][1]), song)
    np.testing.assert_array_equal(np.asarray(another.songs["a/3.wav"][1]), songs["a/4.wav"])


def test_all_songs_share_one_file_that_is_closed_with_the_last(folder, songs):
    def count():
        path = str(folder / "spectra.f32")
        return sum(os.path.realpath(link.path) == path for link in os.scandir("/proc/self/fd"))
    store = opened(folder)
    store.keep("b/new.wav", (0, 0), songs["a/0.wav"])
    kept = [compressed(store.songs[name][1], "log0m1v") for name in (*songs, "b/new.wav")]
    del store
    assert count() == 1 and len(kept) == 6
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kept.clear()
    assert count() == 0


def test_a_stored_song_does_not_pickle(folder):
    _, song = opened(folder).songs["a/0.wav"]
    with pytest.raises(TypeError, match="cannot pickle"):       # its open file cannot move along
        pickle.dumps(song)


def test_remove_leaves_nothing(folder):
    store = opened(folder)
    store.remove()
    assert not folder.exists() and not store.songs
    store.remove()
