"""How spectrograms are compressed (DS.inputNorm) and normalised (DS.inputNormWhere).

A spectrogram x becomes log10(10000 x + 1), then (x - mean) / std, so that the network's input has
mean 0 and variance 1.
"""

import numpy as np

NORMS = ("log0m1v", "None")     # ways to compress; "bands" does not, either


def compress(spectrogram: np.ndarray, input_norm: str) -> np.ndarray:
    """Compress a spectrogram in place.

    Parameters
    ----------
    spectrogram : ndarray
        float32; overwritten.
    input_norm : str
        "log0m1v" gives log10(10000 x + 1); "bands" and "None" leave the values as they are.

    Returns
    -------
    ndarray
        The same array.
    """
    if input_norm == "log0m1v":
        np.multiply(spectrogram, 10000, out=spectrogram)
        np.add(spectrogram, 1, out=spectrogram)
        np.log10(spectrogram, out=spectrogram)
    return spectrogram


def moments(spectrogram: np.ndarray) -> tuple[float, float]:
    """Return the mean and the variance of a spectrogram, computed in float64."""
    mean = spectrogram.mean(dtype=np.float64)
    variance = spectrogram.var(dtype=np.float64)
    return float(mean), float(variance)


def mean_and_std(
    mean: np.ndarray,
    variance: np.ndarray,
    frames: list[int],
    ds: dict,
    training_songs: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and standard deviation by which each song is normalised.

    Parameters
    ----------
    mean, variance : ndarray
        float64, (songs,): of each compressed spectrogram.
    frames : list of int
        Number of frames of each song.
    ds : dict
        parameters["DS"]. inputNormWhere says whose mean and variance count: those of all songs
        ("global"; test songs included, as in the original), of the song itself ("local") or of
        the training songs ("train"). With inputNorm "None" nothing is normalised.
    training_songs : ndarray of int
        Indices of the training songs.

    Returns
    -------
    mean, std : ndarray
        float32, (songs,). A standard deviation of 0 becomes 1, so that silence stays 0.
    """
    if ds["inputNorm"] == "None":
        mean, variance = np.zeros_like(mean), np.ones_like(variance)
    elif ds["inputNormWhere"] != "local":
        chosen = training_songs if ds["inputNormWhere"] == "train" else slice(None)
        pooled = _pooled(mean[chosen], variance[chosen], np.array(frames)[chosen])
        mean, variance = (np.full_like(mean, each) for each in pooled)
    return mean.astype(np.float32), _std(variance)


def bands_mean_and_std(spectrograms: list) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and standard deviation of each band over songs, for inputNorm "bands".

    Parameters
    ----------
    spectrograms : list of ndarray or Stored
        float32, (bands, frames) each.

    Returns
    -------
    mean, std : ndarray
        float32, (bands, 1). A standard deviation of 0 becomes 1.
    """
    frames = [song.shape[1] for song in spectrograms]
    mean, variance = np.array([(song.mean(axis=1, dtype=np.float64),
                                song.var(axis=1, dtype=np.float64))
                               for song in map(np.asarray, spectrograms)]).swapaxes(0, 1)
    mean, variance = _pooled(mean, variance, np.array(frames))
    return mean.astype(np.float32)[:, None], _std(variance)[:, None]


def own_mean_and_std(spectrogram: np.ndarray, ds: dict) -> tuple[np.float32, np.float32]:
    """Return the mean and standard deviation of one song, for inputNormWhere "local".

    Parameters
    ----------
    spectrogram : ndarray
        float32, (bands, frames), compressed.
    ds : dict
        parameters["DS"].

    Returns
    -------
    mean, std : float32
        As `mean_and_std` gives them for this song.
    """
    mean, variance = (0, 1) if ds["inputNorm"] == "None" else moments(spectrogram)
    return np.float32(mean), _std(variance)


def _std(variance: np.ndarray) -> np.ndarray:
    return np.sqrt(np.where(variance == 0, 1, variance)).astype(np.float32)


def _pooled(
    mean: np.ndarray, variance: np.ndarray, frames: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return mean and variance over all frames of songs, of which those of each are given."""
    pooled = np.average(mean, axis=0, weights=frames)
    return pooled, np.average(variance + (mean - pooled) ** 2, axis=0, weights=frames)
