"""Essentia's front end in NumPy, for systems that Essentia has no wheels for.

The numbers are those of Essentia's algorithms with the parameters that this program gives them:
Resample, FrameCutter, Windowing, Spectrum and MelBands. After the logarithm they agree to 1e-5.
"""

import numpy as np

from mirdl.frames import MAGNITUDES, MEL, MUSICNN, MUSICNN_MEL, frames_of

BLOCK = 1024        # frames whose spectra are held at a time
# Sums of cosines (F. Harris, On the use of windows for harmonic analysis with the discrete Fourier
# transform, 1978). Two numbers of blackmanharris74 are Essentia's, not Harris's
COSINES = {
    "square": [1], "hann": [0.5, 0.5], "hamming": [0.53836, 0.46164],
    "blackmanharris62": [0.44959, 0.49364, 0.05677],
    "blackmanharris70": [0.42323, 0.49755, 0.07922],
    "blackmanharris74": [0.40217, 0.49703, 0.09892, 0.00188],
    "blackmanharris92": [0.35875, 0.48829, 0.14128, 0.01168],
}
HIGHEST = 22050     # Hz, where the last mel band ends
SCALE = 1127.01048, 700     # mel = 1127.01048 log(1 + Hz / 700)


def resampled(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Resample by libsamplerate, as Essentia does: float32, (samples,)."""
    import samplerate  # only here, where Essentia is not
    return samplerate.resample(samples, float(np.float32(wanted / rate)), "sinc_medium")


def window(ds: dict) -> np.ndarray:
    """Compute the window of parameters["DS"], as Windowing does.

    Returns
    -------
    ndarray
        float32, (size of a frame,). Its sum is 2; musicnn's Hann window is as it is.
    """
    kind, size = ds["windowType"], frames_of(ds).size
    place = np.arange(size)
    if ds["specTransform"] == MUSICNN_MEL:
        return (0.5 - 0.5 * np.cos(2 * np.pi * place / size)).astype(np.float32)
    if kind == "triangular":
        values = size - np.abs(2 * place - (size - 1))
    elif kind == "hannnsgcq":
        values = 1 + np.cos(2 * np.pi * place / size)
    else:
        phase = 2 * np.pi * place / (size - 1)
        values = sum((-1)**order * share * np.cos(order * phase)
                     for order, share in enumerate(COSINES[kind]))
    return (2 * values / (np.sum(values) or 1)).astype(np.float32)


def mel_weights(bands: int, bins: int, transform: str = MEL) -> np.ndarray:
    """Compute the weights of MelBands; the arguments are those of `features.mel_weights`.

    Each band is a triangle over the mel scale, from the middle of the band before it to that of
    the next one; its weights add up to 1, or are 0 if it has no bin. musicnn's are triangles of
    area 1 over frequency, and Slaney's scale is linear up to 1 kHz.
    """
    edges, (slope, corner) = _edges(bands, transform), SCALE
    if transform == MUSICNN_MEL:
        places = np.linspace(0, 8000, bins)
    else:
        places = slope * np.log1p(np.linspace(0, HIGHEST, bins) / corner)
    places, width = places[:, np.newaxis], np.diff(edges)
    weights = np.minimum((places - edges[:-2]) / width[:-1], (edges[2:] - places) / width[1:])
    weights = weights.clip(0)
    if transform == MUSICNN_MEL:
        return (weights * 2 / (edges[2:] - edges[:-2])).astype(np.float32)
    return (weights / np.maximum(weights.sum(axis=0), 1e-12)).astype(np.float32)


def middles_of_bands(ds: dict) -> np.ndarray | None:
    """Give the frequency at the middle of each band of parameters["DS"], in Hz: (bands,).

    None if the numbers of a frame are no bands, but come from a network.
    """
    frames, transform = frames_of(ds), ds["specTransform"]
    if transform in MUSICNN:
        return None
    if transform == MAGNITUDES:
        return np.linspace(0, frames.rate / 2, frames.bins)
    middles = _edges(frames.bands, transform)[1:-1]
    slope, corner = SCALE
    return middles if transform == MUSICNN_MEL else corner * np.expm1(middles / slope)


def _edges(bands: int, transform: str) -> np.ndarray:
    """Give where bands begin, have their middle and end: (bands + 2,).

    In Hz for musicnn, otherwise in mel.
    """
    if transform == MUSICNN_MEL:
        edges = np.linspace(0, 15 + 27 * np.log(8) / np.log(6.4), bands + 2)    # up to 8 kHz
        return np.where(edges < 15, 200 / 3 * edges, 1000 * 6.4 ** ((edges - 15) / 27))
    slope, corner = SCALE
    return np.linspace(0, slope * np.log1p(HIGHEST / corner), bands + 2)


def spectra(samples: np.ndarray, ds: dict) -> np.ndarray:
    """Compute the spectrogram of samples.

    Parameters
    ----------
    samples : ndarray
        float32, (samples,), at the rate of `frames_of`.
    ds : dict
        parameters["DS"]; see `features.compute_spectrogram`.

    Returns
    -------
    ndarray
        float32, (frames, bands).
    """
    each, transform = frames_of(ds), ds["specTransform"]
    size, hop = each.size, each.hop
    # the middle of frame n is at sample n * hop, and what lies outside of the song is silence
    count = min(-(-len(samples) // hop) + 1, -(-(len(samples) + size // 2) // hop))
    padded = np.pad(samples, (size // 2, size + hop))
    frames = np.lib.stride_tricks.sliding_window_view(padded, size)[::hop][:count]
    shape, found = window(ds), []
    mel = None if transform == MAGNITUDES else mel_weights(each.bands, each.bins, transform)
    for first in range(0, count, BLOCK):
        block = np.abs(np.fft.rfft(frames[first:first + BLOCK] * shape))
        found.append(block if mel is None else np.square(block) @ mel)
    return np.concatenate(found).astype(np.float32)
