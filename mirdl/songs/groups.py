"""Songs that belong together (of one artist, album or take), so that no fold tests what it has trained on."""

import csv
import re

from mirdl.errors import UserError


def groups_of(names, rule):
    """The group of each song.

    Parameters
    ----------
    names : list of str
        TAG/file of each song.
    rule : str
        A CSV file of the columns song (TAG/file) and group, with this header; or a regular expression: the group is
        what its first parenthesis, or all of it, finds in TAG/file.

    Returns
    -------
    list of str

    Raises
    ------
    UserError
        If the file cannot be read or the expression not understood, or a song has no group.
    """
    groups = _from_csv(rule) if rule.lower().endswith(".csv") else _from_expression(names, rule)
    for name in names:
        if not groups.get(name):
            raise UserError(f"DS.groups={rule} gives no group to the song {name!r}: each song needs one, alone or with others")
    return [groups[name] for name in names]


def joined(names, groups, replicas):
    """`groups` (a list of str; None: each song for itself) with the replicas, tuples of song names, put into one group."""
    groups = dict(zip(names, names if groups is None else groups))
    for one, other in replicas:
        if one in groups and other in groups:
            kept, left = groups[one], groups[other]
            groups.update((name, kept) for name, group in groups.items() if group == left)
    return [groups[name] for name in names]


def _from_csv(path):
    try:
        with open(path, newline="", encoding="utf-8-sig") as file:
            rows = csv.DictReader(file)
            if not {"song", "group"} <= set(rows.fieldnames or ()):
                raise UserError(f"DS.groups={path} has the columns {rows.fieldnames}; expected song and group")
            return {row["song"]: row["group"] for row in rows}
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"DS.groups={path} cannot be read: {error}; give a CSV with the columns song and group, "
                        "or a regular expression") from error


def _from_expression(names, expression):
    try:
        found = {name: re.search(expression, name) for name in names}
    except re.error as error:
        raise UserError(f"DS.groups={expression} is neither a .csv file nor a regular expression: {error}") from error
    return {name: match[min(1, match.re.groups)] for name, match in found.items() if match}
