"""Decoding audio files, whatever they contain."""

import os
from contextlib import suppress

import numpy as np

from mirdl.frames import frames_of
from mirdl.spectrograms import libsndfile
from mirdl.spectrograms.libsndfile import Length
from mirdl.spectrograms.reasons import (
    CONVERT,
    SPLIT,
    TemporaryReason,
    UndecodedError,
    UnopenedError,
    UnreadableError,
    in_words,
)
from mirdl.system.isolated import ProcessDiedError, TookTooLongError, isolated
from mirdl.system.memory import memory

# What one song may cost: far more than any sound file needs, and a limit for a malicious one
SECONDS, SECONDS_PER_MB, SECONDS_PER_HOUR = 60, 10, 60
MEMORY, MEMORY_PER_BYTE = 2**31, 1000
SHARE = 8               # of a machine with more memory, one song may take 1 / SHARE
LONGEST = 24            # hours of sound that count; a header may promise any number


def spectrogram_of(file: str, ds: dict) -> tuple[np.ndarray | str, str]:
    """Compute the spectrogram of an audio file, or say why it has none.

    The decoder runs in its own process, so a file that crashes or hangs it harms no other song.

    Parameters
    ----------
    file : str
        Path of the audio file.
    ds : dict
        parameters["DS"]; see `mirdl.spectrograms.features.compute_spectrogram`.

    Returns
    -------
    spectrogram : ndarray or str
        float32, (bands, frames), not compressed; or the reason, a `TemporaryReason` if the next
        run may do better.
    note : str
        What is odd about the file; empty if nothing is.
    """
    from mirdl.spectrograms import features  # takes 200 MB, so only processes that decode import it
    features.weights_of(ds)     # before the fork, so that every fork inherits the cached weights
    try:
        return _by_any_way(file, ds)
    except UnopenedError as reason:
        return TemporaryReason(reason), ""
    except UnreadableError as reason:
        return str(reason), ""
    except MemoryError as error:
        return TemporaryReason(f"cannot be decoded: {error}; {SPLIT}"), ""
    except ProcessDiedError as error:
        advice = SPLIT if isinstance(error, TookTooLongError) else CONVERT
        return TemporaryReason(f"cannot be decoded: the decoder {error}; {advice}"), ""


def spectrograms_of(file: str, ways: list[dict]) -> list[tuple[np.ndarray | str, str]]:
    """Do the same for several parameters["DS"]."""
    return [spectrogram_of(file, ds) for ds in ways]


def _by_any_way(file: str, ds: dict) -> tuple[np.ndarray, str]:
    """Decode a file by Essentia; if that fails, by libsndfile."""
    size = os.path.getsize(file) if os.path.exists(file) else 0
    limits = {"seconds": SECONDS + SECONDS_PER_MB * size // 2**20, "memory": _most_memory(size)}
    promised = None
    with suppress(ProcessDiedError, MemoryError):
        promised = isolated(libsndfile.length, file, **limits)
    if promised:
        limits["seconds"] += int(SECONDS_PER_HOUR * min(promised.seconds / 3600, LONGEST))
    try:
        return _by_reader("essentia", file, ds, promised, limits)
    except TookTooLongError:
        raise
    except (UndecodedError, ProcessDiedError) as failure:
        try:
            return _by_reader("libsndfile", file, ds, promised, limits)
        except UndecodedError:
            raise failure from None


def _by_reader(
    reader: str, file: str, ds: dict, promised: Length | None, limits: dict,
) -> tuple[np.ndarray, str]:
    """Decode a file by one reader; in the way that saves memory if the usual one takes too much.

    Raises
    ------
    MemoryError
        Its message says how much memory is needed.
    """
    from mirdl.spectrograms import features
    frames, most = frames_of(ds), limits["memory"]
    samples = frames.rate * promised.seconds if promised else 0
    # Essentia's numbers, and NumPy's copy; for the second reader, so are the samples
    usual, least = (int(2 * 4 * samples * (numbers / frames.hop + (reader == "libsndfile")))
                    for numbers in (frames.bins, frames.bands))
    # of magnitudes there is only one way
    for sparing in (True,) if usual > most or frames.bins == frames.bands else (False, True):
        with suppress(MemoryError):
            return isolated(features.compute_spectrogram, file, ds, reader, sparing, promised,
                            **limits)
    raise MemoryError(f"takes about {in_words(least)} of memory, and may take {in_words(most)}"
                      if least > most else f"takes more than {in_words(most)} of memory")


def _most_memory(size: int) -> int:
    """Return how much memory a file of `size` bytes may take, in bytes."""
    machine = memory()
    return min(max(MEMORY + MEMORY_PER_BYTE * size, machine // SHARE), machine)
