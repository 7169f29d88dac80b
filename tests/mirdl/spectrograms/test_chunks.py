import numpy as np
import pytest

from mirdl.spectrograms.chunks import Chunks, chunk_starts, filled


def starts(frames, width, hop, as_published, short="leave"):
    parameters = {"DS": {"xInput": width, "short": short}, "chunkHop": hop,
                  "asPublished": as_published}
    return list(chunk_starts(frames, parameters))


def test_chunk_starts_equal_the_originals(oracle):
    for case in oracle("chunk.json"):
        assert starts(case["T"], case["n"], case["h"], as_published=True) == case["starts"]


def test_chunks_without_the_published_loss():
    assert starts(500, 250, 250, False) == [0, 250]
    assert starts(250, 250, 80, False) == [0]
    assert starts(249, 250, 80, False) == []
    assert starts(253, 250, 1, False) == [0, 1, 2, 3]
    assert starts(100, 250, 80, True) == []


def test_a_song_too_short_for_a_chunk_has_one_if_it_may_be_lengthened():
    for short in ("pad", "repeat"):
        assert starts(100, 250, 80, False, short) == starts(329, 250, 80, True, short) == [0]
        assert starts(330, 250, 80, True, short) == starts(329, 250, 80, False, short) == [0]
        assert starts(410, 250, 80, True, short) == starts(330, 250, 80, False, short) == [0, 80]


def test_a_short_song_is_lengthened_to_a_chunk():
    song = np.float32([[1, 2, 3], [4, 5, 6]])
    assert filled(song, 8, "pad").tolist() == [[1, 2, 3, 0, 0, 0, 0, 0], [4, 5, 6, 0, 0, 0, 0, 0]]
    assert filled(song, 8, "repeat").tolist() == [[1, 2, 3, 1, 2, 3, 1, 2],
                                                  [4, 5, 6, 4, 5, 6, 4, 5]]
    assert filled(song, 3, "leave") is filled(song, 2, "pad") is song


def test_frames_without_energy_are_normalised_like_the_rest():
    chunks = Chunks([np.float32([[5, 7, 9]])], [0], [[0]], 5, np.float32([3]), np.float32([2]),
                    batch_size=1, short="pad")
    assert chunks[np.arange(1)][0].tolist() == [[[[1, 2, 3, -1.5, -1.5]]]]


def five_chunks(batch_size=2, **options):
    songs = [
        np.arange(20, dtype=np.float32).reshape(2, 10),
        100 + np.arange(12, dtype=np.float32).reshape(2, 6),
    ]
    return Chunks(songs, np.array([3, 1], np.uint8), [range(0, 7, 3), range(0, 3, 2)], 4,
                  np.float32([1, 2]), np.float32([2, 4]), batch_size=batch_size, **options)


def test_chunks_are_cut_and_normalised():
    chunks = five_chunks()
    assert len(chunks) == 5
    x, y = chunks[np.arange(5)]
    assert x.shape == (5, 1, 2, 4) and x.dtype == np.float32
    assert y.tolist() == [3, 3, 3, 1, 1] and y.dtype == np.uint8
    expected = (np.array([[3, 4, 5, 6], [13, 14, 15, 16]]) - 1) / 2
    np.testing.assert_array_equal(x[1, 0], expected)
    np.testing.assert_array_equal(x[4, 0, 1], (108 + np.arange(4) - 2) / 4)


def test_one_song_has_chunks_and_no_song_has_none():
    song = np.arange(8, dtype=np.float32).reshape(2, 4)
    one = Chunks([song], [2], [[0, 1]], 3, [0], [1], batch_size=2)
    np.testing.assert_array_equal(one[np.arange(2)][0][:, 0], [song[:, :3], song[:, 1:]])
    none = Chunks([], [], [], 3, [], [], batch_size=2)
    assert (len(none), none.bands, none.batches()) == (0, 0, [])


def test_shuffling_keeps_chunks_labels_and_songs_together():
    ordered, shuffled = five_chunks(), five_chunks()
    order = np.random.RandomState(5).permutation(5)
    shuffled.shuffle(np.random.RandomState(5))
    np.testing.assert_array_equal(shuffled[np.arange(5)][0], ordered[order][0])
    assert shuffled.y.tolist() == ordered.y[order].tolist()
    assert shuffled.song.tolist() == ordered.song[order].tolist()


def as_lists(batches):
    return [batch.tolist() for batch in batches]


def test_batches():
    order = np.array([4, 2, 0, 1, 3])
    chunks, published = five_chunks(), five_chunks(drop_incomplete=True)
    assert as_lists(chunks.batches(order)) == [[4, 2], [0, 1], [3]]
    assert as_lists(published.batches(order)) == [[4, 2], [0, 1]]
    assert as_lists(published.batches(order[:4])) == [[4, 2], [0, 1]]
    assert as_lists(chunks.batches()) == [[0, 1], [2, 3], [4]]
    assert five_chunks(6, drop_incomplete=True).batches() == chunks.batches(order[:0]) == []
    many = Chunks([np.zeros((1, 300))], [0], [range(300)], 1, [0], [1], batch_size=300,
                  drop_incomplete=True)
    assert list(map(len, many.batches())) == [300]


def test_filled_batches_have_one_size_and_lose_no_chunk():
    order = np.array([4, 2, 0, 1, 3])
    for drop_incomplete in (True, False):
        chunks = five_chunks(3, drop_incomplete=drop_incomplete)
        assert as_lists(chunks.batches(order, full=True)) == [[4, 2, 0], [1, 3, 1]]
        assert as_lists(chunks.batches(order[:3], full=True)) == [[4, 2, 0]]
        assert as_lists(chunks.batches(full=True)) == [[0, 1, 2], [3, 4, 3]]
    assert as_lists(five_chunks(12).batches(order[:2], full=True)) == [[4, 2] * 6]


def test_batches_read_ahead_are_those_asked_for_and_errors_come_through():
    chunks = five_chunks()
    for sizes in ([], [2], [2, 1, 3]):
        which = [np.arange(size) + place for place, size in enumerate(sizes)]
        for batch, (x, y) in zip(which, chunks.ahead(which), strict=True):
            np.testing.assert_array_equal(x, chunks[batch][0])
            np.testing.assert_array_equal(y, chunks[batch][1])
    with pytest.raises(IndexError):
        list(chunks.ahead([np.arange(2), np.array([99])]))
