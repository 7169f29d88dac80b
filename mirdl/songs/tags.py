"""The tags of songs: one each, or of some songs several or none."""

from collections.abc import Mapping

import numpy as np

from mirdl.errors import UserError

Tags = str | tuple[str, ...]        # the one tag of a song, or all of them

BETWEEN = "|"       # the tags of a song in one cell of a table


def each_of(tags: Tags) -> tuple[str, ...]:
    """Give the tags of a song one by one."""
    return (tags,) if isinstance(tags, str) else tuple(tags)


def several(tags: Mapping[str, Tags]) -> bool:
    """Tell whether songs may have several tags, as `settled` gives them."""
    return any(isinstance(found, tuple) for found in tags.values())


def in_cell(cell: str, source: str, song: str) -> tuple[str, ...]:
    """Read the cell of a table: 'rock', 'rock|live', or '' for no tag.

    Raises
    ------
    UserError
        If a tag between two `|` is missing, or stands there twice; `source` and `song` say where.
    """
    found = tuple(tag.strip() for tag in cell.split(BETWEEN)) if cell else ()
    if not all(found) or len({*found}) < len(found):
        raise UserError(f"{source} gives the song {song!r} the tags {cell!r}; expected tags with "
                        f"{BETWEEN} between them, none empty and none twice, or no tag at all")
    return found


def settled(tags: Mapping[str, Tags], source: str) -> dict[str, Tags]:
    """Tell songs of one tag each from songs of which some have several.

    Parameters
    ----------
    tags : dict
        Name of each song -> its tags.
    source : str
        Where they are from, for messages.

    Returns
    -------
    dict
        Name -> a text if each song has one; otherwise a tuple, sorted, empty for no tag.

    Raises
    ------
    UserError
        If a song has no tag, but none has several.
    """
    every = {name: sorted(set(each_of(found))) for name, found in tags.items()}
    if any(len(found) > 1 for found in every.values()):
        return {name: tuple(found) for name, found in every.items()}
    for name, found in every.items():
        if not found:
            raise UserError(f"{source} gives no tag to the song {name!r}; give it one (only where "
                            "some songs have several tags, others may have none)")
    return {name: tag for name, (tag,) in every.items()}


def labels_of(tags: list[Tags], classes: list[str]) -> np.ndarray:
    """Give the labels of songs.

    Parameters
    ----------
    tags : list
        Of each song, as `settled`. A song may have tags that are no class.
    classes : list of str

    Returns
    -------
    ndarray
        (songs,), unsigned integers, the place of each song's class; or where a song may have
        several float32, (songs, classes), 1 for those that it has.
    """
    if all(isinstance(tag, str) for tag in tags):
        return np.array([classes.index(tag) for tag in tags], np.min_scalar_type(len(classes)))
    return np.array([[tag in found for tag in classes] for found in tags], np.float32)
