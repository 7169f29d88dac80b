"""Sound files that Essentia cannot decode, by libsndfile: Opus, ADPCM, w64, caf and others."""

import io
import os
from typing import NamedTuple

import numpy as np
import soundfile

from mirdl.spectrograms import cut_off
from mirdl.spectrograms.joined import parts_of

BLOCK = 2**20       # samples of all channels read at a time: a long file is mixed as it is read
JOINED = ("MP3", "OGG", "FLAC")     # formats whose files may be joined
SAMPLES = (1, 3, 0xFFFE)    # codecs of a wav that holds samples as they are
UNKNOWN = 2**62     # samples; libsndfile promises as many or more if it does not know
HEAD = 2**16        # bytes in which the header of a wav should end

# what is raised if a file cannot be read
ERRORS = (soundfile.SoundFileError, OSError, RuntimeError, ValueError)


class Length(NamedTuple):
    """How long a song should be.

    Attributes
    ----------
    seconds : float
    rate : int
        Samples per second.
    may_be_joined : bool
        Whether more may follow than this, which is the length of the first part.
    """

    seconds: float
    rate: int
    may_be_joined: bool


def length(file: str) -> Length | None:
    """Return the length that the header of a file promises; None if nobody knows."""
    # opening a pipe, or reading from a file of the system (/proc), may never end
    if not os.path.isfile(file) or not os.path.getsize(file):
        return None
    try:
        with _opened(file) as sound:
            rate = sound.samplerate
            known = 0 < sound.frames < UNKNOWN and rate > 0
            return Length(sound.frames / rate, rate, sound.format in JOINED) if known else None
    except ERRORS:
        return _length_by_byte_rate(file)


def peak(file: str) -> float:
    """Return the largest absolute sample of a file of floating-point samples.

    Those are taken as they are, and no format keeps them within 1 and -1. For other files this is
    0: what a decoder makes of mp3 or Ogg Vorbis exceeds 1 now and then.
    """
    try:
        with _opened(file) as sound:
            if sound.subtype not in ("FLOAT", "DOUBLE"):
                return 0
            return max(float(np.abs(block).max()) for block in sound.blocks(BLOCK))
    except ERRORS:
        return 0


def differing_parts(file: str) -> list[bytes]:
    """Return the parts of a file that was joined, if they differ in rate or number of channels.

    Parameters
    ----------
    file : str
        Path of the file.

    Returns
    -------
    list of bytes
        Empty if all parts are of one kind.
    """
    parts = parts_of(file)
    return parts if len({_kind(part) for part in parts}) > 1 else []


def read(file: str) -> list[tuple[np.ndarray, int]]:
    """Read a sound file, and mix it down: the mean of its channels.

    Of one or two channels that is what Essentia's MonoMixer gives; Essentia reads no more.

    Parameters
    ----------
    file : str
        Path of the file.

    Returns
    -------
    list of tuple
        For each part of the file, float32, (samples,), and the samples per second.

    Raises
    ------
    one of ERRORS
        If it cannot be read.
    """
    return [_mono(part) for part in parts_of(file) or [file]]


def _length_by_byte_rate(file: str) -> Length | None:
    """Return what a wav promises whose codec libsndfile does not know (AAC); None for others."""
    try:
        with open(file, "rb") as opened:
            head = opened.read(HEAD)
    except OSError:
        return None
    form, data = head.find(b"fmt "), head.find(b"data")
    if not head.startswith(b"RIFF") or min(form, data) < 0:
        return None
    codec = int.from_bytes(head[form + 8:form + 10], "little")
    rate, bytes_per_second, size = (int.from_bytes(head[at:at + 4], "little")
                                    for at in (form + 12, form + 16, data + 4))
    if codec in SAMPLES or not rate or not bytes_per_second or size >= cut_off.UNKNOWN:
        return None
    return Length(size / bytes_per_second, rate, False)


def _mono(source: str | bytes) -> tuple[np.ndarray, int]:
    with _opened(source) as sound:
        mixed = [np.empty(0, np.float32)]
        while len(block := sound.read(BLOCK // sound.channels, dtype="float32", always_2d=True)):
            mixed.append(sum(block.T) / np.float32(sound.channels))
        return np.concatenate(mixed), sound.samplerate


def _opened(source: str | bytes) -> soundfile.SoundFile:
    """Open a file, or a part of one, so that its content, not its name, gives the format."""
    if isinstance(source, bytes):
        return soundfile.SoundFile(io.BytesIO(source))
    return soundfile.SoundFile(os.open(source, os.O_RDONLY))


def _kind(part: bytes) -> tuple[int, int] | None:
    try:
        with _opened(part) as sound:
            return sound.samplerate, sound.channels
    except ERRORS:
        return None
