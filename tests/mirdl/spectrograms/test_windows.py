import numpy as np
import pytest

from mirdl.spectrograms.windows import finished


def network(x):
    """Give the mean of each band, then the first frame: only of one window at a time."""
    assert x.shape == (1, 1, 4, 187)
    return np.concatenate([x.mean(axis=3), x[:, :, :, 0]], axis=2)[0]


def song(frames):
    return np.random.RandomState(frames).rand(4, frames).astype(np.float32)


@pytest.mark.parametrize("frames, count", [(187, 1), (279, 1), (280, 2), (373, 3)])
def test_windows_of_187_frames_begin_every_93(frames, count):
    found = finished(song(frames), network)
    assert found.shape == (8, count) and found.flags.c_contiguous
    for window in range(count):
        part = song(frames)[:, 93 * window:93 * window + 187]
        np.testing.assert_array_equal(found[:, window], [*part.mean(axis=1), *part[:, 0]])


@pytest.mark.parametrize("frames", [1, 60, 186])
def test_a_song_shorter_than_a_window_is_repeated(frames):
    repeated = np.tile(song(frames), 187)[:, :187]
    np.testing.assert_array_equal(finished(song(frames), network), finished(repeated, network))


def test_without_a_network_or_a_spectrogram_nothing_changes():
    whole = song(50)
    assert finished(whole, None) is whole
    assert finished("holds no samples", network) == "holds no samples"
