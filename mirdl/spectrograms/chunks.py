"""Chunks: the network's examples, cut from the spectrograms when a batch needs them."""

import copy
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import KW_ONLY, InitVar, dataclass
from itertools import chain
from typing import Self

import numpy as np

from mirdl.spectrograms.augmentation import Draws, altered, draw, mixed_targets, picked
from mirdl.spectrograms.store import Stored
from mirdl.strengths import strengths

FILLS = {"pad": "constant", "repeat": "wrap"}       # DS.short -> the mode of np.pad


def chunk_starts(frames: int, parameters: dict) -> range:
    """Return the first frame of each chunk of a spectrogram.

    Parameters
    ----------
    frames : int
        Width of the spectrogram.
    parameters : dict
        DS.xInput is the width of a chunk and chunkHop the distance between chunks, in frames. With
        asPublished the last full chunk is missing, as in the published program, so a song
        shorter than xInput + chunkHop frames has none. Unless DS.short is 'leave', a song that
        would have none has one, which `filled` lengthens if need be.

    Returns
    -------
    range
    """
    width, hop = parameters["DS"]["xInput"], parameters["chunkHop"]
    end = (frames - width) // hop * hop if parameters["asPublished"] else frames - width + 1
    return range(0, end if parameters["DS"]["short"] == "leave" else max(end, 1), hop)


def filled(spectrogram: np.ndarray, width: int, short: str) -> np.ndarray:
    """Lengthen a spectrogram that has fewer frames than a chunk.

    Parameters
    ----------
    spectrogram : ndarray
        (bands, frames), compressed, not yet normalised: no energy is 0.
    width : int
        Frames that it must have.
    short : {"leave", "pad", "repeat"}
        DS.short: by frames without energy, or by its own frames from the first on.

    Returns
    -------
    ndarray
        (bands, width), or the spectrogram itself if it is as long or longer.
    """
    missing = width - spectrogram.shape[1]
    return np.pad(spectrogram, ((0, 0), (0, missing)), FILLS[short]) if missing > 0 else spectrogram


@dataclass(eq=False, repr=False)
class Chunks:
    """Examples of equal width from a list of songs, and the batches that they make.

    Parameters
    ----------
    spectrograms : list of ndarray or Stored
        float32, (bands, frames); shared, not copied.
    labels : ndarray
        (songs,), the class of each song; or (songs, tags), 1 for those that it has. Then `y` and
        what is mixed in are (chunks, tags), float32.
    starts : list of sequence of int
        For each song the first frame of each of its chunks.
    width : int
        Frames per chunk (xInput).
    mean, std : ndarray
        float32, (songs,) or (songs, bands, 1): a chunk is (spectrogram - mean) / std of its song.
    batch_size : int
        Chunks per batch.
    short : str
        DS.short, of songs that have fewer than `width` frames; see `filled`.
    drop_incomplete : bool
        Whether `batches` leaves out an incomplete last batch, as the published program does.
    places : ndarray of int, optional
        (songs,), the index of each song in the data set.

    Attributes
    ----------
    song : ndarray
        (chunks,), the index of each chunk's song in `spectrograms`.
    start : ndarray
        (chunks,), the first frame of each chunk.
    y : ndarray
        (chunks,), the class of each chunk.
    draws : Draws
        How each chunk is altered; not at all, except in what `augmented` gives.
    """

    spectrograms: list[np.ndarray | Stored]
    labels: np.ndarray
    starts: InitVar[list[range]]
    width: int
    mean: np.ndarray
    std: np.ndarray
    _: KW_ONLY
    batch_size: int
    short: str = "leave"
    drop_incomplete: bool = False
    places: np.ndarray | None = None

    def __post_init__(self, starts: list[range]) -> None:
        """List the chunks."""
        self.labels = np.asarray(self.labels)
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
        frames = [max(spectrogram.shape[1], self.width) for spectrogram in self.spectrograms]
        frames = np.array(frames)[self.song]
        epoch = copy.copy(self)
        epoch.start, epoch.draws = draw(self.start, frames, self.bands, self.width, asked, rng)
        return epoch

    def batches(self, order: np.ndarray | None = None, full: bool = False) -> list[np.ndarray]:
        """Divide the chunks into batches.

        Parameters
        ----------
        order : ndarray of int, optional
            Indices of chunks; by default all chunks as they stand.
        full : bool
            Whether an incomplete last batch is filled up by repeating its chunks, because another
            size would be compiled anew: of the results only the first len(order) count.

        Returns
        -------
        list of ndarray of int
            (batch_size,) each. Unless it is filled up, the last one is shorter if the chunks run
            out, or is dropped if `drop_incomplete`.
        """
        order = np.arange(len(self)) if order is None else order
        batches = [
            order[first:first + self.batch_size] for first in range(0, len(order), self.batch_size)
        ]
        if full:
            return [np.resize(batch, self.batch_size) for batch in batches]
        if self.drop_incomplete and batches and len(batches[-1]) < self.batch_size:
            batches.pop()
        return batches

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
        if self.draws.factor is None:
            return self._frames(chunk, self.width)
        places = self.draws.factor[chunk] * np.arange(self.width, dtype=np.float32)
        before = places.astype(int)
        share = places - before
        part = self._frames(chunk, before[-1] + 2)
        return part[:, before] * (1 - share) + part[:, before + 1] * share

    def _frames(self, chunk: int, count: int) -> np.ndarray:
        """Read so many frames from the start of a chunk on: (bands, count)."""
        song, start = self.spectrograms[self.song[chunk]], self.start[chunk]
        return filled(song[:, start:start + count], count, self.short)
