from types import SimpleNamespace

import numpy as np

from mirdl.spectrograms.augmentation import Draws
from mirdl.training.on_device import Songs, Vectors


def test_examples_say_where_each_chunk_begins_among_all_frames():
    songs = [np.full((2, width), width, np.float32) for width in (5, 7, 2)]
    chunks = SimpleNamespace(song=np.array([0, 1, 1]), places=np.array([2, 1]),
                             start=np.array([0, 0, 4]), mean=np.float32([1, 2]),
                             std=np.float32([3, 4]), y=np.array([1, 0, 0], np.uint8), draws=Draws())
    on_device = Songs(songs, {"xInput": 3, "short": "pad"})
    first, mean, std, y, draws = on_device.examples(chunks)
    assert draws is chunks.draws
    assert on_device.frames.shape == (2, 15), "of a song shorter than a chunk, as many as one has"
    assert on_device.frames[0, 12:].tolist() == [2, 2, 0]
    assert first.tolist() == [12, 5, 9], "the first of these chunks is of the data set's last song"
    assert mean.tolist() == [1, 2, 2] and std.tolist() == [3, 4, 4] and y.tolist() == [1, 0, 0]


def test_vectors_hold_all_values_of_a_type():
    values = [np.arange(6, dtype=np.float32).reshape(2, 3), np.array([7, 8]), np.float32(9)]
    vectors = Vectors(values)
    joined = vectors.of(values, np.concatenate)
    assert [vector.tolist() for vector in joined] == [[0, 1, 2, 3, 4, 5, 9], [7, 8]]
    for value, again in zip(values, vectors.values(joined), strict=True):
        np.testing.assert_array_equal(again, value)
