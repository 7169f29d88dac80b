"""Songs that belong together (same artist, album or take) and so must share a fold."""

import re
from collections.abc import Iterable

from mirdl.errors import UserError
from mirdl.songs import given_tables
from mirdl.songs.given_tables import composed


def groups_of(names: list[str], rule: str) -> list[str]:
    """Return the group of each song.

    Parameters
    ----------
    names : list of str
        TAG/file of each song.
    rule : str
        A CSV file with a header and the columns song (TAG/file) and group; or a regular
        expression that is searched for in TAG/file: the group is what its parentheses match,
        joined, or the whole match if it has none. Composed and decomposed Unicode are the same.

    Returns
    -------
    list of str

    Raises
    ------
    UserError
        If the file cannot be read, the expression is not valid, or a song has no group.
    """
    if rule.lower().endswith(".csv"):
        _, found = given_tables.read(f"DS.groups={rule}", rule, ("group",), twice=True,
                                     instead=", or a regular expression")
    else:
        try:
            matches = [re.search(composed(rule), composed(name)) for name in names]
        except re.error as error:
            raise UserError(f"DS.groups={rule} is neither a .csv file nor a regular expression: "
                            f"{error}") from error
        found = {match.string: "".join(match.groups("")) if match.re.groups else match[0]
                 for match in matches if match}
    groups = {name: found.get(composed(name)) for name in names}
    for name in names:
        if not groups[name]:
            raise UserError(
                f"DS.groups={rule} gives no group to the song {name!r}; "
                "give every song a group, its own or a shared one"
            )
    return [groups[name] for name in names]


def joined(
    names: list[str], groups: list[str] | None, replicas: Iterable[tuple[str, str]]
) -> list[str]:
    """Put replicas, and the groups that they belong to, into one group.

    Parameters
    ----------
    names : list of str
        TAG/file of each song.
    groups : list of str or None
        The group of each song; None if each song is on its own.
    replicas : iterable of tuple of str
        Pairs of names; pairs with a song that is not among `names` are ignored.

    Returns
    -------
    list of str
        The group of each song.
    """
    groups = dict(zip(names, names if groups is None else groups, strict=True))
    for one, other in replicas:
        if one in groups and other in groups:
            kept, left = groups[one], groups[other]
            groups.update((name, kept) for name, group in groups.items() if group == left)
    return [groups[name] for name in names]
