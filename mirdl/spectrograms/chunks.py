"""Chunks: the network's examples, cut from the spectrograms when a batch needs them."""

import copy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from typing import Self

import numpy as np

from mirdl.spectrograms.augmentation import Draws, altered, draw, mixed_targets, picked
from mirdl.spectrograms.store import Stored
from mirdl.strengths import strengths


def chunk_starts(frames: int, parameters: dict) -> range:
    """Return the first frame of each chunk of a spectrogram.

    Parameters
    ----------
    frames : int
        Width of the spectrogram.
    parameters : dict
        DS.xInput is the width of a chunk and chunkHop the distance between chunks, in frames. With
        asPublished the last full chunk is missing, as in the published program, so a song
        shorter than xInput + chunkHop frames has none.

    Returns
    -------
    range
    """
    width, hop = parameters["DS"]["xInput"], parameters["chunkHop"]
    if parameters["asPublished"]:
        return range(0, (frames - width) // hop * hop, hop)
    return range(0, frames - width + 1, hop)


class Chunks:
    """Examples of equal width from a list of songs, and the batches that they make.

    Parameters
    ----------
    spectrograms : list of ndarray or Stored
        float32, (bands, frames); shared, not copied.
    labels : ndarray
        (songs,), the class of each song.
    starts : list of sequence of int
        For each song the first frame of each of its chunks.
    width : int
        Frames per chunk (xInput).
    mean, std : ndarray
        float32, (songs,): a chunk is (spectrogram - mean) / std of its song.
    batch_size : int
        Chunks per batch.
    drop_incomplete : bool
        Whether `batches` leaves out an incomplete last batch, as the published program does.
    places : ndarray of int, optional
        (songs,), the index of each song in the data set.

    Attributes
    ----------
    labels, mean, std, batch_size, places
        As given.
    song : ndarray
        (chunks,), the index of each chunk's song in `spectrograms`.
    start : ndarray
        (chunks,), the first frame of each chunk.
    y : ndarray
        (chunks,), the class of each chunk.
    draws : Draws
        How each chunk is altered; not at all, except in what `augmented` gives.
    """

    def __init__(
        self,
        spectrograms: list[np.ndarray | Stored],
        labels: np.ndarray,
        starts: list[range],
        width: int,
        mean: np.ndarray,
        std: np.ndarray,
        *,
        batch_size: int,
        drop_incomplete: bool = False,
        places: np.ndarray | None = None,
    ) -> None:
        self.spectrograms, self.width, self.places = spectrograms, width, places
        self.mean, self.std = mean, std
        self.batch_size, self._drop_incomplete = batch_size, drop_incomplete
        self.labels = np.asarray(labels)
        self.song = np.repeat(np.arange(len(starts)), list(map(len, starts)))
        self.start = np.fromiter(chain.from_iterable(starts), np.int64)
        self.y = self.labels[self.song]
        self.draws = Draws()

    def __len__(self) -> int:
        """Return the number of chunks."""
        return len(self.song)

    @property
    def bands(self) -> int:
        """How many bands a chunk has."""
        return self.spectrograms[0].shape[0] if self.spectrograms else 0

    def shuffle(self, rng: np.random.RandomState) -> None:
        """Put the chunks into a random order: one permutation drawn from `rng`."""
        order = rng.permutation(len(self))
        self.song, self.start, self.y = self.song[order], self.start[order], self.y[order]

    def augmented(self, augment: str, rng: np.random.RandomState) -> Self:
        """Give the chunks as they are in one epoch, altered as DS.augment says.

        The songs are shared, not copied. Nothing is drawn from `rng` if `augment` is ''.
        """
        asked = strengths(augment)
        if not asked:
            return self
        frames = np.array([spectrogram.shape[1] for spectrogram in self.spectrograms])[self.song]
        epoch = copy.copy(self)
        epoch.start, epoch.draws = draw(self.start, frames, self.bands, self.width, asked, rng)
        return epoch

    def batches(self, order: np.ndarray | None = None) -> list[np.ndarray]:
        """Divide the chunks into batches.

        Parameters
        ----------
        order : ndarray of int, optional
            Indices of chunks; by default all chunks as they stand.

        Returns
        -------
        list of ndarray of int
            (batch_size,) each; the last one is shorter if the chunks run out, or is dropped if
            `drop_incomplete`.
        """
        batches = self._split(order)
        if self._drop_incomplete and batches and len(batches[-1]) < self.batch_size:
            batches.pop()
        return batches

    def filled_batches(self, order: np.ndarray | None = None) -> list[np.ndarray]:
        """Divide the chunks into batches of one size, because another would be compiled anew.

        Parameters
        ----------
        order : ndarray of int, optional
            Indices of chunks; by default all chunks as they stand.

        Returns
        -------
        list of ndarray of int
            (batch_size,) each. An incomplete last batch is filled up by repeating its chunks:
            of the results only the first len(order) count.
        """
        return [np.resize(batch, self.batch_size) for batch in self._split(order)]

    def ahead(self, batches: list[np.ndarray]) -> Iterator[tuple[np.ndarray, ...]]:
        """Yield `self[batch]` for each batch while the next one is cut out in the background."""
        with ThreadPoolExecutor(1) as reader:
            coming = [reader.submit(self.__getitem__, batch) for batch in batches[:1]]
            for batch in batches[1:]:
                coming.append(reader.submit(self.__getitem__, batch))
                yield coming.pop(0).result()
            for last in coming:
                yield last.result()

    def __getitem__(self, which: np.ndarray) -> tuple[np.ndarray, ...]:
        """Cut out chunks.

        Parameters
        ----------
        which : ndarray of int
            Indices of chunks.

        Returns
        -------
        x : ndarray
            float32, (chunks, 1, bands, width), normalised and altered.
        y : ndarray
            (chunks,), the classes.
        other : ndarray, only with mixup
            int32, (chunks,), the classes of what was mixed in.
        weight : ndarray, only with mixup
            float32, (chunks,), of the classes `y`.
        """
        x = np.empty((len(which), 1, self.bands, self.width), np.float32)
        for row, chunk in zip(x, which, strict=True):
            song = self.song[chunk]
            np.subtract(self._window(chunk), self.mean[song], out=row[0])
            row /= self.std[song]
        y, draws = self.y[which], picked(self.draws, which)
        return altered(x, draws, np), y, *mixed_targets(y, draws, np)

    def _window(self, chunk: int) -> np.ndarray:
        """Read the frames of a chunk, not yet normalised: (bands, width)."""
        song, start = self.spectrograms[self.song[chunk]], self.start[chunk]
        if self.draws.factor is None:
            return song[:, start:start + self.width]
        places = self.draws.factor[chunk] * np.arange(self.width, dtype=np.float32)
        before = places.astype(int)
        share = places - before
        part = song[:, start:start + before[-1] + 2]
        return part[:, before] * (1 - share) + part[:, before + 1] * share

    def _split(self, order: np.ndarray | None) -> list[np.ndarray]:
        order = np.arange(len(self)) if order is None else order
        return [
            order[first:first + self.batch_size] for first in range(0, len(order), self.batch_size)
        ]
