"""How like the songs of a run a song is, so that one unlike all of them can be told.

A network gives any sound one of its tags. So a run learns how far its own test songs are from its
other songs, whatever the network is. Up to three distances are compared: that of a song's texture
from the nearest class, a normal distribution with a few main axes (M. Tipping and C. Bishop,
'Probabilistic principal component analysis', 1999); how far its texture lies towards those of songs
pieced together from the run's; and that of musicnn's numbers for it from the nearest song's.
"""

import os
from collections.abc import Callable
from typing import NamedTuple, Self

import numpy as np

from mirdl.errors import UserError
from mirdl.results import files
from mirdl.results.beside import path_beside
from mirdl.results.models import Model, arrays_of
from mirdl.system.whole_files import whole

ENDING = ".unknown"     # an .npz archive, named so as it is no model
LEAST = 0.02    # likeness, below which a song is unlike those of the run
AXES = 4
MOST = 500      # songs whose windows are kept, evenly chosen


class Features(NamedTuple):
    """What is compared of a song.

    Attributes
    ----------
    texture : ndarray or None
        (numbers,); see `mirdl.spectrograms.texture`.
    windows : ndarray or None
        (numbers,), the maximum over musicnn's windows; None if they do not count.
    """

    texture: np.ndarray | None
    windows: np.ndarray | None = None

    @classmethod
    def of(cls, texture: np.ndarray | None, windows: np.ndarray | None) -> Self:
        """Take windows as they are, (numbers, windows)."""
        return cls(texture, None if windows is None else np.asarray(windows).max(axis=1))


class Classes(NamedTuple):
    """Normal distributions of textures, one for each class, and where pieced songs lie.

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
    direction : ndarray
        (numbers,), of length 1, from the songs towards others that are pieced together from them.
    """

    mean: np.ndarray
    std: np.ndarray
    middle: np.ndarray
    axes: np.ndarray
    variances: np.ndarray
    rest: np.ndarray
    direction: np.ndarray

    @classmethod
    def of(cls, songs: np.ndarray, labels: np.ndarray, pieced: np.ndarray) -> Self:
        """Fit them to textures, (songs, numbers), of labels, (songs,), and of pieced songs.

        Without any of these the direction is 0.
        """
        mean, std = _mean_and_std(songs)
        standard = (songs - mean) / std
        each = [_fitted(standard[labels == label]) for label in np.unique(labels)]
        direction = ((pieced - mean) / std).sum(axis=0)
        return cls(mean, std, *(np.array(part, np.float32) for part in zip(*each, strict=True)),
                   np.float32(direction / (np.linalg.norm(direction) + 1e-9)))

    def distances(self, song: np.ndarray) -> tuple[float, float]:
        """Give two distances of a texture.

        They are twice the negative log likelihood in the likeliest class; and how far it lies
        towards the pieced songs, below 0 if in the opposite direction.
        """
        standard = (song - self.mean) / self.std
        away = standard - self.middle
        along = np.einsum("cn,can->ca", away, self.axes)
        others = np.maximum((away**2).sum(axis=1) - (along**2).sum(axis=1), 0)
        size = (np.log(self.variances).sum(axis=1)
                + (away.shape[1] - AXES) * np.log(self.rest))
        found = (along**2 / self.variances).sum(axis=1) + others / self.rest + size
        return float(found.min()), float(standard @ self.direction)


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
    """The numbers that musicnn gives for songs.

    Attributes
    ----------
    mean, std : ndarray
        (numbers,), by which it is standardised.
    songs : ndarray
        (songs, numbers), standardised.
    """

    mean: np.ndarray
    std: np.ndarray
    songs: np.ndarray

    @classmethod
    def of(cls, songs: np.ndarray) -> Self:
        """Keep songs, (songs, numbers)."""
        mean, std = _mean_and_std(songs)
        kept = songs[np.linspace(0, len(songs) - 1, min(len(songs), MOST)).astype(int)]
        return cls(mean, std, np.float32((kept - mean) / std))

    def distance(self, song: np.ndarray) -> float:
        """Give the square of the distance from the nearest song."""
        return float(((self.songs - (song - self.mean) / self.std)**2).sum(axis=1).min())


def _mean_and_std(songs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    mean, std = songs.mean(axis=0), songs.std(axis=0)
    return np.float32(mean), np.float32(np.where(std > 0, std, 1))


class Songs(NamedTuple):
    """What songs are like.

    Attributes
    ----------
    classes : Classes
    known : Known or None
        None if musicnn's windows do not count.
    """

    classes: Classes
    known: Known | None

    @classmethod
    def of(cls, features: list[Features], labels: np.ndarray, pieced: list[np.ndarray]) -> Self:
        """Learn it from songs, their labels, (songs,), and textures of songs pieced together."""
        textures, windows = map(np.array, zip(*features, strict=True))
        return cls(Classes.of(textures, labels, np.reshape(pieced, (-1, textures.shape[1]))),
                   Known.of(windows) if features[0].windows is not None else None)

    def distances(self, song: Features) -> np.ndarray:
        """Give the distances of a song, (2,) or, with windows, (3,); infinite without texture."""
        if song.texture is None:
            return np.full(2 if self.known is None else 3, np.inf)
        of_texture = self.classes.distances(song.texture)
        return np.array(of_texture if self.known is None else
                        [*of_texture, self.known.distance(song.windows)])


class Likeness:
    """How like the songs of a run other songs are.

    Parameters
    ----------
    songs : Songs
        All songs of the run.
    tested : ndarray
        (songs, distances), those of each test song from what its fold did not test.
    """

    def __init__(self, songs: Songs, tested: np.ndarray) -> None:
        self.songs, self.tested = songs, tested
        self._middle, most = np.quantile(tested, (0.5, 1 - LEAST), axis=0)
        self._width = np.maximum(most - self._middle, 1e-9)
        self._farthest = np.sort(self._beyond(tested))

    @property
    def windows(self) -> bool:
        """Whether musicnn's windows count."""
        return self.songs.known is not None

    def of(self, song: Features) -> float:
        """Give the share of the test songs that are as unlike the run's songs as this, or more."""
        return self.of_distances(self.songs.distances(song))

    def of_distances(self, song: np.ndarray) -> float:
        """Give the same for the distances of a song."""
        nearer = np.searchsorted(self._farthest, self._beyond(song))
        return float(1 - nearer / len(self._farthest))

    def _beyond(self, songs: np.ndarray) -> np.ndarray:
        """Bring distances, (..., distances), to the scale of the test songs, and join them.

        The sum of all three tells foreign songs best; of those of the texture alone, the larger one
        does (bench/README.md).
        """
        scaled = (songs - self._middle) / self._width
        return scaled.sum(axis=-1) if self.windows else scaled.max(axis=-1)


def learnt(features: list[Features], labels: np.ndarray, tests: list[np.ndarray],
           pieced: Callable[[np.ndarray], list[np.ndarray]]) -> Likeness | None:
    """Learn it from the folds of a run.

    Parameters
    ----------
    features : list of Features
        All songs.
    labels : ndarray of int
        (songs,).
    tests : list of ndarray
        Of each fold the songs that it tests, (songs,).
    pieced : callable
        Gives textures of songs that are pieced together from songs, (songs,).

    Returns
    -------
    Likeness or None
        None if no song can be judged.
    """
    sounding = np.flatnonzero([each.texture is not None for each in features])

    def songs_of(used: np.ndarray) -> Songs:
        return Songs.of([features[song] for song in used], labels[used], pieced(used))
    tested = []
    for test in tests:
        others, judged = np.setdiff1d(sounding, test), np.intersect1d(test, sounding)
        if len(others) and len(judged):
            songs = songs_of(others)
            tested += [songs.distances(features[song]) for song in judged]
    return Likeness(songs_of(sounding), np.array(tested)) if tested else None


def write(likeness: Likeness, run: str) -> None:
    """Write RUN.unknown."""
    arrays = {f"{name}.{part}": array for name, songs in likeness.songs._asdict().items() if songs
              for part, array in songs._asdict().items()}
    arrays["pieced.direction"] = arrays.pop("classes.direction")
    with whole(files.path_of(run, ENDING), "wb") as file:
        np.savez(file, tested=likeness.tested, **arrays)


def read(model: Model) -> Likeness | None:
    """Read what lies beside a model of a run; None without such a file.

    Raises
    ------
    UserError
        If it is damaged, or of another version.
    """
    path = path_beside(model, ENDING)
    if not os.path.exists(path):
        return None
    try:
        arrays = arrays_of(path)
        parts = {"tested": {}, "classes": {}, "pieced": {}, "known": {}}
        for key, array in arrays.items():
            name, _, part = key.partition(".")
            parts[name][part] = array
        tested = parts["tested"][""]
        songs = Songs(Classes(**parts["classes"], direction=parts["pieced"]["direction"]),
                      Known(**parts["known"]) if parts["known"] else None)
        if not len(tested) or tested.shape[1:] != (3 if songs.known else 2,):
            raise ValueError("it has no songs")
    except Exception as error:      # a damaged archive can raise nearly anything
        raise UserError(f"{path!r} is damaged, or of another version: expected what a run writes "
                        "to tell unknown songs; train again, or remove the file to do without it "
                        f"({error})") from error
    return Likeness(songs, tested)
