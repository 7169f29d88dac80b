"""Spectrograms on disk, song after song: what is there stays, however the program ends, and is read a chunk at a time.

A folder of two files that only grow: spectra.f32, the songs' numbers one after the other, and songs.jsonl, a line that
says what they were made with, then a line for each song, with its mean and variance, so that no start reads the numbers
again. A song is known once its line is there, and its line is written after its numbers.
"""

import io
import json
import os
from contextlib import suppress

import numpy as np

from mirdl.errors import UserError
from mirdl.spectrograms.normalisation import NORMS, compress, moments
from mirdl.system.whole_files import cannot_write

FORMAT = "mirdl store 2"
LINE = 2**20        # characters, far above what a song's line takes


class Store:
    """The songs kept in a folder.

    Parameters
    ----------
    folder : str
        Made when the first song is kept.
    about : dict
        Of JSON values: what the spectrograms are made with.

    Attributes
    ----------
    songs : dict
        Name -> (stamp, `Stored` or, for a song without a spectrogram, the reason as a str), as far as read or kept.
    """

    def __init__(self, folder, about):
        self.folder, self.about, self.songs = folder, {"format": FORMAT, **about}, {}
        self._spectra, self._lines = os.path.join(folder, "spectra.f32"), os.path.join(folder, "songs.jsonl")
        self._opened = None

    def read(self):
        """Meet the songs that are there.

        Raises
        ------
        ValueError, KeyError, TypeError, AttributeError
            If they were made with anything else, or the files are damaged.
        """
        if not os.path.exists(self._lines):
            return
        with open(self._lines, "rb+") as file:
            if file.readline(LINE) != json.dumps(self.about).encode() + b"\n":
                raise ValueError("it was made with other parameters or by another version")
            size = os.path.getsize(self._spectra) if os.path.exists(self._spectra) else 0
            end = file.tell()
            while (text := file.readline(LINE)).endswith(b"\n"):
                line = json.loads(text)
                if "at" in line and not 0 <= line["at"] <= size - 4 * _positive(line["bands"]) * _positive(line["frames"]):
                    raise ValueError(f"the numbers of {line['name']!r} are not there")
                self.songs[str(line["name"])] = tuple(line["stamp"]), self._song(line)
                end = file.tell()
            file.truncate(end)      # of a last line that was not written to its end

    def keep(self, name, stamp, song):
        """Add a song: its (bands, frames) float32, or the reason why there are none. What is known of it from now on."""
        line = {"name": name, "stamp": stamp}
        try:
            os.makedirs(self.folder, exist_ok=True)
            if isinstance(song, str):
                line["reason"] = song
            else:
                song = np.asarray(song)
                line["bands"], line["frames"] = song.shape
                line["moments"] = {inputNorm: moments(compress(song.copy(), inputNorm)) for inputNorm in NORMS}
                with open(self._spectra, "ab") as file:
                    line["at"] = file.tell()
                    file.write(np.ascontiguousarray(song.T))    # (frames, bands): a chunk is read in one piece
                    file.flush()
                    os.fdatasync(file.fileno())
            if not os.path.exists(self._lines):
                self._append(self.about)
            self._append(line)
        except OSError as error:
            raise cannot_write(self.folder, error) from error
        self.songs[name] = stamp, self._song(line)
        return self.songs[name]

    def remove(self):
        """Remove the folder with all songs; who has met them can read them on."""
        for path in (self._lines, self._spectra):
            with suppress(FileNotFoundError):
                os.unlink(path)
        with suppress(OSError):
            os.rmdir(self.folder)
        self.songs, self._opened = {}, None

    def _append(self, line):
        with open(self._lines, "a") as file:
            file.write(json.dumps(line) + "\n")

    def _song(self, line):
        if "reason" in line:
            return line["reason"]
        each = {inputNorm: tuple(map(float, line["moments"][inputNorm])) for inputNorm in NORMS}
        self._opened = self._opened or _Numbers(self._spectra)
        return Stored(self._opened, line["at"], (line["bands"], line["frames"]), each)


class _Numbers(io.FileIO):
    """spectra.f32, opened once for all songs, which so stay whole when another process removes the store or makes it anew."""

    def __del__(self):
        self.close()        # with the last song, and without the warning of a file that was left open


class Stored:
    """A spectrogram on disk; `song[:, first:last]` reads these frames, `np.asarray(song)` all.

    Parameters
    ----------
    file : io.FileIO
        The one that all songs of the store share.
    at : int
        Where it begins, in bytes.
    shape : tuple of int
        (bands, frames).
    each : dict
        For each of `NORMS` the mean and variance that it has when so compressed.
    inputNorm : str
        How its numbers are compressed when they are read.
    """

    __slots__ = "file", "at", "shape", "each", "inputNorm"      # of a million songs

    def __init__(self, file, at, shape, each, inputNorm="None"):
        self.file, self.at, self.shape, self.each, self.inputNorm = file, at, shape, each, inputNorm

    def compressed(self, inputNorm):
        """The same spectrogram, whose numbers are compressed whenever they are read."""
        return Stored(self.file, self.at, self.shape, self.each, inputNorm)

    @property
    def moments(self):
        """Mean and variance, known without reading it."""
        return self.each[self.inputNorm]

    @property
    def nbytes(self):
        """Bytes that it takes in memory."""
        return 4 * self.shape[0] * self.shape[1]

    def __getitem__(self, where):
        """`where` is (slice(None), slice(first, last)): (bands, last - first), float32."""
        _, frames = where
        bands = self.shape[0]
        first, last, _ = frames.indices(self.shape[1])
        # by place, not by seek: threads and forks share the file
        content = os.pread(self.file.fileno(), 4 * bands * (last - first), self.at + 4 * bands * first)
        if len(content) != 4 * bands * (last - first):
            raise UserError(f"{self.file.name!r} has become shorter while it was read; run again, and it is made anew")
        numbers = np.array(np.frombuffer(content, np.float32).reshape(-1, bands).T, order="C")
        return compress(numbers, self.inputNorm)

    def __array__(self, dtype=None, copy=None):
        return self[:, :].astype(dtype or np.float32, copy=False)


def _positive(number):
    if not isinstance(number, int) or number < 1:
        raise ValueError(f"{number!r} is no number of bands or frames")
    return number
