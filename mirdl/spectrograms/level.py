"""How loud songs are: brought to one level (DS.level), or told where they are far from others."""

import numpy as np

from mirdl.frames import MAGNITUDES, MEL, MUSICNN, MUSICNN_MEL

# mean of a spectrogram, with and without logarithm: no more than 16 bits that are 0, 1 or -1 at
# random
SILENCE = {True: 1e-8, False: 1e-11}
# How far beyond the middle half of the songs a level is odd: so many times the width of that half,
# and so many dB. No song of ESC-10 is, whose levels vary most; at a tenth of its amplitude, nearly
# every song of Groove and DanceLoops is.
WIDTHS, LEAST = 2.5, 8
# The mean energy of a song with DS.level=rms. For musicnn it is near that of ESC-10 and
# GrooveStyles, otherwise 20 dB above it: the logarithm is that of 10000 x + 1, which then tells
# apart what is quiet in a song, too (docs/recipes.md).
USUAL = {MEL: 1e-2, MAGNITUDES: 1e-3, MUSICNN_MEL: 0.1}
# no more than 16 bits that are 0, 1 or -1 at random
SILENT = {MEL: 1e-11, MAGNITUDES: 1e-11, MUSICNN_MEL: 1e-8}
LOWEST = 1e-30          # what is quieter is not made as loud as other songs
SILENT_WORDS = "silence, or two channels that cancel out; better left out"


def levelled(spectra: np.ndarray, ds: dict) -> str:
    """Bring a spectrogram to the usual level with DS.level=rms, in place.

    Then a song has the same numbers whatever its gain is, up to rounding.

    Parameters
    ----------
    spectra : ndarray
        float32, before any compression; energies, or magnitudes.
    ds : dict
        parameters["DS"]; used are level and specTransform.

    Returns
    -------
    str
        A note if the song was silence, otherwise empty. What is 0 stays 0.
    """
    if ds["level"] != "rms":
        return ""
    transform, of_magnitudes = ds["specTransform"], ds["specTransform"] == MAGNITUDES
    energies = np.square(spectra) if of_magnitudes else spectra
    mean = float(energies.mean(dtype=np.float64))
    factor = USUAL[transform] / max(mean, LOWEST)
    spectra *= np.float32(np.sqrt(factor) if of_magnitudes else factor)
    return f"is {SILENT_WORDS}" if mean <= SILENT[transform] else ""


def odd_levels(means: np.ndarray, training: np.ndarray, ds: dict) -> list[str]:
    """Say which songs are silent, or at another level than the songs of the training.

    Parameters
    ----------
    means : ndarray
        (songs,), the mean of each compressed spectrogram.
    training : ndarray
        The same of the songs that are trained on; if there are none, only silence is reported.
    ds : dict
        parameters["DS"]; used are inputNorm and specTransform.

    Returns
    -------
    list of str
        For each song a few words that say what it is, "" if nothing is odd, or if the numbers do
        not tell the level: a network's, or those that were brought to one level.
    """
    if ds["specTransform"] in MUSICNN or ds["level"] == "rms":
        return [""] * len(means)
    silence = SILENCE[is_logarithm(ds)]
    levels, usual = _decibels(means, ds), _decibels(training[training > silence], ds)
    words = np.full(len(means), "", object)
    if len(usual):
        low, high = np.percentile(usual, (25, 75))
        far = max(WIDTHS * (high - low), LEAST)
        for way, odd in ("quieter", levels < low - far), ("louder", levels > high + far):
            words[odd] = (f"at least {int(far)} dB {way} than most training songs, which may "
                          "change tags; best brought to their level")
    words[means <= silence] = SILENT_WORDS
    return words.tolist()


def _decibels(means: np.ndarray, ds: dict) -> np.ndarray:
    """Return the levels of songs: in dB, of the value whose compression is the mean."""
    if is_logarithm(ds):
        means = np.expm1(means * np.log(10))
    smallest = np.finfo(np.float64).tiny        # has a logarithm, which 0 has not
    of_magnitudes = ds["specTransform"] == MAGNITUDES
    return (20 if of_magnitudes else 10) * np.log10(np.maximum(means, smallest))


def is_logarithm(ds: dict) -> bool:
    """Tell whether the numbers of a spectrogram are log10(10000 x + 1)."""
    return ds["inputNorm"] == "log0m1v" or ds["specTransform"] == MUSICNN_MEL
