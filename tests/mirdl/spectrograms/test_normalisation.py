import numpy as np
import pytest

from mirdl.spectrograms.normalisation import (
    bands_mean_and_std,
    compress,
    mean_and_std,
    moments,
    own_mean_and_std,
)


def test_compression_is_done_in_place_or_not_at_all():
    spectrogram = np.array([[0, 0.0999, 9.9999]], np.float32)
    before = spectrogram.copy()
    assert compress(spectrogram, "None") is spectrogram
    np.testing.assert_array_equal(spectrogram, before)
    assert compress(spectrogram, "log0m1v") is spectrogram
    np.testing.assert_allclose(spectrogram, [[0, 3, 5]], rtol=1e-6)


def test_moments_of_many_numbers_are_exact():
    mean, variance = moments(np.full((40, 100000), 0.1, np.float32))
    assert mean == pytest.approx(np.float32(0.1), rel=1e-12) and variance < 1e-20


@pytest.fixture
def songs():
    rng = np.random.RandomState(0)
    return [
        rng.normal(level, 1 + level, (4, width)).astype(np.float32)
        for level, width in ((0, 50), (3, 70), (7, 20))
    ]


def normalisation(songs, training_songs, **ds):
    mean, variance = np.array([moments(song) for song in songs]).T
    frames = [song.shape[1] for song in songs]
    ds = {"inputNorm": "log0m1v", "inputNormWhere": "global", **ds}
    return mean_and_std(mean, variance, frames, ds, np.array(training_songs))


@pytest.mark.parametrize("where, expected", [("global", [0, 1, 2]), ("train", [0, 2])])
def test_over_all_songs_or_the_training_songs(songs, where, expected):
    mean, std = normalisation(songs, [0, 2], inputNormWhere=where)
    frames = np.concatenate([songs[song] for song in expected], axis=1)
    np.testing.assert_allclose(mean, [frames.mean()] * 3, rtol=1e-5)
    np.testing.assert_allclose(std, [frames.std()] * 3, rtol=1e-5)
    assert mean.dtype == std.dtype == np.float32


def test_over_each_song(songs):
    mean, std = normalisation(songs, [0], inputNormWhere="local")
    np.testing.assert_allclose(mean, [song.mean() for song in songs], rtol=1e-5)
    np.testing.assert_allclose(std, [song.std() for song in songs], rtol=1e-5)


@pytest.mark.parametrize("input_norm", ["log0m1v", "None"])
def test_a_song_alone_is_normalised_as_it_is_among_others(songs, input_norm):
    expected = np.array(normalisation(songs, [0], inputNorm=input_norm, inputNormWhere="local"))
    for where in ("local", "global"):
        ds = {"inputNorm": input_norm, "inputNormWhere": where}
        found = np.transpose([own_mean_and_std(song, ds) for song in songs])
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == np.float32


def test_without_normalisation_nothing_changes(songs):
    mean, std = normalisation(songs, [0], inputNorm="None")
    assert mean.tolist() == [0, 0, 0] and std.tolist() == [1, 1, 1]


def test_silence_stays_0():
    silence = np.zeros((4, 9), np.float32)
    mean, std = normalisation([silence] * 2, [0])
    assert mean.tolist() == [0, 0] and std.tolist() == [1, 1]
    ds = {"inputNorm": "log0m1v", "inputNormWhere": "local"}
    assert own_mean_and_std(silence, ds) == (0, 1)


def test_each_band_over_the_frames_of_all_songs():
    rng = np.random.RandomState(1)
    songs = [rng.gamma(2, 3, (3, frames)).astype(np.float32) for frames in (4, 9, 30)]
    for song in songs:
        song[2] = 5
    mean, std = bands_mean_and_std(songs)
    frames = np.concatenate(songs, axis=1)
    assert mean.shape == std.shape == (3, 1) and mean.dtype == std.dtype == np.float32
    np.testing.assert_allclose(mean[:, 0], frames.mean(axis=1), rtol=1e-5)
    np.testing.assert_allclose(std[:2, 0], frames[:2].std(axis=1), rtol=1e-5)
    assert (mean[2], std[2]) == (5, 1), "a band that never changes becomes 0"
    np.testing.assert_array_equal(compress(songs[0].copy(), "bands"), songs[0])
