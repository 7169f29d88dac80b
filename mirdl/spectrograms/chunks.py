"""Chunks: the network's examples, cut out of the spectrograms when a batch asks for them and never stored."""

from concurrent.futures import ThreadPoolExecutor
from itertools import chain

import numpy as np


class Chunks:
    """Examples of equal width from a list of songs.

    Parameters
    ----------
    spectrograms : list of ndarray
        float32, (bands, frames); shared, not copied.
    labels : ndarray
        (songs,), the class of each song.
    starts : list of sequence of int
        For each song the first frame of each of its chunks.
    width : int
        Frames of a chunk (xInput).
    mean, std : ndarray
        float32, (songs,): each chunk comes as (spectrogram - mean) / std of its song.
    places : ndarray of int, optional
        (songs,), where each song stands in the data set.

    Attributes
    ----------
    labels : ndarray
        (songs,), as given.
    song : ndarray
        (chunks,), the song's place in `spectrograms`.
    y : ndarray
        (chunks,), the song's class.
    """

    def __init__(self, spectrograms, labels, starts, width, mean, std, places=None):
        self.spectrograms, self.width, self.mean, self.std, self.places = spectrograms, width, mean, std, places
        self.labels = np.asarray(labels)
        self.song = np.repeat(np.arange(len(starts)), [len(places) for places in starts])
        self.start = np.fromiter(chain.from_iterable(starts), np.int64)
        self.y = self.labels[self.song]

    def __len__(self):
        return len(self.song)

    def shuffle(self, rng):
        """Put the chunks into a random order (one permutation drawn from `rng`)."""
        order = rng.permutation(len(self))
        self.song, self.start, self.y = self.song[order], self.start[order], self.y[order]

    def __getitem__(self, which):
        """x: (chunks, 1, bands, width) float32, and y: (chunks,), of the chunks `which` (an array of indices)."""
        bands = self.spectrograms[0].shape[0] if self.spectrograms else 0
        x = np.empty((len(which), 1, bands, self.width), np.float32)
        for row, chunk in zip(x, which):
            song, start = self.song[chunk], self.start[chunk]
            np.subtract(self.spectrograms[song][:, start:start + self.width], self.mean[song], out=row[0])
            row /= self.std[song]
        return x, self.y[which]

    def ahead(self, batches):
        """Yield `self[batch]` for each of `batches`; the next one is cut out meanwhile, in the background."""
        with ThreadPoolExecutor(1) as reader:
            coming = [reader.submit(self.__getitem__, batch) for batch in batches[:1]]
            for batch in batches[1:]:
                coming.append(reader.submit(self.__getitem__, batch))
                yield coming.pop(0).result()
            for last in coming:
                yield last.result()


def batches(order, size, whole):
    """Split `order`, an array of indices, into batches of `size`; an incomplete last one is dropped if `whole`."""
    last = len(order) - size + 1 if whole else len(order)
    return [order[start:start + size] for start in range(0, last, size)]
