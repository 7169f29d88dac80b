"""The texture of a sound: how its bands move, and how they move together.

After J. McDermott and E. Simoncelli, 'Sound texture perception via statistics of the auditory
periphery', Neuron 2011, but of the bands of a spectrogram. Gain does not count, and gaps in which
nothing sounds hardly do.
"""

import numpy as np

from mirdl.frames import MEL
from mirdl.spectrograms.level import USUAL
from mirdl.spectrograms.normalisation import compress

BANDS = 40          # at most; of more, neighbours are averaged
HEARD = 0.8         # of the bands count, the lower ones: up to 10 kHz, which most formats keep
QUIET = 1e-3        # of the loudest frame: what is below it is a gap
SMALL = 1e-3        # so that a band that does not move has numbers, too
SHORTEST = 3        # frames


def texture(spectrogram: np.ndarray | None, logarithm: bool = True) -> np.ndarray | None:
    """Describe a song.

    Parameters
    ----------
    spectrogram : ndarray or None
        (bands, frames).
    logarithm : bool
        Whether it is compressed.

    Returns
    -------
    ndarray or None
        float32, (numbers,). Of each band mean and standard deviation, skewness and kurtosis, the
        size of its steps from frame to frame, and their skewness and kurtosis; then the
        correlations of these steps between bands. None if nothing sounds in the bands that count.
    """
    if spectrogram is None:
        return None
    heard = spectrogram[:round(HEARD * len(spectrogram))]
    if not heard.any():
        return None
    energies = energies_of(heard, logarithm)
    levelled = compress(energies * (USUAL[MEL] / energies.mean(dtype=np.float64)), "log0m1v")
    bands = np.array([part.mean(axis=0) for part in np.array_split(
        levelled, min(BANDS, len(levelled)))])
    loud = bands.mean(axis=0)
    bands = bands[:, loud > QUIET * loud.max()]
    if bands.shape[1] < SHORTEST:
        return None
    bands = (bands - bands.mean()) / (bands.std() or 1)
    steps = np.diff(bands, axis=1)
    size = np.log(steps.std(axis=1) / (bands.std(axis=1) + SMALL) + 0.01)
    moved = _standardised(steps)
    together = (moved @ moved.T / moved.shape[1])[np.triu_indices(len(moved), 1)]
    return np.concatenate([bands.mean(axis=1), bands.std(axis=1), *_shape(bands), size,
                           *_shape(steps), together]).astype(np.float32)


def energies_of(spectrogram: np.ndarray, logarithm: bool = True) -> np.ndarray:
    """Give the energies of a spectrogram that may be compressed."""
    return np.expm1(spectrogram * np.log(10)) / 10000 if logarithm else spectrogram


def _standardised(values: np.ndarray) -> np.ndarray:
    return ((values - values.mean(axis=1, keepdims=True))
            / (values.std(axis=1, keepdims=True) + SMALL))


def _shape(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the cube root of the skewness and the logarithm of the kurtosis of each row."""
    each = _standardised(values)
    squares = each * each       # a power of 3 or 4 takes NumPy fifty times as long as products
    return np.cbrt((squares * each).mean(axis=1)), np.log((squares * squares).mean(axis=1) + 0.1)
