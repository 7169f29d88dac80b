"""Labels of stretches of time: Audacity's, Sonic Visualiser's, or a table of all recordings."""

import csv
import math
from collections.abc import Iterator
from itertools import zip_longest
from typing import NamedTuple, TextIO

from mirdl.errors import UserError
from mirdl.songs.given_tables import composed, opened, refuse_more_cells, table

TABLE = ("song", "start", "end", "tag")
REGIONS = ("TIME", "VALUE", "DURATION", "LABEL")       # of Sonic Visualiser
FORMS = ("start, end and tag, separated by tabs (Audacity), or TIME,VALUE,DURATION,LABEL "
         "(Sonic Visualiser)")


class Label(NamedTuple):
    """What one line says.

    Attributes
    ----------
    song : str
        What a table calls the recording; '' in the file of one recording.
    start, end : float
        Seconds.
    tag : str
    where : str
        The line, for messages.
    """

    song: str
    start: float
    end: float
    tag: str
    where: str


def is_table(path: str) -> bool:
    """Tell whether a CSV file is a table of stretches: it has a column start."""
    try:
        with opened(path, path) as file:
            return "start" in table(file).fieldnames
    except UserError:
        return False        # whoever reads it as another table says why


def of_table(path: str, source: str) -> list[Label]:
    """Read a CSV file with the columns song, start, end and tag.

    Raises
    ------
    UserError
        If it cannot be read, lacks a column, or a line gives no stretch or no tag.
    """
    with opened(path, source) as file:
        rows = table(file)
        if any(rows.fieldnames.count(name) != 1 for name in TABLE):
            raise UserError(f"{source} has the columns {rows.fieldnames}; expected "
                            f"{', '.join(TABLE)}, each once")
        found = []
        for row in rows:
            refuse_more_cells(row, source, rows.line_num)
            cells = [row[name] or "" for name in TABLE]
            if any(cells):
                found.append(_label(f"{source}, line {rows.line_num},", *cells))
        return found


def of_file(path: str) -> list[Label]:
    """Read the labels of one recording, as `python predict.py --format audacity` writes them.

    A .txt file is Audacity's, whose lines of frequencies (after a backslash) are passed over; a
    .csv file is Sonic Visualiser's, with or without its header.

    Raises
    ------
    UserError
        As `of_table`.
    """
    rows, found = _regions if path.lower().endswith(".csv") else _track, []
    with opened(path, repr(path)) as file:
        for number, cells in rows(file):
            where = f"{path!r}, line {number},"
            if len(cells) < 3:
                raise UserError(f"{where} has {cells}; expected {FORMS}")
            found.append(_label(where, "", *cells))
    return found


def _track(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line of a label track, and its start, end and tag."""
    for number, line in enumerate(file, 1):
        if line.strip() and not line.startswith("\\"):
            yield number, line.strip("\r\n").split("\t", 2)


def _regions(file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """Yield the number of each line of a layer of regions, and its start, end and tag."""
    lines, columns = csv.reader(file), list(REGIONS)
    for place, cells in enumerate(filter(any, lines)):
        if place == 0 and math.isnan(_seconds(cells[0])):       # the header
            columns = [name.strip().upper() for name in cells]
            continue
        row = dict(zip_longest(columns, cells[:len(columns)], fillvalue=""))
        refuse_more_cells({**row, None: cells[len(columns):]}, repr(file.name), lines.line_num)
        if not {*REGIONS} - {"VALUE"} <= row.keys():
            yield lines.line_num, cells[:2]
            continue
        end = _seconds(row["TIME"]) + _seconds(row["DURATION"])
        yield lines.line_num, [row["TIME"], row["DURATION"] if math.isnan(end) else f"{end:.6f}",
                               row["LABEL"]]


def _label(where: str, song: str, start: str, end: str, tag: str) -> Label:
    """Check what a line says."""
    first, last, tag = _seconds(start), _seconds(end), composed(tag).strip()
    if not 0 <= first < last:       # or one of them is nan
        raise UserError(f"{where} has the times {start!r} and {end!r}; expected seconds "
                        "(12.5): a start of 0 or more, and a later end")
    if not tag or not tag.isprintable():
        raise UserError(f"{where} has the tag {tag!r}; give it one without tabs and other control "
                        "characters, or remove the line")
    return Label(composed(song), first, last, tag, where)


def _seconds(text: str) -> float:
    """Give the number in a text, nan for none."""
    try:
        number = float(text)
    except ValueError:
        return math.nan
    return number if math.isfinite(number) else math.nan
