"""Sound files of any kind, well-formed or not, for the tests of bad input."""

import struct

import numpy as np

RATE = 44100
SECONDS = 2


def noise(seconds=SECONDS, rate=RATE):
    """Noise in -0.5 .. 0.5."""
    return np.random.RandomState(7).uniform(-0.5, 0.5, int(seconds * rate))


def wav(samples, bits=16, kind="int", channels=1, rate=RATE, promised=None):
    """The bytes of a wav.

    Parameters
    ----------
    samples : ndarray
        In -1 .. 1; the same in each channel.
    kind : {'int', 'float'}
    promised : int
        Bytes of sound that the header speaks of, if others than there are.
    """
    samples = np.repeat(samples, channels)
    if kind == "float":
        data = samples.astype(f"<f{bits // 8}").tobytes()
    elif bits == 8:
        data = np.uint8(128 + 127 * samples).tobytes()
    else:
        data = np.int64(samples * (2 ** (bits - 1) - 1)).astype("<i8").view(np.uint8).reshape(-1, 8)[:, :bits // 8].tobytes()
    block = channels * bits // 8
    return struct.pack("<4sI4s4sIHHIIHH4sI", b"RIFF", 36 + len(data), b"WAVE", b"fmt ", 16, 3 if kind == "float" else 1, channels,
                       rate, rate * block & 0xffffffff, block & 0xffff, bits, b"data", len(data) if promised is None else promised) + data


def encoded(folder, format):
    """The bytes of noise as mp3, ogg (FLAC in Ogg), flac or aiff, by Essentia; `folder` takes a file meanwhile."""
    import essentia.standard
    path = folder / f"encoded.{format}"
    essentia.standard.MonoWriter(filename=str(path), format=format)(noise().astype(np.float32))
    content = path.read_bytes()
    path.unlink()
    return content


def mutated(content, rng):
    """`content` with a few bytes of its first ones changed, put in or left out."""
    content = bytearray(content)
    for _ in range(rng.randint(1, 9)):
        at, count = rng.randint(min(len(content), rng.choice([60, 200, 2000]))), rng.randint(1, 50)
        change = rng.randint(5)
        if change == 0:
            content[at] = rng.randint(256)
        elif change == 1:
            content[at] ^= 1 << rng.randint(8)
        elif change == 2:
            content[at:at + 4] = (b"\xff\xff\xff\xff", b"\0\0\0\0", b"\xff\xff\xff\x7f", b"\0\0\0\x80")[rng.randint(4)]
        elif change == 3:
            del content[at:at + count]
        else:
            content[at:at] = content[at:at + count]
    return bytes(content)
