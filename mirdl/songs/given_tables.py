"""Users' tables, CSV files with a row for each song: which column, which songs."""

import csv
import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TextIO
from unicodedata import normalize

from mirdl.errors import UserError
from mirdl.songs.tags import Tags
from mirdl.songs.wording import names_of


def composed(text: str) -> str:
    """Return a text in composed Unicode: an e and its accent, two characters, become one, é.

    File systems and spreadsheets differ in which of the two they write.
    """
    return normalize("NFC", text)


def read(source: str, path: str, columns: tuple[str, ...], twice: bool = False,
         instead: str = "", between: str = "") -> tuple[str, dict[str, str]]:
    """Read a CSV file with a header, the column song and one of `columns`.

    Its first line shows whether commas, semicolons or tabs separate its columns. `Song` counts as
    the column song.

    Parameters
    ----------
    source : str
        The setting that names it, for messages: 'DS.split=folds.csv'.
    path : str
    columns : tuple of str
        Names of columns, of which the file has one.
    twice : bool
        Whether a song may be named again with the same value.
    instead : str
        What a user may give in place of such a file, for messages.
    between : str
        If it is given, a song may have several values, a row each; this joins them.

    Returns
    -------
    column : str
        That of `columns` which the file has.
    values : dict
        What the table calls a song -> its value, both in composed Unicode.

    Raises
    ------
    UserError
        If the file cannot be read, does not have each of these columns once, or names a song twice.
    """
    expected = " or ".join(f"song and {column}" for column in columns)
    with opened(path, source, f"; give a CSV file with the columns {expected}{instead}") as file:
        rows = table(file)
        there = [name for name in rows.fieldnames if name in columns]
        if len(there) != 1 or rows.fieldnames.count("song") != 1:
            raise UserError(f"{source} has the columns {rows.fieldnames}; expected {expected}, "
                            "each once")
        [column], values = there, {}
        for row in rows:
            song, value = composed(row["song"] or ""), composed(row[column] or "").strip()
            if not song:
                continue
            refuse_more_cells(row, source, rows.line_num)
            known = values.get(song, value)
            if between and known != value:
                value = known + between + value
            elif song in values and not (twice and known == value):
                raise UserError(f"{source} names the song {song!r} twice (line {rows.line_num}), "
                                f"with the {column} {known!r} and with {value!r}; leave one of "
                                "these lines")
            values[song] = value
        return column, values


@contextmanager
def opened(path: str, source: str, instead: str = "") -> Iterator[TextIO]:
    """Open a text file that a user gives; refuse one that cannot be read.

    Parameters
    ----------
    path : str
    source : str
        What it is called in messages.
    instead : str
        What to do, for messages.
    """
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            yield file
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        reason = getattr(error, "strerror", None) or error
        if isinstance(error, UnicodeDecodeError):
            reason = "it is not UTF-8; save it as such"
        raise UserError(f"{source} cannot be read: {reason}{instead}") from error


def table(file: TextIO) -> csv.DictReader:
    """Read the rows of a CSV file whose columns commas, semicolons or tabs separate."""
    header = file.readline()
    file.seek(0)
    rows = csv.DictReader(file, delimiter=max(",;\t", key=header.count))
    rows.fieldnames = [name.strip().lower() for name in rows.fieldnames or ()]
    return rows


def refuse_more_cells(row: dict, source: str, line: int) -> None:
    """Refuse a row that has more cells than columns: a name holds the separator, say."""
    if any(row.get(None, ())):
        raise UserError(f"{source} has more cells than columns in line {line}, {row[None]!r}; put "
                        "what holds the separator into quotes, and write 12.5 with a point")


def aliases(tags: Mapping[str, Tags]) -> dict[str, str | None]:
    """List what a table may call a song.

    That is its name (a path below the data set) or, if it has one tag, TAG/file, each with or
    without the ending.

    Parameters
    ----------
    tags : dict
        Name of each song -> its tag or tags.

    Returns
    -------
    dict
        In composed Unicode -> the song's name; None where several songs might be meant.
    """
    paths = list(map(composed, tags))
    by_tag = [composed(os.path.join(tag, os.path.basename(name))) if isinstance(tag, str) else path
              for path, (name, tag) in zip(paths, tags.items(), strict=True)]
    found = {}
    for called in (paths, map(_stem, paths), by_tag, map(_stem, by_tag)):
        songs = defaultdict(list)
        for alias, name in zip(called, tags, strict=True):
            songs[alias].append(name)
        for alias, names in songs.items():
            found.setdefault(alias, names[0] if len(names) == 1 else None)
    return found


def of_songs(values: Mapping[str, str], source: str, tags: Mapping[str, Tags],
             dataset: str) -> dict[str, str]:
    """Find the songs of a table's rows.

    Parameters
    ----------
    values : dict
        What the table calls a song -> its value, as `read` gives it.
    source : str
        As for `read`.
    tags : dict
        Name of each song -> its tag or tags.
    dataset : str
        Name of the data set, for messages.

    Returns
    -------
    dict of str
        Name -> value, of the songs that are named.

    Raises
    ------
    UserError
        If a row names no song, or a song that another row names in another way.
    """
    names, rows = aliases(tags), {}
    unknown = [song for song in values if not names.get(song)]
    if unknown:
        raise UserError(f"{source} names {names_of(unknown)}, but no song of data set {dataset!r}, "
                        "or more than one, has that name; give paths below its folder")
    for song in values:
        if names[song] in rows:
            raise UserError(f"{source} names the song {names[song]!r} twice, as "
                            f"{rows[names[song]]!r} and {song!r}; leave one of these lines")
        rows[names[song]] = song
    return {name: values[song] for name, song in rows.items()}


def _stem(name: str) -> str:
    return os.path.splitext(name)[0]
