"""Songs pieced together from others: all their sounds, but in an order that no song has.

They stand in for foreign songs where none are known, as in D. Hendrycks, M. Mazeika and
T. Dietterich, 'Deep anomaly detection with outlier exposure', ICLR 2019.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from mirdl.spectrograms.texture import energies_of

COUNT = 100
LONGEST = 15            # seconds
PIECES = 0.07, 0.7      # seconds, the shortest and the longest piece of a song
SONGS = 2, 7            # whose pieces are joined


def pieced_together(spectrograms: Sequence, second: float,
                    logarithm: bool = True) -> Iterator[np.ndarray]:
    """Piece songs together, always the same ones.

    Every other one consists of pieces of a few songs. The others have the mean of each band of one
    song and the loudness of another.

    Parameters
    ----------
    spectrograms : sequence of ndarray or Stored
        (bands, frames), of songs in which something sounds.
    second : float
        Seconds from one frame to the next.
    logarithm : bool
        Whether they are compressed.

    Yields
    ------
    ndarray
        float32, (bands, frames): energies.
    """
    rng = np.random.RandomState(0)

    def drawn() -> np.ndarray:
        song = np.asarray(spectrograms[rng.randint(len(spectrograms))])
        energies = energies_of(song[:, :round(LONGEST / second)], logarithm)
        return energies / max(energies.mean(), np.finfo(np.float32).tiny)
    for number in range(COUNT):
        if number % 2:
            yield np.float32(drawn().mean(axis=1, keepdims=True) * drawn().mean(axis=0))
        else:
            songs = [drawn() for _ in range(rng.randint(SONGS[0], SONGS[1] + 1))]
            yield np.float32(_joined(songs, second, rng))


def _joined(songs: list[np.ndarray], second: float, rng: np.random.RandomState) -> np.ndarray:
    """Join pieces until they are as long as the first song: half of the time all of one length."""
    shortest, longest = (max(round(seconds / second), 1) for seconds in PIECES)
    one, is_even = rng.randint(shortest, longest + 1), rng.randint(2)
    pieces, missing = [], songs[0].shape[1]
    while missing > 0:
        song = songs[rng.randint(len(songs))]
        length = min(one if is_even else rng.randint(shortest, longest + 1), song.shape[1])
        start = rng.randint(song.shape[1] - length + 1)
        pieces.append(song[:, start:start + min(length, missing)])
        missing -= length
    return np.concatenate(pieces, axis=1)
