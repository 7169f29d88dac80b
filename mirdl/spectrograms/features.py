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
from mirdl.spectrograms import cut_off, libsndfile, plain
from mirdl.spectrograms.audio import SAMPLE_RATE as RATE
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


def compute_spectrogram(
    file: str,
    ds: dict,
    reader: str = "essentia",
    sparing: bool = False,
    promised: libsndfile.Length | None = None,
) -> tuple[np.ndarray, str]:
    """Compute the spectrogram of one audio file, and note what is odd about the file.

    Essentia's MonoLoader (44.1 kHz) -> FrameCutter -> Windowing -> Spectrum (-> MelBands), in
    streaming mode, with the defaults for everything that `ds` does not set. MelBands is replaced
    by one matrix product with its own weights: the same sums up to float32 rounding, without
    going frame by frame, which took half of the time.

    What MonoLoader decodes to a length other than the header promises is read by libsndfile; its
    samples then go the same way. With reader="libsndfile", so does what MonoLoader cannot decode,
    but in another process, because Essentia may crash after a file that it refuses. Without
    Essentia, libsndfile reads all files, and `mirdl.spectrograms.plain` does the rest.

    Parameters
    ----------
    file : str
        Path of a file in any format that Essentia's AudioLoader or libsndfile reads.
    ds : dict
        parameters["DS"]; used are frameSize and hopSize (samples), windowType, specTransform and
        melBands.
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
        float32, (bands, frames): the energy in each mel band, or with specTransform
        "magnitudeSTFT" the magnitude of each of the frameSize/2+1 bins.
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
        note = "; it ".join(filter(None, [note or cut_off.note_of(file), _note_of_peak(file)]))
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
    return np.ascontiguousarray(spectra.T), note      # (bands, frames)


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
    numbers = ds["melBands"] if sparing else ds["frameSize"] // 2 + 1
    # Essentia's numbers, and NumPy's copy; for the second reader, so are the samples
    each = numbers / ds["hopSize"] + (reader == "libsndfile")
    return int(2 * 4 * each * promised.seconds * RATE)


def frame_algorithms(ds: dict) -> tuple[object, object, object]:
    """Make the FrameCutter, Windowing and Spectrum of parameters["DS"]."""
    # By default the streaming FrameCutter, unlike the standard one, adds noise to silent frames
    cutter = streaming.FrameCutter(
        frameSize=ds["frameSize"], hopSize=ds["hopSize"], silentFrames="keep"
    )
    return cutter, streaming.Windowing(type=ds["windowType"]), streaming.Spectrum()


def mel_algorithm(bands: int, bins: int) -> object:
    """Make the MelBands for spectra; the arguments are those of `mel_weights`."""
    return streaming.MelBands(numberBands=bands, inputSize=bins)


@lru_cache
def mel_weights(bands: int, bins: int) -> np.ndarray:
    """Return the weights of Essentia's MelBands, each band a weighted sum of the power spectrum.

    Parameters
    ----------
    bands : int
        Mel bands (melBands).
    bins : int
        Bins of a spectrum (frameSize/2+1).

    Returns
    -------
    ndarray
        float32, (bins, bands).

    Raises
    ------
    UserError
        If so few bins cannot be divided into so many bands.
    """
    weights = plain.mel_weights(bands, bins)
    if not weights.any(axis=0).all():
        most = bisect_left(range(bands), True, 2, key=lambda few: not plain.mel_weights(
            few, bins).any(axis=0).all()) - 1
        advice = f"set DS.melBands={most}" if most > 1 else "raise DS.frameSize"
        raise UserError(
            f"DS.melBands={bands} is more than the {bins} bins of DS.frameSize={2 * (bins - 1)} "
            f"can give; {advice}"
        )
    if essentia is None:
        return weights
    blocks = [
        _mel_bands(np.eye(min(BLOCK, bins - first), bins, first, np.float32), bands)
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
        self.ds, self.mel = ds, ds["specTransform"] == "mel"
        self.sparing = sparing and self.mel

    def __call__(self, source: object, samples: object) -> np.ndarray | None:
        """Run the algorithm `source`, whose output `samples` is the song: (frames, bands)."""
        ds, pool = self.ds, essentia.Pool()
        cutter, window, spectrum = frame_algorithms(ds)
        samples >> cutter.signal
        cutter.frame >> window.frame
        window.frame >> spectrum.frame
        if self.sparing:
            bands = mel_algorithm(ds["melBands"], ds["frameSize"] // 2 + 1)
            spectrum.spectrum >> bands.spectrum
            bands.bands >> (pool, "spectra")
        else:
            spectrum.spectrum >> (pool, "spectra")
        essentia.run(source)
        if not pool.containsKey("spectra"):
            return None
        spectra = pool["spectra"]
        pool.clear()        # one hour of spectra takes 0.6 GB
        if self.sparing or not self.mel:
            return spectra
        return np.square(spectra, out=spectra) @ mel_weights(ds["melBands"], spectra.shape[1])


def _by_either(
    file: str, chain: _Chain, promised: libsndfile.Length | None,
) -> tuple[np.ndarray | None, str]:
    """Return the spectra, (frames, bands), and a note, by the reader that keeps the length."""
    if promised:
        _check_rate(promised.rate)
    spectra = _by_essentia(file, chain)
    if spectra is None:
        return None, ""
    hop = chain.ds["hopSize"]
    if not promised or _is_kept(promised, len(spectra), hop):
        return spectra, ""
    if not promised.may_be_joined:
        with suppress(RuntimeError, UnreadableError):
            again = _by_libsndfile(file, chain)
            if again is not None and _is_kept(promised, len(again), hop):
                return again, ""
    found = len(spectra) * hop / RATE
    return spectra, f"holds {found:.1f} s, but its header promises {promised.seconds:.1f} s"


def _is_kept(promised: libsndfile.Length, frames: int, hop: int) -> bool:
    """Tell whether a song has the length that its header promises."""
    expected = promised.seconds * RATE
    longer = frames * hop - expected
    if longer > 0 and promised.may_be_joined:       # the header is that of the first part
        return True
    return abs(longer) <= max(FEW * hop, SAMPLES) + SHARE * expected


def _by_essentia(file: str, chain: _Chain) -> np.ndarray | None:
    """Read a song by Essentia; parts of different kinds one by one."""
    parts = libsndfile.differing_parts(file)
    if parts:
        return _of_samples(np.concatenate([_samples_of(part) for part in parts]), chain)
    loader = streaming.MonoLoader(filename=file)
    return chain(loader, loader.audio)


def _by_libsndfile(file: str, chain: _Chain) -> np.ndarray | None:
    """Read a song by libsndfile."""
    try:
        parts = libsndfile.read(file)
    except libsndfile.ERRORS as error:
        raise RuntimeError(str(error)) from error
    return _of_samples(np.concatenate([_resampled(*part) for part in parts]), chain)


def _of_samples(samples: np.ndarray, chain: _Chain) -> np.ndarray | None:
    if not len(samples):
        return None
    if essentia is None:
        return plain.spectra(samples, chain.ds)
    with _loader(partial(_write, samples, RATE)) as loader:
        return chain(loader, loader.audio)


def _write(samples: np.ndarray, rate: int, file: BinaryIO) -> None:
    from scipy.io import wavfile  # takes 0.2 s, rarely used
    wavfile.write(file, rate, samples)


def _samples_of(part: bytes) -> np.ndarray:
    """Decode a part of a file as if it were a file: float32, (samples,), at 44.1 kHz."""
    with _loader(lambda file: file.write(part)) as loader:
        return _collected(loader)


@contextmanager
def _loader(fill: Callable[[BinaryIO], object]) -> Iterator[object]:
    """Make a MonoLoader of a temporary file, which is read 40 times as fast as an array."""
    with tempfile.NamedTemporaryFile() as file:
        fill(file)
        file.flush()
        yield streaming.MonoLoader(filename=file.name)


def _resampled(samples: np.ndarray, rate: int) -> np.ndarray:
    """Resample to 44.1 kHz as MonoLoader does."""
    if rate == RATE:
        return samples
    _check_rate(rate)
    if essentia is None:
        return plain.resampled(samples, rate, RATE)
    with _loader(partial(_write, samples, rate)) as loader:
        return _collected(loader)


def _check_rate(rate: int) -> None:
    if not RATE / FACTOR <= rate <= RATE * FACTOR:      # refused before Resample takes gigabytes
        raise RuntimeError("SRC ratio outside [1/256, 256] range")


def _collected(loader: object) -> np.ndarray:
    pool = essentia.Pool()
    loader.audio >> (pool, "samples")
    essentia.run(loader)
    return pool["samples"] if pool.containsKey("samples") else np.empty(0, np.float32)


def _mel_bands(spectra: np.ndarray, bands: int) -> np.ndarray:
    """Send spectra, (frames, bins), through Essentia's MelBands: (frames, bands)."""
    bins, pool = spectra.shape[1], essentia.Pool()
    source = streaming.VectorInput(list(spectra))   # a two-dimensional array takes 4 times as long
    mel = mel_algorithm(bands, bins)
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
