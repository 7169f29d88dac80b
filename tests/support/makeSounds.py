"""Sound files of any kind, well-formed or not, for the tests of bad input."""

import io
import struct

import numpy as np
import pytest

RATE = 44100
SECONDS = 2


def noise(seconds=SECONDS, rate=RATE):
    """Return noise in -0.5 .. 0.5."""
    return np.random.RandomState(7).uniform(-0.5, 0.5, int(seconds * rate))


def wav(samples, bits=16, kind="int", channels=1, rate=RATE, promised=None):
    """Return the bytes of a wav.

    Parameters
    ----------
    samples : ndarray
        In -1 .. 1; each channel gets the same.
    kind : {'int', 'float'}
    promised : int
        Bytes of sound that the header announces, if that is not the truth.
    """
    samples = np.repeat(samples, channels)
    if kind == "float":
        data = samples.astype(f"<f{bits // 8}").tobytes()
    elif bits == 8:
        data = np.uint8(128 + 127 * samples).tobytes()
    else:
        whole = np.int64(samples * (2 ** (bits - 1) - 1)).astype("<i8")
        data = whole.view(np.uint8).reshape(-1, 8)[:, :bits // 8].tobytes()
    block = channels * bits // 8
    header = struct.pack(
        "<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16,
        3 if kind == "float" else 1, channels, rate, rate * block & 0xffffffff, block & 0xffff,
        bits, b"data", len(data) if promised is None else promised)
    return header + data


def padded_wav(samples):
    """Return the bytes of a wav of 24 valid bits in 32 (WAVE_FORMAT_EXTENSIBLE)."""
    data = (np.int64(samples * (2**23 - 1)) << 8).astype("<i4").tobytes()
    kind = bytes.fromhex("0100000000001000800000aa00389b71")     # whole numbers
    header = struct.pack(
        "<4sI4s4sIHHIIHHHHI16s4sI", b"RIFF", 60 + len(data), b"WAVE", b"fmt ", 40, 0xFFFE, 1, RATE,
        4 * RATE, 4, 32, 22, 24, 4, kind, b"data", len(data))
    return header + data


def by_libsndfile(samples, container, coding, rate=RATE):
    """Return the bytes of a file as libsndfile writes it: by_libsndfile(SOUND, "W64", "PCM_16")."""
    import soundfile
    content = io.BytesIO()
    soundfile.write(content, samples, rate, coding, format=container)
    return content.getvalue()


def encoded(folder, coding):
    """Return the bytes of noise as mp3, ogg (FLAC in Ogg), flac or aiff, by Essentia.

    It writes a temporary file in `folder`.
    """
    standard = pytest.importorskip("essentia.standard", reason="Essentia is not installed")
    path = folder / f"encoded.{coding}"
    standard.MonoWriter(filename=str(path), format=coding)(noise().astype(np.float32))
    content = path.read_bytes()
    path.unlink()
    return content


def mutated(content, rng):
    """Change, insert or remove a few bytes near the beginning of `content`."""
    content = bytearray(content)
    for _ in range(rng.randint(1, 9)):
        at, count = rng.randint(min(len(content), rng.choice([60, 200, 2000]))), rng.randint(1, 50)
        change = rng.randint(5)
        if change == 0:
            content[at] = rng.randint(256)
        elif change == 1:
            content[at] ^= 1 << rng.randint(8)
        elif change == 2:
            extremes = b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\0\0\0\x80"
            content[at:at + 4] = extremes[rng.randint(4)]
        elif change == 3:
            del content[at:at + count]
        else:
            content[at:at] = content[at:at + count]
    return bytes(content)
