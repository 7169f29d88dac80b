import numpy as np
import pytest

from mirdl.spectrograms.chunks import Chunks, batches


def chunks():
    songs = [np.arange(20, dtype=np.float32).reshape(2, 10), 100 + np.arange(12, dtype=np.float32).reshape(2, 6)]
    return Chunks(songs, np.array([3, 1], np.uint8), [range(0, 7, 3), range(0, 3, 2)], 4,
                  np.float32([1, 2]), np.float32([2, 4]))


def test_chunks_are_cut_and_normalised():
    all = chunks()
    assert len(all) == 5
    x, y = all[np.arange(5)]
    assert x.shape == (5, 1, 2, 4) and x.dtype == np.float32
    assert y.tolist() == [3, 3, 3, 1, 1] and y.dtype == np.uint8
    np.testing.assert_array_equal(x[1, 0], (np.array([[3, 4, 5, 6], [13, 14, 15, 16]]) - 1) / 2)
    np.testing.assert_array_equal(x[4, 0, 1], (108 + np.arange(4) - 2) / 4)


def test_shuffling_keeps_chunks_labels_and_songs_together():
    ordered, shuffled = chunks(), chunks()
    order = np.random.RandomState(5).permutation(5)
    shuffled.shuffle(np.random.RandomState(5))
    np.testing.assert_array_equal(shuffled[np.arange(5)][0], ordered[order][0])
    assert shuffled.y.tolist() == ordered.y[order].tolist() and shuffled.song.tolist() == ordered.song[order].tolist()


def test_batches():
    order = np.array([4, 2, 0, 1, 3])
    assert [batch.tolist() for batch in batches(order, 2, whole=True)] == [[4, 2], [0, 1]]
    assert [batch.tolist() for batch in batches(order, 2, whole=False)] == [[4, 2], [0, 1], [3]]
    assert batches(order, 6, whole=True) == []


def test_batches_read_ahead_are_those_asked_for_and_errors_come_through():
    all = chunks()
    for sizes in ([], [2], [2, 1, 3]):
        which = [np.arange(size) + place for place, size in enumerate(sizes)]
        for batch, (x, y) in zip(which, all.ahead(which), strict=True):
            np.testing.assert_array_equal(x, all[batch][0])
            np.testing.assert_array_equal(y, all[batch][1])
    with pytest.raises(IndexError):
        list(all.ahead([np.arange(2), np.array([99])]))
