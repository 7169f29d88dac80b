"""Spectrograms of audio files, by Essentia or, where it is not installed, by `plain`.

Essentia takes 200 MB, so only the processes that compute spectrograms import it.
"""

import os
import stat
import tempfile
from bisect import bisect_left
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import lru_cache

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
        in memory, not the spectra. Magnitudes are the spectra.
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
    try:
        _check_file(file)
        if reader == "libsndfile" or essentia is None:
            spectra, note = _by_libsndfile(file, ds, sparing), ""
        else:
            spectra, note = _by_either(file, ds, sparing, promised)
        notes, peak = [note or cut_off.note_of(file)], round(libsndfile.peak(file), 2)
    except RuntimeError as error:
        if is_out_of_memory(error):
            raise MemoryError from error
        raise UndecodedError(f"cannot be decoded: {advised(error)}") from error
    except OSError as error:        # perhaps there is no room for a temporary file
        raise UnopenedError(f"cannot be opened: {error.strerror}") from error
    if not len(spectra):
        raise UnreadableError("holds no samples")
    if not np.isfinite(spectra).all():
        raise UnreadableError("holds samples that are not finite numbers")
    if peak > 1:
        notes.append(f"has samples up to {peak:g}, beyond 1 and -1; scale it down")
    notes.append(levelled(spectra, ds))
    if ds["specTransform"] == MUSICNN_MEL:
        spectra = compress(spectra, "log0m1v")
    return np.ascontiguousarray(spectra.T), "; it ".join(filter(None, notes))   # (bands, frames)


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
    blocks = []
    for first in range(0, bins, BLOCK):
        mel = mel_algorithm(bands, bins, transform)
        spectra = np.eye(min(BLOCK, bins - first), bins, first, np.float32)
        blocks.append(sent_through(spectra, mel.spectrum, mel.bands))
    return np.concatenate(blocks)


def sent_through(vectors: np.ndarray, given: object, made: object) -> np.ndarray:
    """Send vectors to the input `given` of an algorithm, and collect its output `made`."""
    source = streaming.VectorInput(list(vectors))   # a two-dimensional array takes 4 times as long
    source.data >> given
    return _collected(source, made)


def _collected(source: object, made: object) -> np.ndarray:
    """Run the algorithms that begin with `source`, and collect the output `made` of the last."""
    pool = essentia.Pool()
    made >> (pool, "made")
    essentia.run(source)
    found = pool["made"] if pool.containsKey("made") else np.empty(0, np.float32)
    pool.clear()        # one hour of spectra takes 0.6 GB
    return found


def _by_either(
    file: str, ds: dict, sparing: bool, promised: libsndfile.Length | None,
) -> tuple[np.ndarray, str]:
    """Return the spectra, (frames, bands), and a note, by the reader that keeps the length."""
    frames = frames_of(ds)
    if promised:
        _check_rate(promised.rate, frames.rate)
    spectra = _by_essentia(file, ds, sparing)
    if not promised or not len(spectra) or _is_kept(promised, len(spectra), frames):
        return spectra, ""
    if not promised.may_be_joined:
        with suppress(RuntimeError):
            again = _by_libsndfile(file, ds, sparing)
            if _is_kept(promised, len(again), frames):
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


def _by_essentia(file: str, ds: dict, sparing: bool) -> np.ndarray:
    """Read a song by Essentia; parts of different kinds one by one."""
    parts = libsndfile.differing_parts(file)
    if not parts:
        return _spectra_of(file, ds, sparing)
    samples = []
    for part in parts:
        with tempfile.NamedTemporaryFile() as copy:
            copy.write(part)
            copy.flush()
            samples.append(_samples_of(copy.name, frames_of(ds).rate))
    return _of_samples(np.concatenate(samples), ds, sparing)


def _by_libsndfile(file: str, ds: dict, sparing: bool) -> np.ndarray:
    """Read a song by libsndfile."""
    try:
        parts = libsndfile.read(file)
    except libsndfile.ERRORS as error:
        raise RuntimeError(str(error)) from error
    rate = frames_of(ds).rate
    samples = np.concatenate([_resampled(*part, rate) for part in parts])
    return _of_samples(samples, ds, sparing)


def _of_samples(samples: np.ndarray, ds: dict, sparing: bool) -> np.ndarray:
    if not len(samples):
        return samples
    if essentia is None:
        return plain.spectra(samples, ds)
    with _file_of(samples, frames_of(ds).rate) as file:
        return _spectra_of(file, ds, sparing)


def _resampled(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Resample from a rate to another as MonoLoader does."""
    if rate == wanted:
        return samples
    _check_rate(rate, wanted)
    if essentia is None:
        return plain.resampled(samples, rate, wanted)
    with _file_of(samples, rate) as file:
        return _samples_of(file, wanted)


@contextmanager
def _file_of(samples: np.ndarray, rate: int) -> Iterator[str]:
    """Write samples to a temporary file, which Essentia reads 40 times as fast as an array."""
    from scipy.io import wavfile  # takes 0.2 s, rarely used
    with tempfile.NamedTemporaryFile() as file:
        wavfile.write(file, rate, samples)
        file.flush()
        yield file.name


def _samples_of(file: str, rate: int) -> np.ndarray:
    """Read the samples of a song, (samples,), at a rate."""
    loader = streaming.MonoLoader(filename=file, sampleRate=rate)
    return _collected(loader, loader.audio)


def _spectra_of(file: str, ds: dict, sparing: bool) -> np.ndarray:
    """Compute the spectra of a song, (frames, bands)."""
    frames, transform = frames_of(ds), ds["specTransform"]
    loader = streaming.MonoLoader(filename=file, sampleRate=frames.rate)
    cutter, window, spectrum = frame_algorithms(ds)
    loader.audio >> cutter.signal
    cutter.frame >> window.frame
    window.frame >> spectrum.frame
    if sparing and transform != MAGNITUDES:
        mel = mel_algorithm(frames.bands, frames.bins, transform)
        spectrum.spectrum >> mel.spectrum
        return _collected(loader, mel.bands)
    spectra = _collected(loader, spectrum.spectrum)
    if transform == MAGNITUDES or not len(spectra):
        return spectra
    return np.square(spectra, out=spectra) @ weights_of(ds)


def _check_rate(rate: int, wanted: int) -> None:
    # refused before Resample takes gigabytes
    if not wanted / FACTOR <= rate <= wanted * FACTOR:
        raise RuntimeError("SRC ratio outside [1/256, 256] range")


def _check_file(file: str) -> None:
    try:
        file.encode()
    except UnicodeEncodeError as error:
        raise UnopenedError("cannot be opened: its name is not UTF-8; rename it") from error
    if not stat.S_ISREG(os.stat(file).st_mode):     # a pipe or a device may never end
        raise UnopenedError("cannot be opened: it is not a regular file")
    with open(file, "rb") as opened:
        if not os.path.getsize(file) or not opened.read(1):
            raise UnreadableError("is empty")
