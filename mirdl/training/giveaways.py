"""What files give away besides what they sound like: format, rate, bandwidth, length, level ...

If one class was recorded or stored otherwise than the rest, a network may learn that in place of
the sound.
"""

from collections.abc import Iterable, Mapping

import numpy as np
import soundfile
from sklearn.preprocessing import OrdinalEncoder

from mirdl.results.baseline import Baseline, PairedTest
from mirdl.songs.dataset import Split
from mirdl.spectrograms.store import Stored

NAME = "file properties"
BELOW = 5           # decades below a song's loudest energy: nothing, or silence
SURE = 0.001        # p of McNemar's exact test against the largest class, times the properties


def properties_of(names: list[str], spectrograms: Iterable[np.ndarray | Stored],
                  paths: Mapping[str, str]) -> dict[str, np.ndarray]:
    """Measure the properties of each song's file, without decoding it.

    Parameters
    ----------
    names : list of str
    spectrograms : iterable of ndarray or Stored
        (bands, frames), compressed.
    paths : dict of str
        Name of each song -> path of its file.

    Returns
    -------
    dict of ndarray
        Property -> (songs, numbers), float64.
    """
    headers = np.array([_header(paths[name]) for name in names])
    sounds = np.array([_of_sound(np.asarray(song)) for song in spectrograms])
    return {"format": OrdinalEncoder().fit_transform(headers[:, :2]),
            "sample rate": headers[:, 2:3].astype(float),
            "channels": headers[:, 3:].astype(float),
            "bandwidth": sounds[:, :1],
            "length": sounds[:, 1:2],
            "level": sounds[:, 2:3],
            "silence at the ends": sounds[:, 3:]}


def note(answers: Mapping[str, list[list[int]]], labels: np.ndarray, splits: list[Split],
         largest: Baseline) -> None:
    """Print which property gives the classes away, if one does.

    One does if its answers leave at most half of the errors of the largest class, and McNemar's
    exact test says that this is no chance.

    Parameters
    ----------
    answers : dict
        Property -> for each fold, the labels that a tree that sees only this property gives to
        the test songs.
    labels : ndarray
        (songs,).
    splits : list of Split
        The folds.
    largest : Baseline
        What the largest class answers.
    """
    true = np.concatenate([labels[songs.test] for songs in splits])
    answered = {name: np.concatenate(found) for name, found in answers.items()}
    errors = {name: int((found != true).sum()) for name, found in answered.items()}
    best, usual = min(errors, key=errors.get), np.concatenate(largest.voted)
    test = PairedTest.of(true, answered[best], usual)
    if errors[best] > (usual != true).sum() / 2 or test.p * len(answers) > SURE:
        return
    right, without = (100 * np.mean(found == true) for found in (answered[best], usual))
    print(f"Note: the files give the classes away: by their {best} alone a decision tree is right "
          f"for {right:.0f} % of the songs, the largest class for {without:.0f} % (McNemar's exact "
          f"test: p = {test.p:.1g}); bring the songs to one {best}, or the network may learn that")


def _header(path: str) -> tuple[str, str, int, int]:
    """Give the format, its kind, samples per second and channels, as far as libsndfile knows."""
    ending = path.rpartition(".")[2].lower()
    try:
        found = soundfile.info(path)
        return ending, f"{found.format} {found.subtype}", found.samplerate, found.channels
    except (soundfile.SoundFileError, OSError, RuntimeError):
        return ending, "", 0, 0


def _of_sound(song: np.ndarray) -> tuple[float, ...]:
    """Give the highest band with energy, the frames, the level, and the silent frames at each end.

    `song` is a compressed spectrogram, (bands, frames).
    """
    energies = np.expm1(song * np.log(10.0))
    least = energies.max() * 10.0**-BELOW
    [bands], [frames] = (np.nonzero(energies.max(axis=axis) > least) for axis in (1, 0))
    count = song.shape[1]
    ends = (frames[0], count - 1 - frames[-1]) if len(frames) else (count, count)
    return bands.max(initial=0), count, song.mean(dtype=np.float64), *ends
