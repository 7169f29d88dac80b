"""The songs of a data set: by its loader, by a table of tags, or by the folders of its tags."""

import inspect
import os
import traceback
from collections.abc import Callable, Collection
from dataclasses import replace
from types import ModuleType

from mirdl.errors import UserError
from mirdl.songs import given_tables, label_files, stretches
from mirdl.songs.audio_files import below, cannot_read, folder_of, in_folders
from mirdl.songs.dataset import Songs
from mirdl.songs.groups import groups_of, joined
from mirdl.songs.public_sets import PublicSet
from mirdl.songs.stretch import recording_of
from mirdl.songs.tags import BETWEEN, Tags, in_cell, settled
from mirdl.songs.wording import names_of, some


def songs_of(ds: dict, module: ModuleType) -> Songs:
    """Find the songs of a data set and their tags.

    Parameters
    ----------
    ds : dict
        parameters["DS"]; used are dataset, labels, background and replicas.
    module : module
        Where data sets may have loaders.

    Returns
    -------
    Songs
        Sorted by name. `replicas` has those that DS.replicas asks for, by the names of the songs.

    Raises
    ------
    UserError
        If there is no such data set, its files or the table of its tags cannot be used, or no
        replicas are known and DS.replicas asks for them.
    """
    folder, load = folder_of(ds["dataset"]), _loader(ds["dataset"], module)
    if load:
        songs = _load(load, folder, module)
    elif ds["labels"]:
        songs = Songs({os.path.relpath(path, folder): (path, "")
                       for path in below(folder, cannot_read)})
    else:
        songs = in_folders(folder)
    of_stretches = os.path.isdir(ds["labels"]) or label_files.is_table(ds["labels"])
    if ds["background"] and not of_stretches:
        raise UserError(f"DS.background={ds['background']} needs DS.labels with stretches of time: "
                        "a folder of label files, or a CSV file with the columns "
                        f"{', '.join(label_files.TABLE)}")
    if ds["labels"]:
        songs = (_with_stretches if of_stretches else _labelled)(songs, ds)
    return replace(songs, files=dict(sorted(songs.files.items())), replicas=_replicas(songs, ds))


def public_songs(folder: str, known: PublicSet) -> Songs:
    """Find the songs of a public data set in the folders of its tags, with what is known of them.

    Parameters
    ----------
    folder : str
    known : PublicSet
        Its tables may name songs without their endings; songs that are not there are passed over.

    Returns
    -------
    Songs
    """
    songs = in_folders(folder)
    names = given_tables.aliases(songs.tags)
    for split, path in known.splits.items():
        _, parts = given_tables.read(f"the split {split!r}", str(path), ("part",))
        songs.splits[split] = {names[song]: part for song, part in parts.items()
                               if names.get(song)}
    return replace(songs, replicas=known.replicas, notes=[*songs.notes, *known.faults])


def without_replicas(songs: Songs, ds: dict, used: Collection[str] | None) -> Songs:
    """Leave out the second song of each pair of replicas if DS.replicas is "drop".

    It stays where the first one is not among those that are `used` (None: all are).
    """
    out = {replica for kept, replica in songs.replicas
           if used is None or kept in used} if ds["replicas"] == "drop" else ()
    return _only(songs, {name: file for name, file in songs.files.items() if name not in out})


def groups_in(songs: Songs, names: list[str], ds: dict) -> list[str] | None:
    """Return the group of each song by DS.groups, the loader and DS.replicas.

    Parameters
    ----------
    songs : Songs
    names : list of str
        Those whose groups are wanted.
    ds : dict
        parameters["DS"]; used are groups and replicas.

    Returns
    -------
    list of str or None
        None if each song is on its own.

    Raises
    ------
    UserError
        If a song has no group.
    """
    groups, recordings = None, [recording_of(name) for name in names]
    if ds["groups"]:
        groups = groups_of(recordings, ds["groups"])
    elif songs.groups is not None:
        groups = [songs.groups[name] for name in names]
    return joined(recordings, groups, songs.replicas) if ds["replicas"] == "together" else groups


def _labelled(songs: Songs, ds: dict) -> Songs:
    """Give songs the tags of the table DS.labels; those that it does not name are passed over."""
    source = f"DS.labels={ds['labels']}"
    _, cells = given_tables.read(source, ds["labels"], ("tag",), between=BETWEEN)
    cells = given_tables.of_songs(cells, source, songs.tags, ds["dataset"])
    tags = settled({name: in_cell(cell, source, name) for name, cell in cells.items()}, source)
    return _tagged(songs, {name: (songs.files[name][0], tag) for name, tag in tags.items()}, source)


def _with_stretches(songs: Songs, ds: dict) -> Songs:
    """Give recordings the stretches of DS.labels; those without any are passed over."""
    found = stretches.read(songs, ds)
    files = {each.recording: (songs.files[each.recording][0], "") for each in found}
    return replace(_tagged(songs, files, f"DS.labels={ds['labels']}"), stretches=found)


def _tagged(songs: Songs, files: dict[str, tuple[str, Tags]], source: str) -> Songs:
    """Use these files, which have a tag, and note that the others have none."""
    without = [name for name in songs.files if name not in files]
    told = f"{some(len(without), 'song has', 'songs have')} no tag in {source} and " \
           f"{'is' if len(without) == 1 else 'are'} passed over: {names_of(without)}"
    return _only(replace(songs, notes=[*songs.notes, *([told] if without else [])]), files)


def _only(songs: Songs, files: dict[str, tuple[str, Tags]]) -> Songs:
    """Use these files only."""
    paths = {name: path for name, path in songs.paths.items() if name not in files}
    return replace(songs, files=files, others={**songs.others, **paths})


def _replicas(songs: Songs, ds: dict) -> tuple[tuple[str, str], ...]:
    """Return the pairs of songs that are the same recording, if DS.replicas asks for them."""
    if ds["replicas"] == "keep":
        return ()
    if not songs.replicas:
        raise UserError(
            f"DS.replicas={ds['replicas']} needs a data set whose replicas are known: Ballroom "
            f"or GTZAN, not {ds['dataset']}; name songs that belong together in DS.groups"
        )
    names = given_tables.aliases(songs.tags)
    pairs = [(names.get(one), names.get(other)) for one, other in songs.replicas]
    return tuple(pair for pair in pairs if all(pair))


def _loader(dataset: str, module: ModuleType) -> Callable[[str], Songs] | None:
    """Find the loader of a data set: a function of the module itself that takes (folder)."""
    found = getattr(module, dataset, None)
    if (inspect.isfunction(found) and found.__module__ == module.__name__
            and list(inspect.signature(found).parameters) == ["folder"]):
        return found
    return None


def _load(load: Callable[[str], Songs], folder: str, module: ModuleType) -> Songs:
    """Call a loader; if it fails, name the line of its module."""
    where = f"the loader {load.__name__} of {os.path.basename(module.__file__)}"
    try:
        songs = load(folder)
    except UserError:
        raise
    except Exception as error:      # a user's own code can raise anything
        *_, line = (frame for frame in traceback.extract_tb(error.__traceback__)
                    if frame.filename in (module.__file__, __file__))
        raise UserError(f"{where} failed in line {line.lineno}, {line.line!r}: "
                        f"{type(error).__name__}: {error}") from error
    _check(songs, where)
    tags = settled(songs.tags, where)
    return replace(songs, files={name: (path, tags[name]) for name, path in songs.paths.items()})


def _check(songs: Songs, where: str) -> None:
    """Refuse what a loader gives if it is not of the documented form."""
    if not isinstance(songs, Songs):
        raise UserError(f"{where} gives {type(songs).__name__}; expected Songs")
    try:
        texts = [text for song, (path, tags) in songs.files.items() for text in (
            song, path, *(tags if isinstance(tags, tuple) else (tags,)))]
    except (TypeError, ValueError, AttributeError) as error:
        raise UserError(f"{where} gives files that are not of the form song -> (path, tag): {error}"
                        ) from error
    for text in texts:
        if not isinstance(text, str) or not text:
            raise UserError(f"{where} gives {text!r} for a song, a path or a tag; expected text "
                            "that is not empty")
    for song in songs.files if songs.groups is not None else ():
        if not songs.groups.get(song):
            raise UserError(f"{where} gives no group to the song {song!r}; give every song a "
                            "group, its own or a shared one")
