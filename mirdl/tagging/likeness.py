"""How like the songs of a run a song is, so that one unlike all of them can be told.

A network gives any sound one of its tags. So a run learns how far its own test songs are from its
other songs, by two distances: that of their textures, whatever the network is, from the nearest
class, a normal distribution with a few main axes (M. Tipping and C. Bishop, 'Probabilistic
principal component analysis', 1999); and that of what enters the output layer from the nearest
training song.
"""

import os
from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np

from mirdl.errors import UserError
from mirdl.results import files
from mirdl.results.beside import fold_in, path_beside
from mirdl.results.models import Model, arrays_of
from mirdl.spectrograms.chunks import Chunks
from mirdl.system.whole_files import whole

ENDING = ".unknown"     # an .npz archive, named so as it is no model
LEAST = 0.02    # likeness, below which a song is unlike those of the run
AXES = 4
MOST = 500      # training songs of a fold that are kept, evenly chosen


class Classes(NamedTuple):
    """Normal distributions of textures, one for each class.

    Attributes
    ----------
    mean, std : ndarray
        (numbers,), by which textures are standardised.
    middle : ndarray
        (classes, numbers).
    axes : ndarray
        (classes, AXES, numbers), the directions along which the songs of a class differ most.
    variances : ndarray
        (classes, AXES), along these.
    rest : ndarray
        (classes,), the variance along any other direction.
    """

    mean: np.ndarray
    std: np.ndarray
    middle: np.ndarray
    axes: np.ndarray
    variances: np.ndarray
    rest: np.ndarray

    @classmethod
    def of(cls, songs: np.ndarray, labels: np.ndarray) -> Self:
        """Fit them to textures, (songs, numbers), of labels, (songs,)."""
        mean, std = _mean_and_std(songs)
        standard = (songs - mean) / std
        each = [_fitted(standard[labels == label]) for label in np.unique(labels)]
        return cls(mean, std, *(np.array(part, np.float32) for part in zip(*each, strict=True)))

    def distance(self, song: np.ndarray | None) -> float:
        """Give twice the negative log likelihood of a texture in the likeliest class."""
        if song is None:
            return np.inf
        away = (song - self.mean) / self.std - self.middle
        along = np.einsum("cn,can->ca", away, self.axes)
        others = np.maximum((away**2).sum(axis=1) - (along**2).sum(axis=1), 0)
        size = (np.log(self.variances).sum(axis=1)
                + (away.shape[1] - AXES) * np.log(self.rest))
        found = (along**2 / self.variances).sum(axis=1) + others / self.rest + size
        return float(found.min())


def _fitted(songs: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Fit one class, as if one song more varied in all directions as all songs do."""
    middle, (count, numbers) = songs.mean(axis=0), songs.shape
    _, values, found = np.linalg.svd(songs - middle, full_matrices=False)
    used = min(AXES, max(len(values) - 2, 0))
    rest = (np.sum(values[used:]**2) + numbers) / (count + 1) / numbers
    axes, variances = np.zeros((AXES, numbers)), np.full(AXES, rest)
    axes[:used] = found[:used]
    variances[:used] += values[:used]**2 / (count + 1)
    return middle, axes, variances, rest


class Known(NamedTuple):
    """What enters the output layer of a model for songs that it was trained on.

    Attributes
    ----------
    mean, std : ndarray
        (numbers,), by which it is standardised.
    songs : ndarray
        (songs, numbers), standardised, of length 1.
    """

    mean: np.ndarray
    std: np.ndarray
    songs: np.ndarray

    @classmethod
    def of(cls, songs: np.ndarray) -> Self:
        """Keep songs, (songs, numbers)."""
        mean, std = _mean_and_std(songs)
        kept = songs[np.linspace(0, len(songs) - 1, min(len(songs), MOST)).astype(int)]
        return cls(mean, std, _of_length_1((kept - mean) / std))

    def distance(self, song: np.ndarray) -> float:
        """Give 1 less the cosine of the angle to the nearest song."""
        return float(1 - (self.songs @ _of_length_1((song - self.mean) / self.std)).max())


def _mean_and_std(songs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, std = songs.mean(axis=0), songs.std(axis=0)
    return np.float32(mean), np.float32(np.where(std > 0, std, 1))


def _of_length_1(values: np.ndarray) -> np.ndarray:
    return np.float32(values / (np.linalg.norm(values, axis=-1, keepdims=True) + 1e-9))


class Likeness:
    """How like the songs of a run other songs are.

    Parameters
    ----------
    classes : Classes
        Of all songs of the run.
    known : dict of Known
        By the fold in a model's name, such as "f0".
    tested : ndarray
        (songs, 2), both distances of each test song, from what its fold did not test.
    """

    def __init__(self, classes: Classes, known: dict[str, Known], tested: np.ndarray) -> None:
        self.classes, self.known, self.tested = classes, known, tested
        self._middle, most = np.quantile(tested, (0.5, 1 - LEAST), axis=0)
        self._width = np.maximum(most - self._middle, 1e-9)
        self._farthest = np.sort(self._beyond(tested))

    def of(self, texture: np.ndarray | None, entering: dict[str, np.ndarray]) -> float:
        """Give the share of the test songs that are as unlike the run's songs as this one, or more.

        Parameters
        ----------
        texture : ndarray or None
            See `mirdl.spectrograms.texture`.
        entering : dict of ndarray
            By fold, what enters the output layer of its model, (numbers,), the mean over the
            song's chunks. Of several folds the mean distance counts.
        """
        away = np.mean([self.known[fold].distance(each) for fold, each in entering.items()])
        return self.of_distances(np.array([self.classes.distance(texture), away]))

    def of_distances(self, song: np.ndarray) -> float:
        """Give the same for both distances of a song, (2,)."""
        nearer = np.searchsorted(self._farthest, self._beyond(song))
        return float(1 - nearer / len(self._farthest))

    def _beyond(self, songs: np.ndarray) -> np.ndarray:
        """Bring both distances, (..., 2), to the scale of the test songs; give the larger ones."""
        return ((songs - self._middle) / self._width).max(axis=-1)


def songs_through(look: Callable, chunks: Chunks) -> np.ndarray:
    """Give what enters the output layer, the mean over each song's chunks: (songs, numbers).

    Songs without chunks are nan.
    """
    sums, places = np.zeros((len(chunks.labels), 1)), np.split(
        np.arange(len(chunks)), range(chunks.batch_size, len(chunks), chunks.batch_size))
    for (x, *_), batch in zip(chunks.ahead(chunks.filled_batches()), places, strict=False):
        found = look(x)[1][:len(batch)]
        sums = sums if sums.shape[1] == found.shape[1] else np.zeros((len(sums), found.shape[1]))
        np.add.at(sums, chunks.song[batch], found)
    with np.errstate(invalid="ignore"):
        return sums / np.bincount(chunks.song, minlength=len(sums))[:, None]


def learnt(textures: list[np.ndarray | None], labels: np.ndarray,
           folds: dict[str, tuple]) -> Likeness | None:
    """Learn it from the folds of a run.

    Parameters
    ----------
    textures : list of ndarray or None
        Of all songs.
    labels : ndarray of int
        (songs,).
    folds : dict of tuple
        By the fold's name: the songs that are tested, (songs,); and what enters the output layer
        for those that train and for these, (songs, numbers) each.

    Returns
    -------
    Likeness or None
        None if no song can be judged.
    """
    sounding = np.array([each is not None for each in textures])
    known, tested = {}, []
    for fold, (test, of_train, of_test) in folds.items():
        others = np.setdiff1d(np.flatnonzero(sounding), test)
        of_train = of_train[np.isfinite(of_train).all(axis=1)]
        if not len(others) or not len(of_train):
            continue
        classes = Classes.of(np.array([textures[song] for song in others]), labels[others])
        known[fold] = Known.of(of_train)
        tested += [(classes.distance(textures[song]), known[fold].distance(each))
                   for song, each in zip(test, of_test, strict=True)
                   if sounding[song] and np.isfinite(each).all()]
    if not tested:
        return None
    every = np.flatnonzero(sounding)
    classes = Classes.of(np.array([textures[song] for song in every]), labels[every])
    return Likeness(classes, known, np.array(tested))


def write(likeness: Likeness, run: str) -> None:
    """Write RUN.unknown."""
    arrays = {f"classes.{part}": each for part, each in likeness.classes._asdict().items()}
    for fold, known in likeness.known.items():
        arrays |= {f"{fold}.{part}": each for part, each in known._asdict().items()}
    with whole(files.path_of(run, ENDING), "wb") as file:
        np.savez(file, tested=likeness.tested, **arrays)


def read(models: list[Model]) -> Likeness | None:
    """Read what lies beside models of a run; None without such a file, or for other models.

    Raises
    ------
    UserError
        If it is damaged.
    """
    path = path_beside(models[0], ENDING)
    if not os.path.exists(path):
        return None
    try:
        arrays = arrays_of(path)
        tested = arrays.pop("tested")
        parts = {}
        for key, each in arrays.items():
            owner, _, part = key.partition(".")
            parts.setdefault(owner, {})[part] = each
        classes = Classes(**parts.pop("classes"))
        known = {fold: Known(**each) for fold, each in parts.items()}
        if tested.ndim != 2 or not len(tested):
            raise ValueError("it has no songs")
    except Exception as error:      # a damaged archive can raise nearly anything
        raise UserError(f"{path!r} is damaged: expected what a run writes to tell unknown songs; "
                        f"remove the file to do without it ({error})") from error
    is_known = {fold_in(model) for model in models} <= set(known)
    return Likeness(classes, known, tested) if is_known else None
