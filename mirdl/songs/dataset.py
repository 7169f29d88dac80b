"""The songs of a data set, the data set with their spectrograms, and one fold of it."""

import hashlib
import os
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from mirdl.songs.tags import BETWEEN, Tags, several
from mirdl.spectrograms.chunks import Chunks
from mirdl.spectrograms.normalisation import moments
from mirdl.spectrograms.store import Stored


@dataclass(eq=False)
class Songs:
    """What a loader of loadDatasets.py says about the songs of a data set.

    Attributes
    ----------
    files : dict
        Name of each song -> (path of its file, its tag). The name is a path below the folder of
        the data set. In place of the tag a loader may give a tuple of tags, or an empty one; where
        one song has several, `mirdl.songs.loaders.songs_of` gives a tuple for each.
    groups : dict of str or None
        Name of each song -> its group; the songs of a group stay in one fold. `DS.groups`
        replaces it if it is set.
    splits : dict of dict
        By name, what DS.split can choose. A split: name of a song -> its fold (folds are tested in
        the order of their names or numbers), or "train", "validation" or "test". Songs that it
        does not have are left out.
    split : str
        The split that counts if DS.split is empty; "" for none.
    replicas : tuple of tuple of str
        Pairs of songs that are the same recording, for DS.replicas.
    notes : list of str
        Lines that are printed when the data set is loaded.
    others : dict of str
        Name -> path of songs that are not used now; their spectrograms are kept.
    stretches : tuple of mirdl.songs.stretches.Stretch
        If DS.labels gives tags to stretches of time: these. `files` has the recordings, or after
        `mirdl.songs.stretches.divided` the stretches, each with the path of its recording.
    """

    files: dict[str, tuple[str, Tags]]
    groups: dict[str, str] | None = None
    splits: dict[str, dict[str, int | str]] = field(default_factory=dict)
    split: str = ""
    replicas: tuple[tuple[str, str], ...] = ()
    notes: list[str] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)
    stretches: tuple = ()

    @property
    def paths(self) -> dict[str, str]:
        """Name of each song -> path."""
        return {name: path for name, (path, _) in self.files.items()}

    @property
    def recordings(self) -> dict[str, str]:
        """Name of each song, or of each recording of stretches -> path."""
        if not self.stretches:
            return self.paths
        return {each.recording: self.files[each.name][0] for each in self.stretches}

    @property
    def several(self) -> bool:
        """Whether a song may have several tags, or none."""
        return several(self.tags)

    @property
    def tags(self) -> dict[str, Tags]:
        """Name of each song -> tag, or a tuple of tags."""
        return {name: tag for name, (_, tag) in self.files.items()}


@dataclass(eq=False)
class DataSet:
    """The songs of a data set, in the shuffled order from which folds are made.

    Attributes
    ----------
    classes : list of str
        The tags, sorted; a label is the index of a tag.
    names : list of str
        Of each song, a path below the folder of the data set.
    labels : ndarray
        (songs,), unsigned integers; or where a song may have several tags float32, (songs,
        classes), 1 for those that it has.
    spectrograms : list of ndarray or Stored
        float32, (bands, frames); compressed as DS.inputNorm says, not yet normalised.
    groups : list of str or None
        The group of each song; the songs of a group stay in one fold.
    split : list or None
        If the split is given (DS.split): of each song the number of the fold that tests it, or its
        part, "train", "validation" or "test".
    songs : Songs or None
        Where it was made from them, perhaps with others.
    mean, variance : ndarray
        float64, (songs,), of each spectrogram.
    """

    classes: list[str]
    names: list[str]
    labels: np.ndarray
    spectrograms: list[np.ndarray | Stored]
    groups: list[str] | None = None
    split: list[int] | list[str] | None = None
    songs: Songs | None = None

    def __post_init__(self) -> None:
        """Compute the mean and variance of each spectrogram."""
        self.mean, self.variance = np.array(list(map(moments_of, self.spectrograms))).T

    @property
    def several(self) -> bool:
        """Whether a song may have several tags, or none."""
        return self.labels.ndim == 2

    @property
    def has(self) -> np.ndarray:
        """Which song has which tag: bool, (songs, classes)."""
        if self.several:
            return self.labels > 0
        return self.labels[:, None] == np.arange(len(self.classes))

    @property
    def tags(self) -> list[str]:
        """The tag of each song; several are joined by `BETWEEN`."""
        return [BETWEEN.join(self.classes[label] for label in np.flatnonzero(row))
                for row in self.has]

    @property
    def in_memory(self) -> bool:
        """Whether the spectrograms are arrays, not read from disk."""
        return not any(isinstance(spectrogram, Stored) for spectrogram in self.spectrograms)

    def fingerprint(self) -> dict:
        """Return what identifies the songs: order, tags, groups, split and spectrograms.

        Returns
        -------
        dict
            "songs": a hash of names, groups, the split if it is given, and the tags if they are
            not the first folders of the names; "mean" and "variance": ndarray, (songs,).
        """
        known = [self.names, self.groups]
        tags = self.tags
        if tags != [name.split(os.sep)[0] for name in self.names]:
            known.append(("tags", tags))
        if self.split is not None:
            known.append(("split", self.split))
        songs = hashlib.sha256(repr(tuple(known)).encode()).hexdigest()
        return {"songs": songs, "mean": self.mean, "variance": self.variance}

    def fits(self, fingerprint: dict) -> bool:
        """Tell whether this is the data set of a fingerprint.

        The spectrograms may differ as much as processors round differently.
        """
        own = self.fingerprint()
        return own["songs"] == fingerprint["songs"] and all(
            np.allclose(own[part], fingerprint[part], 1e-5) for part in ("mean", "variance")
        )


def moments_of(song: np.ndarray | Stored) -> tuple[float, float]:
    """Give the mean and variance of a spectrogram."""
    return song.moments if isinstance(song, Stored) else moments(song)


class Split(NamedTuple):
    """The songs of a fold, as indices into the data set.

    Attributes
    ----------
    train, validation, test : ndarray of int
        Sorted; each song is in one part, or in none if trainShare leaves it out.
    """

    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray


@dataclass(eq=False)
class Fold:
    """One fold of the cross-validation, ready for training and test.

    Attributes
    ----------
    songs : Split
        Indices of the training, validation and test songs.
    train, validation, test : Chunks
        Their chunks, which know the batch size and whether an incomplete last batch is dropped.
    mean, std : ndarray
        float32, (songs of the data set,) or (songs, bands, 1), by which each song is normalised.
    """

    songs: Split
    train: Chunks
    validation: Chunks
    test: Chunks
    mean: np.ndarray
    std: np.ndarray
