"""The spectrograms in data/preloaded, so that each is computed only once.

Each data set and each choice of spectrogram parameters has one pickle or, if that would take too
much memory, one store on disk. What is done to spectrograms later (normalisation, chunks) does
not change them. Each song is kept with the size and modification time of its file and a hash of
some of its blocks, so only new and changed files are computed. A song enters the store as soon as
it is computed, so a program that is killed loses none.
"""

import hashlib
import os
import stat
import time
from collections.abc import Callable
from contextlib import suppress

import numpy as np

from mirdl import settings
from mirdl.frames import LOGARITHMS, MUSICNN, before_network
from mirdl.spectrograms.decoding import spectrogram_of
from mirdl.spectrograms.normalisation import NORMS
from mirdl.spectrograms.reasons import TemporaryReason
from mirdl.spectrograms.store import READERS, Store, Stored
from mirdl.spectrograms.windows import finished
from mirdl.system import pickles
from mirdl.system.locks import locked
from mirdl.system.memory import memory
from mirdl.system.pool import in_parallel
from mirdl.system.progress import bar
from mirdl.system.whole_files import make_folder, remove_leftovers

try:
    import essentia
    ESSENTIA = essentia.__version__
except ModuleNotFoundError:
    ESSENTIA = "none"       # see `mirdl.spectrograms.plain`

FOLDER = os.path.join("data", "preloaded")
FORMAT = "mirdl spectrograms 1"
# The parameters that shape a spectrogram; see `_shape_of`
SHAPING = ("dataset", *(key.removeprefix("DS.") for key in settings.keys(settings.SPECTROGRAM)))
# With DS.store="auto" larger data sets stay on disk: the share of the memory for all processes
SHARE = 0.25
MOST_NOTES = 20         # songs that are named
BLOCKS, BLOCK = 5, 4096     # of a file that are hashed, and the bytes of each
# What may be raised while reading a damaged or foreign file
UNFIT = (ValueError, KeyError, TypeError, AttributeError, OSError)


def spectrograms(
    files: dict, ds: dict, others: dict | None = None, processes: int = 1, where: str = "auto",
    network_of: Callable | None = None, decoded: Callable[[], dict] | None = None,
) -> dict:
    """Load the spectrograms of `files` from data/preloaded, and compute those that are missing.

    Parameters
    ----------
    files : dict of str
        Song name -> path of its audio file.
    ds : dict
        parameters["DS"].
    others : dict of str, optional
        As `files`: songs whose spectrograms are kept if they are there, but not computed.
    processes : int
        How many processes will each hold the songs; with "auto" they share the memory.
    where : {"auto", "memory", "disk"}
        DS.store.
    network_of : callable
        Takes DS.specTransform; gives the network for `mirdl.spectrograms.windows.finished`. It is
        called if windows are computed.
    decoded : callable, optional
        Gives what the missing ones are made of, by name, in the place of decoding the files.

    Returns
    -------
    dict
        Song name -> ndarray or `Stored`, float32, (bands, frames), not compressed; or, for a file
        without a spectrogram, the reason as a str.

    Raises
    ------
    UserError
        If data/preloaded cannot be written to.
    """
    make_folder(FOLDER)
    remove_leftovers(FOLDER)
    path = os.path.join(FOLDER, "_".join(map(str, _shape_of(ds).values())))
    # two runs compute the same features only once
    with locked(path + ".pickle.lock", lambda: print(
            f"  waiting for another run that computes {path}.pickle ...", flush=True)):
        (pickled, notes), store = _read(path + ".pickle", ds), _open(path + ".store", ds)
        store.notes = {**notes, **store.notes}
        stamps = {name: _stamp(file) for name, file in {**(others or {}), **files}.items()}
        kept, temporary = {**pickled, **store.songs}, {}
        # earlier versions kept no hash: their stamps are completed
        songs = {name: (stamp, kept[name][1]) for name, stamp in stamps.items()
                 if stamp and name in kept and kept[name][0] in (stamp, stamp[:2])}
        new = [name for name in files if name not in songs]
        gone = len(kept.keys() - stamps)
        if kept and (new or gone):
            print(f"  {path} is stale: {len(new)} songs are new or changed, {gone} are gone")
        by_network = new and ds["specTransform"] in MUSICNN
        network = network_of(ds["specTransform"]) if by_network else None
        if decoded and new:
            parts = decoded()
            computed = bar([(parts[name], "") for name in new], desc="windows", unit="song")
        else:
            calls = [(files[name], before_network(ds)) for name in new]
            computed = in_parallel(spectrogram_of, calls, "spectrograms", "song")
        expected = 0 if network is None else sum(stamps[name][0] for name in new if stamps[name])
        for name, (found, note) in zip(new, computed, strict=True):
            start = time.monotonic()
            result = finished(found, network)
            if expected and not isinstance(result, str):
                # the others take as much for each of their bytes
                like_it, expected = expected / max(1, stamps[name][0]), 0
                print(f"  all windows will take about {like_it * (time.monotonic() - start):.0f} s "
                      f"and {like_it * result.nbytes / 1e6:.0f} MB of disk", flush=True)
            if isinstance(result, TemporaryReason):
                temporary[name] = result
            else:
                songs[name] = store.keep(name, stamps[name], result, note)
        notes = {name: store.notes[name] for name in songs if store.notes.get(name)}
        settle = _to_disk if _belongs_on_disk(songs, where, processes) else _to_memory
        songs = settle(songs, notes, pickled, store, path + ".pickle", ds)
    _print_notes(notes)
    return {name: temporary.get(name) or songs[name][1] for name in files}


def _belongs_on_disk(songs: dict, where: str, processes: int) -> bool:
    size = sum(song.nbytes for _, song in songs.values() if not isinstance(song, str))
    return where == "disk" or where == "auto" and size * processes > SHARE * memory()


def _print_notes(notes: dict) -> None:
    for name, note in list(notes.items())[:MOST_NOTES]:
        print(f"  Note: {name!r} {note}")
    if len(notes) > MOST_NOTES:
        print(f"  Note: {len(notes) - MOST_NOTES} more songs are odd in one of these ways")


def _to_memory(
    songs: dict, notes: dict, pickled: dict, store: Store, path: str, ds: dict,
) -> dict:
    """Return the songs as arrays, kept in the pickle; the store is removed."""
    songs = {
        name: (stamp, np.asarray(song) if isinstance(song, Stored) else song)
        for name, (stamp, song) in songs.items()
    }
    changed = store.songs or songs.keys() != pickled.keys()
    if changed or any(songs[name][0] != pickled[name][0] for name in songs):
        content = {"format": FORMAT, "songs": songs, "notes": notes, "readers": READERS}
        pickles.dump({**content, **_made_with(ds)}, path)
    print(f"  saved the spectrograms to {path}" if changed else
          f"  loaded the spectrograms of {len(songs)} songs from {path}")
    store.remove()
    return songs


def _to_disk(
    songs: dict, notes: dict, pickled: dict, store: Store, path: str, ds: dict,
) -> dict:
    """Return the songs as `Stored`; those of the pickle move to the store, the pickle goes."""
    songs = {
        name: song if store.songs.get(name) == song else
        store.keep(name, *song, notes.get(name, ""))
        for name, song in songs.items()
    }
    if os.path.exists(path):
        store.sync()
        os.unlink(path)
    print(f"  the spectrograms of {len(songs)} songs are read from {store.folder} as needed")
    return songs


def _read(path: str, ds: dict) -> tuple[dict, dict]:
    """Return the songs and notes of a pickle; none if it is unfit.

    Songs: name -> (stamp, spectrogram or reason). Notes: name -> str.
    """
    if not os.path.exists(path):
        return {}, {}
    try:
        content = pickles.load(path)
        if not isinstance(content, dict) or content.get("format") != FORMAT:
            raise ValueError("it has another format")
        if content["DS"] != _shape_of(ds):
            raise ValueError("it was made with other parameters")
        if content["essentia"] != ESSENTIA:
            raise ValueError(f"it was made with Essentia {content['essentia']}, and {ESSENTIA} is "
                             "installed")
        for _, song in content["songs"].values():
            if not (isinstance(song, str) or isinstance(song, np.ndarray)
                    and song.dtype == np.float32 and song.shape[:-1] == (ds["yInput"],)):
                raise ValueError("its songs are not spectrograms")
        notes = content.get("notes", {})
        if not all(isinstance(note, str) for note in notes.values()):
            raise ValueError("its notes are not text")
        # what could not be read before may be read now
        return {name: song for name, song in content["songs"].items()
                if not isinstance(song[1], str) or content.get("readers") == READERS}, notes
    except UNFIT as error:
        _print_unfit(path, error)
        return {}, {}


def _open(folder: str, ds: dict) -> Store:
    """Return the store; an unfit one is removed, so that it is empty."""
    norms = ["None"] if ds["specTransform"] in LOGARITHMS else NORMS
    store = Store(folder, _made_with(ds), norms)
    try:
        store.read()
    except UNFIT as error:
        _print_unfit(folder, error)
        store.remove()
    return store


def _print_unfit(path: str, error: Exception) -> None:
    print(f"  {path} cannot be used and is computed anew: {error}")


def _made_with(ds: dict) -> dict:
    """Return what the spectrograms are made with, as it is written to their files."""
    return {"essentia": ESSENTIA, "DS": _shape_of(ds)}


def _shape_of(ds: dict) -> dict:
    """Return the parameters whose values make up the name of the file, in this order.

    The level is among them only if it is changed, as files of earlier versions do not have it.
    """
    return {key: ds[key] for key in SHAPING if (key, ds[key]) != ("level", "as-is")}


def _stamp(file: str) -> tuple[int, int, str] | None:
    """Return what distinguishes a file: size (bytes), modification time (ns), a hash.

    None if there is no such file. Copies and archives may keep both size and time, but not the
    blocks.
    """
    try:
        status = os.stat(file)
    except OSError:
        return None
    return status.st_size, status.st_mtime_ns, _hash(file, status)


def _hash(file: str, status: os.stat_result) -> str:
    """Hash some blocks of a file, evenly spread from its start to its end; '' if none can be read.

    Two files may well be equal where they begin and end: headers, pictures, silence.
    """
    found = hashlib.blake2b(digest_size=8)
    if stat.S_ISREG(status.st_mode):        # reading a pipe would block
        with suppress(OSError), open(file, "rb", 0) as opened:
            for place in range(BLOCKS):
                opened.seek(max(0, status.st_size - BLOCK) * place // (BLOCKS - 1))
                found.update(opened.read(BLOCK))
            return found.hexdigest()
    return ""
