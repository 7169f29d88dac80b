"""Spectrograms of audio files, by Essentia. Only the processes that compute them import this: it takes 200 MB."""

import os
import stat
from functools import lru_cache

import essentia
import numpy as np

from mirdl.errors import UserError

essentia.log.infoActive = essentia.log.warningActive = False
import essentia.streaming as streaming  # noqa: E402 (only after its greeting was silenced; essentia.standard takes 0.8 s more)

BLOCK = 256     # spectra that pass through MelBands at a time: those of all bins can be GBs


class Unreadable(Exception):
    """Why a file gave no spectrogram, in a few words."""


class Unopened(Unreadable):
    """The file could not even be opened, which may change without a change of the file."""


def compute_spectrogram(file, DS):
    """The spectrogram of one audio file.

    MonoLoader (44.1 kHz) -> FrameCutter -> Windowing -> Spectrum (-> MelBands), all with Essentia's defaults but for
    what `DS` says, in the streaming mode. Essentia's MelBands takes half of the time of all that, frame by frame; one
    matrix product by its own weights gives the same sums to float32's rounding.

    Parameters
    ----------
    file : str
        Any format that Essentia's AudioLoader reads.
    DS : dict
        parameters['DS']: frameSize and hopSize in samples, windowType, specTransform and melBands.

    Returns
    -------
    ndarray, float32, (bands, frames)
        Energy of the mel bands, or magnitude of the frameSize/2+1 bins for 'magnitudeSTFT'.

    Raises
    ------
    Unreadable
        If the file cannot be opened or decoded, holds no samples, or holds values that are not finite.
    UserError
        If a spectrum of frameSize samples cannot be divided into so many mel bands.
    MemoryError
        If its decoding takes more memory than there is.
    """
    _check_file(file)
    try:
        spectra = _run(file, DS)
    except RuntimeError as error:
        if "bad_alloc" in str(error):
            raise MemoryError from error
        raise Unreadable(f"cannot be decoded: {_short(error)}") from error
    if spectra is None or not len(spectra):
        raise Unreadable("holds no samples")
    if not np.isfinite(spectra).all():
        raise Unreadable("holds samples that are not finite numbers")
    return np.ascontiguousarray(spectra.T)      # (bands, frames)


def _run(file, DS):
    """Spectra, (frames, bands), through Essentia's network of streaming algorithms."""
    pool = essentia.Pool()
    loader = streaming.MonoLoader(filename=file)
    # 'keep': by default the streaming FrameCutter puts noise into silent frames, the standard one does not
    cutter = streaming.FrameCutter(frameSize=DS["frameSize"], hopSize=DS["hopSize"], silentFrames="keep")
    window = streaming.Windowing(type=DS["windowType"])
    spectrum = streaming.Spectrum()
    loader.audio >> cutter.signal
    cutter.frame >> window.frame
    window.frame >> spectrum.frame
    spectrum.spectrum >> (pool, "spectra")
    essentia.run(loader)
    if not pool.containsKey("spectra"):
        return None
    spectra = pool["spectra"]
    pool.clear()        # an hour's spectra are 0.6 GB
    if DS["specTransform"] != "mel":
        return spectra
    return np.square(spectra, out=spectra) @ mel_weights(DS["melBands"], spectra.shape[1])


@lru_cache
def mel_weights(bands, bins):
    """The weights of Essentia's MelBands, of which each band is a weighted sum of the power spectrum: (bins, bands)."""
    return np.concatenate([_mel_bands(np.eye(min(BLOCK, bins - first), bins, first, np.float32), bands)
                           for first in range(0, bins, BLOCK)])


def _mel_bands(spectra, bands):
    """What Essentia's MelBands gives for spectra, (frames, bins): (frames, bands)."""
    bins, pool = spectra.shape[1], essentia.Pool()
    source = streaming.VectorInput(list(spectra))       # it takes 4 times as long over an array of two dimensions
    try:
        mel = streaming.MelBands(numberBands=bands, inputSize=bins)
    except RuntimeError as error:
        raise UserError(f"DS.melBands={bands} is more than the {bins} bins of DS.frameSize={2 * (bins - 1)} can give; "
                        "lower melBands or raise frameSize") from error
    source.data >> mel.spectrum
    mel.bands >> (pool, "bands")
    essentia.run(source)
    return pool["bands"]


def _check_file(file):
    try:
        file.encode()
        if not stat.S_ISREG(os.stat(file).st_mode):     # a pipe or a device may be read from without end
            raise Unopened("cannot be opened: it is no regular file")
        with open(file, "rb") as opened:
            if not opened.read(1):
                raise Unreadable("is empty")
    except UnicodeEncodeError as error:
        raise Unopened("cannot be opened: its name is not UTF-8; rename it") from error
    except OSError as error:
        raise Unopened(f"cannot be opened: {error.strerror}") from error


def _short(error):
    """What went wrong, without the file's name: the last clause of Essentia's message, in other words where it is vague."""
    clause = str(error).rpartition("error = ")[2].rpartition(": ")[2].rpartition(". ")[2].strip().rstrip(".")
    return _CLEARER.get(clause, clause) or "unknown error"


_CLEARER = {
    "End of file": "it ends before any sound",
    "Audio file has more than 2 channels": "it has more than 2 channels; mix it down to stereo",
    "Could not initialize swresample context": "it has channels that Essentia does not know; mix it down to stereo",
    "Unable to instantiate codec": "its coding is not known to Essentia; convert it to wav",
    "SRC ratio outside [1/256, 256] range": "its sample rate is below 173 Hz",
    "(0,inf)": "its sample rate is above 2147483647 Hz",
}
