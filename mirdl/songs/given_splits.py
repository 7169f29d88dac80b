"""Splits that are given: by a user's table, or by a data set's loader."""

from typing import Any, NamedTuple

from mirdl import settings
from mirdl.errors import UserError
from mirdl.songs import given_tables
from mirdl.songs.dataset import Songs, Split
from mirdl.songs.wording import names_of, some

NONE, UNUSED = "none", "unused"
OWN = ", or add DS.split=none to divide the songs otherwise"


class GivenSplit(NamedTuple):
    """A split of the songs that the program does not choose.

    Attributes
    ----------
    name : str
        The value of DS.split that gives it.
    source : str
        What gives it, for messages.
    places : dict
        Name of a song -> the number of the fold that tests it, or its part: "train", "validation"
        or "test". Other songs are left out.
    folds : int
        1 for a split into parts.
    """

    name: str
    source: str
    places: dict[str, int | str]
    folds: int


def given_split(songs: Songs, parameters: dict[str, Any]) -> GivenSplit | None:
    """Read the split that DS.split names, or else that of the data set itself.

    Parameters
    ----------
    songs : Songs
    parameters : dict
        Used are DS.dataset, DS.split, mode and validation. A name that ends in .csv is that of a
        table. Songs of the part "validation" are needed only to train with validation="published".

    Returns
    -------
    GivenSplit or None
        None if there is none: the program then divides the songs.

    Raises
    ------
    UserError
        If there is no such split, a table cannot be used, names a song that is not there or none
        of the folds and parts for one that is there, or there is one fold or a part without songs.
    """
    ds = parameters["DS"]
    asked, source, own = ds["split"] or songs.split, f"DS.split={ds['split']}", ""
    if not asked or asked.lower() == NONE:
        return None
    if not ds["split"]:
        source, own = f"the split {asked!r} of data set {ds['dataset']!r}", OWN
    if asked.lower().endswith(".csv"):
        places, fixed = _from_table(asked, source, songs, ds["dataset"])
    elif asked in songs.splits:
        offered = songs.splits[asked]
        places = {name: offered[name] for name in songs.files if name in offered}
        fixed = bool(offered) and set(offered.values()) <= {*Split._fields}
    else:
        there = ", ".join(sorted(songs.splits)) or "none"
        raise UserError(f"{source} is neither a .csv file nor a split of data set "
                        f"{ds['dataset']!r}; splits there: {there}")
    values = set(places.values())
    if fixed:
        validated = parameters["mode"] == "train" and parameters["validation"] == "published"
        for part in Split._fields if validated else ("train", "test"):
            if part not in values:
                without = ", or set validation=0" if part == "validation" else ""
                raise UserError(f"{source} has no song of the part {part!r}; give it some"
                                f"{without}{own}")
        return GivenSplit(asked, source, places, 1)
    if len(values) < 2:
        raise UserError(f"{source} has {some(len(values), 'fold', 'folds')}; expected two or more, "
                        f"or {', '.join(Split._fields)} for one fixed split{own}")
    order = {fold: number for number, fold in enumerate(sorted(values, key=_by_number))}
    return GivenSplit(asked, source, {song: order[fold] for song, fold in places.items()},
                      len(order))


def settled(parameters: dict[str, Any], split: GivenSplit | None) -> dict[str, Any]:
    """Give parameters with the folds of a given split, and its name as DS.split.

    Raises
    ------
    UserError
        If folds has neither its default nor the number of folds of the split.
    """
    if split is None:
        return parameters
    folds, own = parameters["folds"], "" if parameters["DS"]["split"] else OWN
    if folds not in (settings.SETTINGS["folds"].default, split.folds):
        has = "is one fixed split (folds=1)" if split.folds == 1 else f"has {split.folds} folds"
        raise UserError(f"folds={folds} contradicts {split.source}, which {has}; set "
                        f"folds={split.folds}{own}")
    return {**parameters, "folds": split.folds,
            "DS": {**parameters["DS"], "split": split.name}}


def _from_table(path: str, source: str, songs: Songs, dataset: str) -> tuple[dict, bool]:
    """Read song -> fold or part, without unused songs, and whether these are parts."""
    column, values = given_tables.read(source, path, ("fold", "part"))
    places, fixed = given_tables.of_songs(values, source, songs.tags, dataset), column == "part"
    without = [name for name in songs.files if not places.get(name)]
    if without:
        raise UserError(f"{source} gives no {column} to {names_of(without)}; give every song one, "
                        f"or {UNUSED!r} to leave it out")
    for name, place in places.items() if fixed else ():
        if place not in (*Split._fields, UNUSED):
            raise UserError(f"{source} gives the song {name!r} the part {place!r}; expected one "
                            f"of {', '.join((*Split._fields, UNUSED))}")
    return {name: place for name, place in places.items() if place != UNUSED}, fixed


def _by_number(fold: int | str) -> tuple[float, str]:
    """Sort folds that are numbers numerically, before names."""
    try:
        return float(fold), str(fold)
    except ValueError:
        return float("inf"), str(fold)
