"""How spectrograms are compressed before they are normalised (inputNorm), and their mean and variance then."""

import numpy as np

NORMS = "log0m1v", "None"


def compress(spectrogram, inputNorm):
    """For 'log0m1v' log10(10000 x + 1) of a spectrogram, in its own memory; for 'None' the spectrogram itself."""
    if inputNorm == "log0m1v":
        np.multiply(spectrogram, 10000, out=spectrogram)
        np.add(spectrogram, 1, out=spectrogram)
        np.log10(spectrogram, out=spectrogram)
    return spectrogram


def moments(spectrogram):
    """Mean and variance, float64."""
    return float(spectrogram.mean(dtype=np.float64)), float(spectrogram.var(dtype=np.float64))
