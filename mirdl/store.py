"""Spectrograms on disk, song after song: what is there stays, however the program ends, and is read a chunk at a time.

A folder of two files that only grow: spectra.f32, the songs' numbers one after the other, and songs.jsonl, a line that
says what they were made with, then a line for each song. A song is known once its line is there, and its line is
written after its numbers.
"""

import json
import os
from contextlib import suppress

import numpy as np

from mirdl.errors import UserError
from mirdl.files import cannotWrite

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
        self.folder, self.about, self.songs = folder, about, {}
        self._spectra, self._lines = os.path.join(folder, 'spectra.f32'), os.path.join(folder, 'songs.jsonl')

    def read(self):
        """Meet the songs that are there.

        Raises
        ------
        ValueError, KeyError, TypeError, AttributeError
            If they were made with anything else, or the files are damaged.
        """
        if not os.path.exists(self._lines):
            return
        with open(self._lines, 'rb+') as file:
            if file.readline(LINE) != json.dumps(self.about).encode() + b'\n':
                raise ValueError('it was made with other parameters or by another version')
            size = os.path.getsize(self._spectra) if os.path.exists(self._spectra) else 0
            end = file.tell()
            while (text := file.readline(LINE)).endswith(b'\n'):
                line = json.loads(text)
                if 'at' in line and not 0 <= line['at'] <= size - 4 * _positive(line['bands']) * _positive(line['frames']):
                    raise ValueError(f"the numbers of {line['name']!r} are not there")
                self.songs[str(line['name'])] = tuple(line['stamp']), self._song(line)
                end = file.tell()
            file.truncate(end)      # of a last line that was not written to its end

    def keep(self, name, stamp, song):
        """Add a song: its (bands, frames) float32, or the reason why there are none. What is known of it from now on."""
        line = {'name': name, 'stamp': stamp}
        try:
            os.makedirs(self.folder, exist_ok=True)
            if isinstance(song, str):
                line['reason'] = song
            else:
                song = np.asarray(song)
                line['bands'], line['frames'] = song.shape
                with open(self._spectra, 'ab') as file:
                    line['at'] = file.tell()
                    file.write(np.ascontiguousarray(song.T))    # (frames, bands): a chunk is read in one piece
                    file.flush()
                    os.fdatasync(file.fileno())
            if not os.path.exists(self._lines):
                self._append(self.about)
            self._append(line)
        except OSError as error:
            raise cannotWrite(self.folder, error) from error
        self.songs[name] = stamp, self._song(line)
        return self.songs[name]

    def remove(self):
        """Remove the folder with all songs."""
        for path in (self._lines, self._spectra):
            with suppress(FileNotFoundError):
                os.unlink(path)
        with suppress(OSError):
            os.rmdir(self.folder)
        self.songs = {}

    def _append(self, line):
        with open(self._lines, 'a') as file:
            file.write(json.dumps(line) + '\n')

    def _song(self, line):
        return line['reason'] if 'reason' in line else Stored(self._spectra, line['at'], line['bands'], line['frames'])


class Stored:
    """A spectrogram on disk; `song[:, first:last]` reads these frames, `np.asarray(song)` all.

    Parameters
    ----------
    path : str
    at : int
        Where it begins, in bytes.
    bands, frames : int
    change : callable
        What is done to the numbers when they are read, in place.
    """

    def __init__(self, path, at, bands, frames, change=None):
        self.path, self.at, self.shape, self.change = path, at, (bands, frames), change

    def changed(self, change):
        """The same spectrogram, with `change` done to its numbers whenever they are read."""
        return Stored(self.path, self.at, *self.shape, change)

    @property
    def nbytes(self):
        """Bytes that it takes in memory."""
        return 4 * self.shape[0] * self.shape[1]

    def __getitem__(self, where):
        """`where` is (slice(None), slice(first, last)): (bands, last - first), float32."""
        _, frames = where
        bands = self.shape[0]
        first, last, _ = frames.indices(self.shape[1])
        with open(self.path, 'rb', buffering=0) as file:
            content = os.pread(file.fileno(), 4 * bands * (last - first), self.at + 4 * bands * first)
        if len(content) != 4 * bands * (last - first):
            raise UserError(f'{self.path!r} has become shorter while it was read; run again, and it is made anew')
        numbers = np.array(np.frombuffer(content, np.float32).reshape(-1, bands).T, order='C')
        return self.change(numbers) if self.change else numbers

    def __array__(self, dtype=None, copy=None):
        return self[:, :].astype(dtype or np.float32, copy=False)


def _positive(number):
    if not isinstance(number, int) or number < 1:
        raise ValueError(f'{number!r} is no number of bands or frames')
    return number
