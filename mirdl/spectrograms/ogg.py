"""Songs as small files that every browser plays: Ogg Vorbis, one channel."""

import io
import math

import numpy as np
import soundfile

from mirdl.spectrograms import libsndfile
from mirdl.system.isolated import ProcessDiedError, isolated

SMALLEST = 1.0          # of 0 to 1: about 50 kbit a second, at 44.1 kHz
BLOCK = 2**16           # samples written at a time: libsndfile crashes if it is given many
SECONDS, MEMORY = 600, 2**32        # that one song may take


def compressed(file: str, start: float = 0, end: float = math.inf) -> bytes | str:
    """Compress a song, or a stretch of it, in a process of its own.

    Parameters
    ----------
    file : str
        Path of a file.
    start, end : float
        Seconds.

    Returns
    -------
    bytes or str
        The content of an Ogg file, or why there is none.
    """
    try:
        return isolated(_encoded, file, start, end, seconds=SECONDS, memory=MEMORY)
    except (*libsndfile.ERRORS, ProcessDiedError, MemoryError) as error:
        return f"libsndfile cannot read it: {error}"


def samples_of(file: str, start: float, end: float) -> tuple[np.ndarray, int]:
    """Read a stretch of a song: float32, (samples,), and its rate.

    Raises
    ------
    one of libsndfile.ERRORS
        If it cannot be read, or is joined from parts of several rates.
    """
    parts = libsndfile.read(file)
    rates = {rate for _, rate in parts}
    if len(rates) != 1:
        raise ValueError(f"it has parts of {len(rates)} sample rates")
    [rate] = rates
    samples = np.concatenate([part for part, _ in parts])
    first, last = (round(min(seconds * rate, len(samples))) for seconds in (start, end))
    return samples[first:last], rate


def _encoded(file: str, start: float, end: float) -> bytes:
    samples, rate = samples_of(file, start, end)
    content = io.BytesIO()
    with soundfile.SoundFile(content, "w", rate, 1, "VORBIS", format="OGG",
                             compression_level=SMALLEST) as sound:
        for first in range(0, len(samples), BLOCK):
            sound.write(samples[first:first + BLOCK])
    return content.getvalue()
