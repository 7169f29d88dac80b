import numpy as np
import pytest
from conftest import PIECED

from mirdl.spectrograms.normalisation import compress
from mirdl.spectrograms.pieced import LONGEST, pieced_together

SECOND = 1024 / 44100
BANDS = 4
pytestmark = pytest.mark.usefixtures("all_pieced")


def songs(counts=(300, 200, 900), seed=0):
    """Make energies of songs: song i has the numbers i.xxx, so that its pieces can be told."""
    rng = np.random.RandomState(seed)
    return [np.float32(place + 1 + rng.uniform(0, 0.5, (BANDS, count)))
            for place, count in enumerate(counts)]


def test_every_other_song_is_joined_from_pieces():
    own = songs()
    made = list(pieced_together(own, SECOND, logarithm=False))
    assert len(made) == PIECED and {each.dtype for each in made} == {np.dtype(np.float32)}
    frames = {song.shape[1] for song in made[::2]}
    assert frames == {300, 200, round(LONGEST / SECOND)}, "as long as one of the songs"
    columns = {tuple(np.round(frame, 4)) for song in own
               for frame in (song / song[:, :round(LONGEST / SECOND)].mean()).T}
    for song in made[::2]:
        assert {tuple(np.round(frame, 4)) for frame in song.T} <= columns
    lengths = [piece_lengths(song, own) for song in made[:40:2]]
    assert 3 <= np.median(np.concatenate(lengths)) <= 30
    even = [len(set(each[:-1])) == 1 for each in lengths if len(each) > 9]
    assert 3 < sum(even) < len(even) - 3, "half of the time all pieces have one length"


def piece_lengths(song, own):
    """Return for how many frames the song goes on as one of the own songs does."""
    places = {}
    for number, each in enumerate(own):
        scaled = each / each[:, :round(LONGEST / SECOND)].mean()
        places |= {tuple(np.round(frame, 4)): (number, place)
                   for place, frame in enumerate(scaled.T)}
    found = [places[tuple(np.round(frame, 4))] for frame in song.T]
    breaks = [place for place in range(1, len(found))
              if found[place] != (found[place - 1][0], found[place - 1][1] + 1)]
    return np.diff([0, *breaks, len(found)])


def test_the_others_have_the_bands_of_one_song_and_the_loudness_of_another():
    first, second = np.ones((2, BANDS, 100), np.float32)
    first[0] = 5
    second[:, ::2] = 3
    made = list(pieced_together([first, second], SECOND, logarithm=False))[1::2]
    shapes = {(round(song[0, 0] / song[1, 0], 3), round(song[0, 0] / song[0, 1], 3))
              for song in made}
    assert shapes == {(5, 3), (5, 1), (1, 3), (1, 1)}


def test_gain_and_compression_do_not_count():
    own = songs()
    plain = list(pieced_together(own, SECOND, logarithm=False))
    other = pieced_together([compress(0.001 * song, "log0m1v") for song in own], SECOND)
    for song, again in zip(plain, other, strict=True):
        np.testing.assert_allclose(again, song, rtol=1e-3)


@pytest.mark.parametrize("counts", [(1,), (2, 3), (5,)])
def test_a_single_short_song_is_enough(counts):
    made = list(pieced_together(songs(counts), SECOND, logarithm=False))
    assert len(made) == PIECED and all(np.isfinite(song).all() for song in made)
