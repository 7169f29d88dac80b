import hashlib

import numpy as np

from mirdl.songs.dataset import DataSet, Songs
from mirdl.spectrograms.store import Store


def dataset_of(names=("a/1", "b/1"), groups=None, level=1, tags=("a", "b"), split=None):
    spectrograms = [np.full((2, 3), level * song, np.float32) for song in (1, 2)]
    return DataSet(list(tags), list(names), np.arange(2), spectrograms, groups, split)


def test_a_data_set_knows_whether_it_is_the_one_of_a_fingerprint():
    first = dataset_of().fingerprint()
    assert dataset_of().fits(first)
    assert dataset_of(level=1 + 1e-6).fits(first), "another processor rounds otherwise"
    assert not dataset_of(level=1.01).fits(first)
    assert not dataset_of(names=["b/1", "a/1"]).fits(first)
    grouped = dataset_of(groups=["x", "y"])
    assert not grouped.fits(first) and not dataset_of(groups=["x", "x"]).fits(grouped.fingerprint())


def test_a_fingerprint_holds_the_split_and_tags_that_the_names_do_not_tell():
    plain = hashlib.sha256(repr((["a/1", "b/1"], None)).encode()).hexdigest()
    assert dataset_of().fingerprint()["songs"] == plain, "as in runs of earlier versions"
    others = [dataset_of(), dataset_of(split=[0, 1]), dataset_of(split=[1, 0]),
              dataset_of(split=["train", "test"]), dataset_of(tags=("x", "y")),
              dataset_of(tags=("x", "z"))]
    assert len({dataset.fingerprint()["songs"] for dataset in others}) == len(others)


def test_songs_have_paths_and_tags():
    songs = Songs({"1.wav": ("/there/1.wav", "a")})
    assert songs.paths == {"1.wav": "/there/1.wav"} and songs.tags == {"1.wav": "a"}


def test_mean_and_variance_are_those_of_each_spectrogram():
    dataset = dataset_of(level=2)
    assert dataset.mean.tolist() == [2, 4] and dataset.variance.tolist() == [0, 0]


def test_spectrograms_on_disk_are_not_in_memory(tmp_path):
    assert dataset_of().in_memory
    song = np.arange(6, dtype=np.float32).reshape(2, 3)
    _, stored = Store(str(tmp_path / "store"), {}).keep("b/1", (0, 0), song)
    dataset = DataSet(["a", "b"], ["a/1", "b/1"], np.arange(2), [song, stored])
    assert not dataset.in_memory
    assert dataset.mean.tolist() == [2.5, 2.5] and dataset.variance[0] == dataset.variance[1]
