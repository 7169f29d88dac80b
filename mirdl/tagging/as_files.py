"""Samples, and sound that comes through a pipe, as temporary files: then they are read as files."""

import os
import stat
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from multiprocessing.connection import wait
from typing import BinaryIO

import numpy as np

from mirdl.errors import UserError

PATIENCE = 60       # seconds that a pipe may be silent
MOST = 2**30        # bytes that may come through it, or `cat /dev/zero |` would fill the disk
BLOCK = 2**20
CHANNELS = 1024     # that libsndfile reads
RATES = range(1, 384001)        # Hz
TYPES = ("float32", "float64", "int16", "int32", "uint8")       # that a wav may hold


def check(path: str) -> None:
    """Refuse a path that is neither a file nor a pipe.

    Raises
    ------
    UserError
    """
    if not os.path.exists(path):
        raise UserError(f"there is no file or folder {path!r}")
    if not os.path.isfile(path) and not _is_pipe(path):
        raise UserError(f"{path!r} is a device (perhaps the terminal) or a folder, not a file or a "
                        "pipe: give the name of a sound file, or pipe one in")


@contextmanager
def file_of_samples(samples: np.ndarray, rate: int) -> Iterator[str]:
    """Write samples to a wav file, which is there inside the `with` block; give its path.

    Parameters
    ----------
    samples : ndarray
        (samples,) or (samples, channels), of one of `TYPES`. Floating-point numbers go from -1 to
        1, whole numbers over the range of their type, as in a wav file.
    rate : int
        Samples per second.

    Raises
    ------
    UserError
        For other samples or rates, or if there is no room.
    """
    samples = np.asarray(samples)
    if samples.dtype.name not in TYPES:
        raise UserError(f"samples of type {samples.dtype.name} cannot be tagged: expected "
                        f"{', '.join(TYPES[:-1])} or {TYPES[-1]}; convert them, as in "
                        "samples.astype('float32'), with values from -1 to 1")
    if samples.ndim not in (1, 2) or samples.ndim == 2 and not 0 < samples.shape[1] <= CHANNELS:
        raise UserError(f"samples of shape {samples.shape} cannot be tagged: expected (samples,) "
                        f"or (samples, channels), {CHANNELS} channels at most; transpose others")
    if not isinstance(rate, int | np.integer) or rate not in RATES:
        raise UserError(f"a rate of {rate!r} samples per second is not allowed: expected a whole "
                        f"number from {RATES[0]} to {RATES[-1]}, such as 44100")
    from scipy.io import wavfile  # takes 0.1 s, unused by files
    with _temporary(lambda file: wavfile.write(file, int(rate), samples), "the samples") as path:
        yield path


@contextmanager
def file_of(path: str) -> Iterator[str]:
    """Give the path of a file, of a pipe that of a file with all that comes through it.

    It is a real path: the processes that read it may have been started in another folder, and have
    another /dev/stdin.

    Raises
    ------
    UserError
        If a pipe is silent for `PATIENCE` seconds, if more than `MOST` bytes come through it, or if
        there is no room for them.
    """
    if not _is_pipe(path):
        yield os.path.realpath(path)
        return
    with _temporary(lambda file: _copy(path, file), f"what comes through {path!r}") as copy:
        yield copy


def _is_pipe(path: str) -> bool:
    return os.path.exists(path) and stat.S_ISFIFO(os.stat(path).st_mode)


@contextmanager
def _temporary(fill: Callable[[BinaryIO], None], what: str) -> Iterator[str]:
    """Give the path of a temporary file that `fill` has filled."""
    with ExitStack() as stack:
        try:
            file = stack.enter_context(tempfile.NamedTemporaryFile())
            fill(file)
            file.flush()
        except OSError as error:
            raise UserError(f"{what} cannot be kept in a temporary file: {error.strerror}; make "
                            "room, or set TMPDIR to another folder") from error
        yield file.name


def _copy(path: str, file: BinaryIO) -> None:
    """Copy what comes through a pipe to a file."""
    # opened without waiting for somebody who writes to it, as nobody may ever do
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        while file.tell() <= MOST:
            if not wait([handle], PATIENCE):
                raise UserError(f"nothing came through {path!r} for {PATIENCE} s: write a sound "
                                "file to it, or give the name of a file")
            block = os.read(handle, BLOCK)
            if not block:
                return
            file.write(block)
    finally:
        os.close(handle)
    raise UserError(f"more than {MOST / 2**30:.0f} GB came through {path!r}: save the sound to a "
                    "file, and give the name of that")
