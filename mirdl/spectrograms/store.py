"""Spectrograms on disk, read one chunk at a time; whatever ends the program, no song is lost.

A store is a folder of two files that only grow. spectra.f32 holds the numbers of one song after
the other. songs.jsonl holds a line that says how the spectrograms were made, then one line per
song, with its mean and variance, so that no later run has to read the numbers to know them. A
song counts as kept once its line is there, and its line is written after its numbers.
"""

import io
import json
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from operator import index

import numpy as np

from mirdl.errors import UserError
from mirdl.spectrograms.normalisation import NORMS, compress, moments
from mirdl.system.whole_files import cannot_write, sync

FORMAT = "mirdl store 2"
READERS = 3         # raise it when more kinds of file can be read: refused songs are tried again
LINE = 2**20        # characters: far more than the line of any song


class Store:
    """The songs in a folder.

    Parameters
    ----------
    folder : str
        Created when the first song is kept.
    made_with : dict
        How the spectrograms are made, as JSON values.
    norms : sequence of str
        The `NORMS` by which they may be compressed.

    Attributes
    ----------
    songs : dict
        Name -> (stamp, `Stored`), or (stamp, reason as a str) for a song without a spectrogram;
        empty until `read` or `keep` is called.
    notes : dict
        Name -> str, what is odd about a song; empty if nothing is.
    """

    def __init__(self, folder: str, made_with: dict, norms: Sequence[str] = NORMS) -> None:
        self.norms = norms
        self.folder, self.made_with, self.songs = folder, {"format": FORMAT, **made_with}, {}
        self.notes = {}
        self._spectra = os.path.join(folder, "spectra.f32")
        self._lines = os.path.join(folder, "songs.jsonl")
        self._opened = None

    def read(self) -> None:
        """Find the songs that are in the folder.

        Raises
        ------
        ValueError, KeyError, TypeError, AttributeError
            If they were made with anything else, or the files are damaged.
        """
        if not os.path.exists(self._lines):
            return
        with open(self._lines, "rb+") as file:
            if file.readline(LINE) != json.dumps(self.made_with).encode() + b"\n":
                raise ValueError("it was made with other parameters or by another version")
            size = os.path.getsize(self._spectra) if os.path.exists(self._spectra) else 0
            end = file.tell()
            while (text := file.readline(LINE)).endswith(b"\n"):
                line = json.loads(text)
                if "reason" not in line or line.get("readers") == READERS:
                    song = line["reason"] if "reason" in line else self._of_line(line, size)
                    self.songs[line["name"]] = tuple(line["stamp"] or ()), song
                    self.notes[line["name"]] = line.get("note", "")
                end = file.tell()
            file.truncate(end)      # drops a last line that was not completely written

    def keep(
        self, name: str, stamp: tuple, song: "np.ndarray | Stored | str", note: str = "",
    ) -> tuple:
        """Add a song.

        Parameters
        ----------
        name : str
            Replaces a song of the same name.
        stamp : tuple
            Size, modification time and hash of the song's file.
        song : ndarray, Stored or str
            float32, (bands, frames), not compressed, or one that is already in the folder and gets
            a new stamp; or the reason why there is no spectrogram.
        note : str
            What is odd about the song, in a few words.

        Returns
        -------
        tuple
            The new entry of `songs`.

        Raises
        ------
        UserError
            If it cannot be written.
        """
        line = {"name": name, "stamp": stamp}
        try:
            os.makedirs(self.folder, exist_ok=True)
            if isinstance(song, np.ndarray):
                song = self._written(song)
            if isinstance(song, str):
                line.update(reason=song, readers=READERS)
            else:
                bands, frames = song.shape
                line.update(bands=bands, frames=frames, moments=song.moments_by_norm,
                            at=song.offset)
            if note:
                line["note"] = note
            if not os.path.exists(self._lines):
                self._append_line(self.made_with)
            self._append_line(line)
        except OSError as error:
            raise cannot_write(self.folder, error) from error
        self.songs[name], self.notes[name] = (stamp, song), note
        return self.songs[name]

    def sync(self) -> None:
        """Put all songs on the disk, before the file that held them is removed."""
        for path in (self._lines, self.folder, os.path.dirname(self.folder)):
            sync(path)

    def remove(self) -> None:
        """Remove the folder; every `Stored` song that is still held stays readable."""
        for path in (self._lines, self._spectra):
            with suppress(FileNotFoundError):
                os.unlink(path)
        with suppress(OSError):
            os.rmdir(self.folder)
        self.songs, self.notes, self._opened = {}, {}, None

    def _written(self, song: np.ndarray) -> "Stored":
        """Write a song's numbers."""
        with open(self._spectra, "ab") as file:
            offset = file.tell()
            file.write(np.ascontiguousarray(song.T))    # (frames, bands): a chunk is one piece
            file.flush()
            os.fdatasync(file.fileno())     # the numbers must be on disk before the line is
        return self._stored(offset, song.shape, _moments_by_norm(song, self.norms))

    def _append_line(self, line: dict) -> None:
        with open(self._lines, "a") as file:
            file.write(json.dumps(line) + "\n")

    def _of_line(self, line: dict, size: int) -> "Stored":
        """Return what a line says of the numbers, which must be within a file of `size` bytes."""
        bands, frames, at = (index(line[key]) for key in ("bands", "frames", "at"))
        if min(bands, frames) < 1 or not 0 <= at <= size - 4 * bands * frames:
            raise ValueError(f"the numbers of {line['name']!r} are missing")
        each = {norm: tuple(map(float, values)) for norm, values in line["moments"].items()}
        return self._stored(at, (bands, frames), each)

    def _stored(self, offset: int, shape: tuple[int, int], each: dict) -> "Stored":
        self._opened = self._opened or _Numbers(self._spectra)
        return Stored(self._opened, offset, shape, each)


@dataclass(eq=False, slots=True)     # there may be a million songs
class Stored:
    """A spectrogram on disk: `song[:, first:last]` reads these frames, `np.asarray(song)` all.

    Attributes
    ----------
    file : io.FileIO
        Shared by all songs of the store.
    offset : int
        Where the spectrogram begins in the file, in bytes.
    shape : tuple of int
        (bands, frames).
    moments_by_norm : dict
        Mean and variance when compressed by each of `mirdl.spectrograms.normalisation.NORMS`.
    input_norm : str
        How the numbers are compressed when they are read.
    """

    file: io.FileIO
    offset: int
    shape: tuple[int, int]
    moments_by_norm: dict
    input_norm: str = "None"

    def part(self, first: int, last: int) -> "Stored":
        """Return the frames [:, first:last] as a spectrogram of its own; they are read once."""
        each, bands = _moments_by_norm(self[:, first:last], self.moments_by_norm), self.shape[0]
        return Stored(self.file, self.offset + 4 * bands * first, (bands, last - first), each)

    @property
    def moments(self) -> tuple[float, float]:
        """Mean and variance, known without reading the numbers."""
        return self.moments_by_norm.get(self.input_norm, self.moments_by_norm["None"])

    @property
    def nbytes(self) -> int:
        """Bytes that it would take in memory."""
        return 4 * self.shape[0] * self.shape[1]

    def __getitem__(self, where: tuple[slice, slice]) -> np.ndarray:
        """Read the frames [:, first:last]: float32, (bands, last - first)."""
        _, frames = where
        bands = self.shape[0]
        first, last, _ = frames.indices(self.shape[1])
        size = 4 * bands * (last - first)
        # pread, not seek and read: threads and forks share the file's position
        content = os.pread(self.file.fileno(), size, self.offset + 4 * bands * first)
        if len(content) != size:
            raise UserError(
                f"{self.file.name!r} has become shorter while it was being read; "
                "run again, and it is computed anew"
            )
        numbers = np.frombuffer(content, np.float32).reshape(-1, bands)
        return compress(np.array(numbers.T, order="C"), self.input_norm)

    def __array__(self, dtype: type | None = None, copy: bool | None = None) -> np.ndarray:
        """Read the whole spectrogram."""
        return self[:, :].astype(dtype or np.float32, copy=False)


def compressed(spectrogram: np.ndarray | Stored, input_norm: str) -> np.ndarray | Stored:
    """Compress a spectrogram: an array in place, one on disk whenever it is read.

    Parameters
    ----------
    spectrogram : ndarray or Stored
        float32, (bands, frames).
    input_norm : str
        One of `mirdl.spectrograms.normalisation.NORMS`.

    Returns
    -------
    ndarray or Stored
        The same array, or a new view of the spectrogram on disk.
    """
    if isinstance(spectrogram, Stored):
        return replace(spectrogram, input_norm=input_norm)
    return compress(spectrogram, input_norm)


class _Numbers(io.FileIO):
    """spectra.f32, opened once for all songs.

    So they stay readable when another process removes the store or makes a new one.
    """

    def __del__(self) -> None:
        self.close()        # with its last song, and without a ResourceWarning


def _moments_by_norm(song: np.ndarray, norms: Iterable[str]) -> dict:
    return {norm: moments(compress(song.copy(), norm)) for norm in norms}
