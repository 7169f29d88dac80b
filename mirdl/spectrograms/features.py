"""Spectrograms of audio files, by Essentia or, where it is not installed, by `plain`.

Essentia takes 200 MB, so only the processes that compute spectrograms import it.
"""

import os
import stat
import tempfile
from bisect import bisect_left
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache, partial
from typing import BinaryIO

import numpy as np

from mirdl.errors import UserError
from mirdl.frames import MAGNITUDES, MEL, MUSICNN_MEL, Frames, frames_of
from mirdl.spectrograms import cut_off, libsndfile, plain
from mirdl.spectrograms.level import levelled
from mirdl.spectrograms.normalisation import compress
from mirdl.spectrograms.reasons import (
    UndecodedError,
    UnopenedError,
    UnreadableError,
    advised,
    is_out_of_memory,
)

try:
    import essentia
except ModuleNotFoundError:     # there are no wheels for this system
    essentia = None
else:
    essentia.log.infoActive = essentia.log.warningActive = False
    # after the line above, which silences its greeting; essentia.standard takes 0.8 s longer
    import essentia.streaming as streaming

BLOCK = 256     # spectra sent through MelBands at a time: those of all bins can take gigabytes
FACTOR = 256    # by which Essentia resamples at most
# By how much a song may be longer or shorter than its header promises: encoders add silence
SHARE, SAMPLES = 0.02, 4096
FEW = 3         # frames
# What differs from Essentia's defaults: bands of Slaney's scale, each a triangle of area 1
MEL_BANDS = {MEL: {}, MUSICNN_MEL: {
    "sampleRate": 16000, "highFrequencyBound": 8000, "warpingFormula": "slaneyMel",
    "weighting": "linear", "normalize": "unit_tri"}}


def compute_spectrogram(
    file: str,
    ds: dict,
    reader: str = "essentia",
    sparing: bool = False,
    promised: libsndfile.Length | None = None,
) -> tuple[np.ndarray, str]:
    """Compute the spectrogram of one audio file, and note what is odd about the file.

    Essentia's MonoLoader -> FrameCutter -> Windowing -> Spectrum (-> MelBands), in
    streaming mode, with the defaults for everything that `ds` does not set. MelBands is replaced
    by one matrix product with its own weights: the same sums up to float32 rounding, without
    going frame by frame, which took half of the time. With specTransform "musicnn-mel" the chain
    and its numbers are those of musicnn: 16 kHz, a periodic Hann window, log10(10000 x + 1).

    What MonoLoader decodes to a length other than the header promises is read by libsndfile; its
    samples then go the same way. With reader="libsndfile", so does what MonoLoader cannot decode,
    but in another process, because Essentia may crash after a file that it refuses. Without
    Essentia, libsndfile reads all files, and `mirdl.spectrograms.plain` does the rest.

    Parameters
    ----------
    file : str
        Path of a file in any format that Essentia's AudioLoader or libsndfile reads.
    ds : dict
        parameters["DS"]; used are frameSize and hopSize (samples), windowType, specTransform,
        melBands and level.
    reader : {"essentia", "libsndfile"}
        Essentia, or only libsndfile.
    sparing : bool
        Whether each frame goes through MelBands by itself: slower, but only the mel bands are held
        in memory, not the spectra.
    promised : Length, optional
        From `mirdl.spectrograms.libsndfile.length`; without it, no length is compared.

    Returns
    -------
    spectrogram : ndarray
        float32, (bands, frames): the energy in each mel band, with specTransform "musicnn-mel"
        its logarithm; or with "magnitudeSTFT" the magnitude of each of the frameSize/2+1 bins.
    note : str
        Empty, or in a few words what is odd.

    Raises
    ------
    UnreadableError
        If the file cannot be opened or decoded (UnopenedError, UndecodedError), holds no samples,
        or holds values that are not finite.
    UserError
        If a spectrum of frameSize samples cannot be divided into melBands bands.
    MemoryError
        If decoding needs more memory than there is.
    """
    _check_file(file)
    chain = _Chain(ds, sparing)
    try:
        if reader == "libsndfile" or essentia is None:
            spectra, note = _by_libsndfile(file, chain), ""
        else:
            spectra, note = _by_either(file, chain, promised)
        notes = [note or cut_off.note_of(file), _note_of_peak(file)]
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise MemoryError from error
        raise UndecodedError(f"cannot be decoded: {advised(error)}") from error
    except OSError as error:        # it has gone, or there is no room for a temporary file
        raise UnopenedError(f"cannot be opened: {error.strerror}") from error
    if spectra is None or not len(spectra):
        raise UnreadableError("holds no samples")
    if not np.isfinite(spectra).all():
        raise UnreadableError("holds samples that are not finite numbers")
    notes.append(levelled(spectra, ds))
    if ds["specTransform"] == MUSICNN_MEL:
        spectra = compress(spectra, "log0m1v")
    return np.ascontiguousarray(spectra.T), "; it ".join(filter(None, notes))   # (bands, frames)


def memory_needed(
    promised: libsndfile.Length | None, ds: dict, reader: str, sparing: bool,
) -> int:
    """Estimate how much memory a song takes.

    Parameters
    ----------
    promised : Length or None
        How long it is to be.
    ds : dict
        parameters["DS"].
    reader, sparing
        As for `compute_spectrogram`.

    Returns
    -------
    int
        Bytes; 0 if the length is not known.
    """
    if not promised:
        return 0
    frames = frames_of(ds)
    numbers = frames.bands if sparing else frames.bins
    # Essentia's numbers, and NumPy's copy; for the second reader, so are the samples
    each = numbers / frames.hop + (reader == "libsndfile")
    return int(2 * 4 * each * promised.seconds * frames.rate)


def frame_algorithms(ds: dict) -> tuple[object, object, object]:
    """Make the FrameCutter, Windowing and Spectrum of parameters["DS"]."""
    # By default the streaming FrameCutter, unlike the standard one, adds noise to silent frames
    frames = frames_of(ds)
    cutter = streaming.FrameCutter(
        frameSize=frames.size, hopSize=frames.hop, silentFrames="keep"
    )
    window = {"type": ds["windowType"]}
    if ds["specTransform"] == MUSICNN_MEL:
        window = {"type": "hann", "normalized": False, "symmetric": False}
    return cutter, streaming.Windowing(**window), streaming.Spectrum()


def mel_algorithm(bands: int, bins: int, transform: str) -> object:
    """Make the MelBands for spectra; the arguments are those of `mel_weights`."""
    return streaming.MelBands(numberBands=bands, inputSize=bins, **MEL_BANDS[transform])


def weights_of(ds: dict) -> np.ndarray | None:
    """Return the `mel_weights` of parameters["DS"]; None if there are no mel bands."""
    frames, transform = frames_of(ds), ds["specTransform"]
    return None if transform == MAGNITUDES else mel_weights(frames.bands, frames.bins, transform)


@lru_cache
def mel_weights(bands: int, bins: int, transform: str = MEL) -> np.ndarray:
    """Return the weights of Essentia's MelBands, each band a weighted sum of the power spectrum.

    Parameters
    ----------
    bands : int
        Mel bands (melBands).
    bins : int
        Bins of a spectrum (frameSize/2+1).
    transform : str
        A key of `MEL_BANDS`.

    Returns
    -------
    ndarray
        float32, (bins, bands).

    Raises
    ------
    UserError
        If so few bins cannot be divided into so many bands.
    """
    weights = plain.mel_weights(bands, bins, transform)
    if not weights.any(axis=0).all():
        most = bisect_left(range(bands), True, 2, key=lambda few: not plain.mel_weights(
            few, bins, transform).any(axis=0).all()) - 1
        advice = f"set DS.melBands={most}" if most > 1 else "raise DS.frameSize"
        raise UserError(
            f"DS.melBands={bands} is more than the {bins} bins of DS.frameSize={2 * (bins - 1)} "
            f"can give; {advice}"
        )
    if essentia is None:
        return weights
    blocks = [
        _mel_bands(np.eye(min(BLOCK, bins - first), bins, first, np.float32), bands, transform)
        for first in range(0, bins, BLOCK)
    ]
    return np.concatenate(blocks)


class _Chain:
    """What happens to the samples of every song, whichever library reads them.

    Parameters
    ----------
    ds : dict
        parameters["DS"].
    sparing : bool
        Whether each frame goes through MelBands by itself.
    """

    def __init__(self, ds: dict, sparing: bool) -> None:
        self.ds, self.frames, self.transform = ds, frames_of(ds), ds["specTransform"]
        self.sparing = sparing and self.transform != MAGNITUDES

    def __call__(self, source: object, samples: object) -> np.ndarray | None:
        """Run the algorithm `source`, whose output `samples` is the song: (frames, bands)."""
        pool = essentia.Pool()
        cutter, window, spectrum = frame_algorithms(self.ds)
        samples >> cutter.signal
        cutter.frame >> window.frame
        window.frame >> spectrum.frame
        if self.sparing:
            bands = mel_algorithm(self.frames.bands, self.frames.bins, self.transform)
            spectrum.spectrum >> bands.spectrum
            bands.bands >> (pool, "spectra")
        else:
            spectrum.spectrum >> (pool, "spectra")
        essentia.run(source)
        if not pool.containsKey("spectra"):
            return None
        spectra = pool["spectra"]
        pool.clear()        # one hour of spectra takes 0.6 GB
        if self.transform != MAGNITUDES and not self.sparing:
            spectra = np.square(spectra, out=spectra) @ weights_of(self.ds)
        return spectra


def _by_either(
    file: str, chain: _Chain, promised: libsndfile.Length | None,
) -> tuple[np.ndarray | None, str]:
    """Return the spectra, (frames, bands), and a note, by the reader that keeps the length."""
    if promised:
        _check_rate(promised.rate, chain.frames.rate)
    spectra = _by_essentia(file, chain)
    if spectra is None:
        return None, ""
    frames = chain.frames
    if not promised or _is_kept(promised, len(spectra), frames):
        return spectra, ""
    if not promised.may_be_joined:
        with suppress(RuntimeError, UnreadableError):
            again = _by_libsndfile(file, chain)
            if again is not None and _is_kept(promised, len(again), frames):
                return again, ""
    found = len(spectra) * frames.seconds
    return spectra, f"holds {found:.1f} s, but its header promises {promised.seconds:.1f} s"


def _is_kept(promised: libsndfile.Length, count: int, frames: Frames) -> bool:
    """Tell whether a song of `count` frames has the length that its header promises."""
    expected = promised.seconds * frames.rate
    longer = count * frames.hop - expected
    if longer > 0 and promised.may_be_joined:       # the header is that of the first part
        return True
    return abs(longer) <= max(FEW * frames.hop, SAMPLES) + SHARE * expected


def _by_essentia(file: str, chain: _Chain) -> np.ndarray | None:
    """Read a song by Essentia; parts of different kinds one by one."""
    parts = libsndfile.differing_parts(file)
    if parts:
        return _of_samples(np.concatenate([_samples_of(part, chain) for part in parts]), chain)
    loader = streaming.MonoLoader(filename=file, sampleRate=chain.frames.rate)
    return chain(loader, loader.audio)


def _by_libsndfile(file: str, chain: _Chain) -> np.ndarray | None:
    """Read a song by libsndfile."""
    try:
        parts = libsndfile.read(file)
    except libsndfile.ERRORS as error:
        raise RuntimeError(str(error)) from error
    rate = chain.frames.rate
    return _of_samples(np.concatenate([_resampled(*part, rate) for part in parts]), chain)


def _of_samples(samples: np.ndarray, chain: _Chain) -> np.ndarray | None:
    if not len(samples):
        return None
    if essentia is None:
        return plain.spectra(samples, chain.ds)
    rate = chain.frames.rate
    with _loader(partial(_write, samples, rate), rate) as loader:
        return chain(loader, loader.audio)


def _write(samples: np.ndarray, rate: int, file: BinaryIO) -> None:
    from scipy.io import wavfile  # takes 0.2 s, rarely used
    wavfile.write(file, rate, samples)


def _samples_of(part: bytes, chain: _Chain) -> np.ndarray:
    """Decode a part of a file as if it were a file: float32, (samples,), at the chain's rate."""
    with _loader(lambda file: file.write(part), chain.frames.rate) as loader:
        return _collected(loader)


@contextmanager
def _loader(fill: Callable[[BinaryIO], object], rate: int) -> Iterator[object]:
    """Make a MonoLoader of a temporary file, which is read 40 times as fast as an array."""
    with tempfile.NamedTemporaryFile() as file:
        fill(file)
        file.flush()
        yield streaming.MonoLoader(filename=file.name, sampleRate=rate)


def _resampled(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Resample from a rate to another as MonoLoader does."""
    if rate == wanted:
        return samples
    _check_rate(rate, wanted)
    if essentia is None:
        return plain.resampled(samples, rate, wanted)
    with _loader(partial(_write, samples, rate), wanted) as loader:
        return _collected(loader)


def _check_rate(rate: int, wanted: int) -> None:
    # refused before Resample takes gigabytes
    if not wanted / FACTOR <= rate <= wanted * FACTOR:
        raise RuntimeError("SRC ratio outside [1/256, 256] range")


def _collected(loader: object) -> np.ndarray:
    pool = essentia.Pool()
    loader.audio >> (pool, "samples")
    essentia.run(loader)
    return pool["samples"] if pool.containsKey("samples") else np.empty(0, np.float32)


def _mel_bands(spectra: np.ndarray, bands: int, transform: str) -> np.ndarray:
    """Send spectra, (frames, bins), through Essentia's MelBands: (frames, bands)."""
    bins, pool = spectra.shape[1], essentia.Pool()
    source = streaming.VectorInput(list(spectra))   # a two-dimensional array takes 4 times as long
    mel = mel_algorithm(bands, bins, transform)
    source.data >> mel.spectrum
    mel.bands >> (pool, "bands")
    essentia.run(source)
    return pool["bands"]


def _note_of_peak(file: str) -> str:
    peak = round(libsndfile.peak(file), 2)
    return f"has samples up to {peak:g}, beyond 1 and -1; scale it down" if peak > 1 else ""


def _check_file(file: str) -> None:
    try:
        file.encode()
        if not stat.S_ISREG(os.stat(file).st_mode):     # a pipe or a device may never end
            raise UnopenedError("cannot be opened: it is not a regular file")
        with open(file, "rb") as opened:
            if not os.path.getsize(file) or not opened.read(1):
                raise UnreadableError("is empty")
    except UnicodeEncodeError as error:
        raise UnopenedError("cannot be opened: its name is not UTF-8; rename it") from error
    except OSError as error:
        raise UnopenedError(f"cannot be opened: {error.strerror}") from error
