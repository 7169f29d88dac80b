"""A data set, and one fold of it."""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mirdl.spectrograms.chunks import Chunks
from mirdl.spectrograms.normalisation import moments
from mirdl.spectrograms.store import Stored


@dataclass(eq=False)
class DataSet:
    """The songs of a data set, in the shuffled order from which folds are made.

    Attributes
    ----------
    classes : list of str
        The tags, sorted; a label is the index of a tag.
    names : list of str
        TAG/file of each song.
    labels : ndarray
        (songs,), unsigned integers.
    spectrograms : list of ndarray or Stored
        float32, (bands, frames); compressed as DS.inputNorm says, not yet normalised.
    groups : list of str or None
        The group of each song; the songs of a group stay in one fold.
    mean, variance : ndarray
        float64, (songs,), of each spectrogram.
    """

    classes: list[str]
    names: list[str]
    labels: np.ndarray
    spectrograms: list[np.ndarray | Stored]
    groups: list[str] | None = None

    def __post_init__(self) -> None:
        """Compute the mean and variance of each spectrogram."""
        each = [
            song.moments if isinstance(song, Stored) else moments(song)
            for song in self.spectrograms
        ]
        self.mean, self.variance = np.array(each).T

    @property
    def in_memory(self) -> bool:
        """Whether the spectrograms are arrays, not read from disk."""
        return not any(isinstance(spectrogram, Stored) for spectrogram in self.spectrograms)

    def fingerprint(self) -> dict:
        """Return what identifies the songs, their order, groups and spectrograms.

        Returns
        -------
        dict
            "songs": a hash of names and groups; "mean" and "variance": ndarray, (songs,).
        """
        songs = hashlib.sha256(repr((self.names, self.groups)).encode()).hexdigest()
        return {"songs": songs, "mean": self.mean, "variance": self.variance}

    def fits(self, fingerprint: dict) -> bool:
        """Tell whether this is the data set of a fingerprint.

        The spectrograms may differ by what another processor rounds differently.
        """
        own = self.fingerprint()
        return own["songs"] == fingerprint["songs"] and all(
            np.allclose(own[part], fingerprint[part], 1e-5) for part in ("mean", "variance")
        )


class Split(NamedTuple):
    """The songs of a fold, as indices into the data set.

    Attributes
    ----------
    train, validation, test : ndarray of int
        Sorted; together all songs, each in one part.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


@dataclass(eq=False)
class Fold:
    """One fold of the cross-validation, ready for training and test.

    Attributes
    ----------
    number : int
        From 0.
    songs : Split
        Indices of the training, validation and test songs.
    train, validation, test : Chunks
        Their chunks, which know the batch size and whether an incomplete last batch is dropped.
    mean, std : ndarray
        float32, (songs of the data set,), by which each song is normalised.
    batch_size : int
        Chunks per batch.
    """

    number: int
    songs: Split
    train: Chunks
    validation: Chunks
    test: Chunks
    mean: np.ndarray
    std: np.ndarray
    batch_size: int
