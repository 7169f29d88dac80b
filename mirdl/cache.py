"""data/preloaded: the spectrograms of a data set, kept so that they are computed once.

One pickle a data set and set of spectrogram parameters; what is done to spectrograms later (normalisation, chunks) is
no part of it. Each song is kept with its file's size and time of change, so only new and changed files are computed.
"""

import os

import essentia
import numpy as np

from mirdl import pickles
from mirdl.features import Unopened, Unreadable, computeSpectrogram
from mirdl.files import makeFolder, removeLeftovers
from mirdl.isolated import Died, isolated
from mirdl.locks import locked
from mirdl.parallel import inParallel

FOLDER = os.path.join('data', 'preloaded')
FORMAT = 'mirdl spectrograms 1'
# the parameters that shape a spectrogram; they make the file's name
SHAPING = ('dataset', 'frameSize', 'hopSize', 'specTransform', 'melBands', 'windowType')
# what a decoder may take of the machine for one song: far above what a sound file needs, and a bound for a hostile one
SECONDS, SECONDS_PER_MB = 60, 10
MEMORY, MEMORY_PER_BYTE = 2**31, 1000


class Passing(str):
    """A reason that may not hold at the next run (no permission, a crash), so that the song is tried again."""


def spectrograms(files, DS):
    """The spectrograms of `files`, from data/preloaded as far as they are there.

    Parameters
    ----------
    files : dict of str
        Song name -> path of its audio file.
    DS : dict
        parameters['DS'].

    Returns
    -------
    dict
        Song name -> ndarray, float32, (bands, frames), or, for a file that gave none, the reason as a str.

    Raises
    ------
    UserError
        If data/preloaded cannot be written to.
    """
    makeFolder(FOLDER)
    removeLeftovers(FOLDER)
    path = os.path.join(FOLDER, '_'.join(str(DS[key]) for key in SHAPING) + '.pickle')
    # two runs that need the same features compute them once
    with locked(path + '.lock', lambda: print(f'  waiting for another run that computes {path} ...', flush=True)):
        kept = _read(path, DS)
        stamps = {name: _stamp(file) for name, file in files.items()}
        songs = {name: kept[name] for name in files if name in kept and kept[name][0] == stamps[name]}
        new = [name for name in files if name not in songs]
        if not new and len(kept) == len(songs):
            print(f'  loaded the spectrograms of {len(songs)} songs from {path}')
        else:
            if kept:
                print(f'  {path} is stale: {len(new)} songs are new or changed, {len(set(kept) - set(files))} are gone')
            computed = inParallel(computeOrReason, [(files[name], DS) for name in new], 'spectrograms', 'song')
            try:
                for name, result in zip(new, computed, strict=True):
                    songs[name] = stamps[name], result
            finally:        # after Ctrl-C as well: what is computed is kept
                _write({name: song for name, song in songs.items() if not isinstance(song[1], Passing)}, path, DS)
    return {name: songs[name][1] for name in files}


def computeOrReason(file, DS):
    """The spectrogram of an audio file as `computeSpectrogram` gives it, or, in words, why there is none.

    The decoder runs in a process of its own, so that a file that crashes it or keeps it for ever costs no other song.
    """
    size = os.path.getsize(file) if os.path.exists(file) else 0
    try:
        return isolated(computeSpectrogram, file, DS, seconds=SECONDS + SECONDS_PER_MB * size // 2**20,
                        memory=MEMORY + MEMORY_PER_BYTE * size)
    except Unopened as reason:
        return Passing(reason)
    except Unreadable as reason:
        return str(reason)
    except MemoryError:
        return Passing(f'cannot be decoded: takes more than {MEMORY >> 30} GB of memory')
    except Died as reason:
        return Passing(f'cannot be decoded: the decoder {reason}')


def _read(path, DS):
    """The songs kept in `path`: name -> (stamp, spectrogram or reason); none, with a line that says why, if it is unfit."""
    if not os.path.exists(path):
        return {}
    try:
        content = pickles.load(path)
        if not isinstance(content, dict) or content.get('format') != FORMAT:
            raise ValueError('it is of another format')
        if content['DS'] != {key: DS[key] for key in SHAPING}:
            raise ValueError('it was made with other parameters')
        if content['essentia'] != essentia.__version__:
            raise ValueError(f"it was made by Essentia {content['essentia']}, this is {essentia.__version__}")
        if not all(_isSong(*song, DS['yInput']) for song in content['songs'].values()):
            raise ValueError('its songs are no spectrograms')
        return content['songs']
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        print(f'  {path} cannot be used and is computed anew: {error}')
        return {}


def _isSong(stamp, song, bands):
    return isinstance(song, str) or (isinstance(song, np.ndarray) and song.dtype == np.float32 and song.ndim == 2
                                     and song.shape[0] == bands)


def _write(songs, path, DS):
    pickles.dump({'format': FORMAT, 'essentia': essentia.__version__,
                  'DS': {key: DS[key] for key in SHAPING}, 'songs': songs}, path)
    print(f'  saved the spectrograms to {path}')


def _stamp(file):
    """Size in bytes and time of change in nanoseconds; None of a file that is not there (any more)."""
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
