"""data/preloaded: the spectrograms of a data set, kept so that they are computed once.

One pickle a data set and set of spectrogram parameters, or, where that would take too much memory, a store on disk; what
is done to spectrograms later (normalisation, chunks) is no part of it. Each song is kept with its file's size and time of
change, so only new and changed files are computed; and it is in the store from the moment it is computed, so a program
that is killed computes no song again.
"""

import os

import essentia
import numpy as np

from mirdl.spectrograms.decoding import Passing, compute_or_reason
from mirdl.spectrograms.store import Store, Stored
from mirdl.system import pickles
from mirdl.system.locks import locked
from mirdl.system.memory import memory
from mirdl.system.pool import in_parallel
from mirdl.system.whole_files import make_folder, remove_leftovers

FOLDER = os.path.join("data", "preloaded")
FORMAT = "mirdl spectrograms 1"
# the parameters that shape a spectrogram; they make the file's name
SHAPING = ("dataset", "frameSize", "hopSize", "specTransform", "melBands", "windowType")
SHARE = 0.25        # of the memory that all processes may take: with DS.store='auto' larger data sets stay on disk


def spectrograms(files, DS, processes=1):
    """The spectrograms of `files`, from data/preloaded as far as they are there.

    Parameters
    ----------
    files : dict of str
        Song name -> path of its audio file.
    DS : dict
        parameters['DS'].
    processes : int
        How many are going to have them at a time; with DS.store='auto' they share the memory.

    Returns
    -------
    dict
        Song name -> ndarray or `Stored`, float32, (bands, frames), or, for a file that gave none, the reason as a str.

    Raises
    ------
    UserError
        If data/preloaded cannot be written to.
    """
    make_folder(FOLDER)
    remove_leftovers(FOLDER)
    path = os.path.join(FOLDER, "_".join(str(DS[key]) for key in SHAPING))
    # two runs that need the same features compute them once
    with locked(path + ".pickle.lock", lambda: print(f"  waiting for another run that computes {path}.pickle ...", flush=True)):
        pickled, store = _read(path + ".pickle", DS), _open(path + ".store", DS)
        kept = {**pickled, **store.songs}
        stamps = {name: _stamp(file) for name, file in files.items()}
        songs = {name: kept[name] for name in files if name in kept and kept[name][0] == stamps[name]}
        new = [name for name in files if name not in songs]
        if kept and (new or len(kept) != len(songs)):
            print(f"  {path} is stale: {len(new)} songs are new or changed, {len(set(kept) - set(files))} are gone")
        passing = {}
        computed = in_parallel(compute_or_reason, [(files[name], DS) for name in new], "spectrograms", "song")
        for name, result in zip(new, computed, strict=True):
            if isinstance(result, Passing):
                passing[name] = result
            else:
                songs[name] = store.keep(name, stamps[name], result)
        settle = _to_disk if _belongs_on_disk(songs, DS["store"], processes) else _to_memory
        songs = settle(songs, pickled, store, path + ".pickle", DS)
    return {name: passing.get(name) or songs[name][1] for name in files}


def _belongs_on_disk(songs, where, processes):
    size = sum(song.nbytes for _, song in songs.values() if not isinstance(song, str))
    return where == "disk" or where == "auto" and size * processes > SHARE * memory()


def _to_memory(songs, pickled, store, path, DS):
    """The songs as arrays; the pickle holds them, and the store is no longer needed."""
    songs = {name: (stamp, np.asarray(song) if isinstance(song, Stored) else song) for name, (stamp, song) in songs.items()}
    if store.songs or songs.keys() != pickled.keys():
        pickles.dump({"format": FORMAT, "songs": songs, **_about(DS)}, path)
        print(f"  saved the spectrograms to {path}")
    else:
        print(f"  loaded the spectrograms of {len(songs)} songs from {path}")
    store.remove()
    return songs


def _to_disk(songs, pickled, store, path, DS):
    """The songs of the store, which gets those that the pickle holds; the pickle is no longer needed."""
    songs = {name: song if name in store.songs else store.keep(name, *song) for name, song in songs.items()}
    if os.path.exists(path):
        os.unlink(path)
    print(f"  the spectrograms of {len(songs)} songs are read from {store.folder} as they are needed")
    return songs


def _read(path, DS):
    """The songs kept in `path`: name -> (stamp, spectrogram or reason); none, with a line that says why, if it is unfit."""
    if not os.path.exists(path):
        return {}
    try:
        content = pickles.load(path)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError("it is of another format")
        if content["DS"] != _about(DS)["DS"]:
            raise ValueError("it was made with other parameters")
        if content["essentia"] != essentia.__version__:
            raise ValueError(f"it was made by Essentia {content['essentia']}, this is {essentia.__version__}")
        if not all(_is_song(*song, DS["yInput"]) for song in content["songs"].values()):
            raise ValueError("its songs are no spectrograms")
        return content["songs"]
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        print(f"  {path} cannot be used and is computed anew: {error}")
        return {}


def _is_song(stamp, song, bands):
    return isinstance(song, str) or (isinstance(song, np.ndarray) and song.dtype == np.float32 and song.ndim == 2
                                     and song.shape[0] == bands)


def _open(folder, DS):
    """The store; empty, with a line that says why, if what is there is unfit."""
    store = Store(folder, _about(DS))
    try:
        store.read()
    except (ValueError, KeyError, TypeError, AttributeError, OSError) as error:
        print(f"  {folder} cannot be used and is computed anew: {error}")
        store.remove()
    return store


def _about(DS):
    """What spectrograms are made with."""
    return {"essentia": essentia.__version__, "DS": {key: DS[key] for key in SHAPING}}


def _stamp(file):
    """Size in bytes and time of change in nanoseconds; None of a file that is not there (any more)."""
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns
