"""Sweeps: the product of lists of values, a run for each combination; what is done of it is known after any end."""

import os
from contextlib import contextmanager
from itertools import product

from mirdl.errors import UserError
from mirdl.results import files
from mirdl.settings import MEANS
from mirdl.system import pickles
from mirdl.system.locks import locked
from mirdl.training import checkpoint

FORMAT = "mirdl sweep 1"
ENDING = ".sweep"


def combinations(text):
    """The combinations of a sweep, each a list of overrides for `settings.override`.

    Raises
    ------
    UserError
        If `text` is not of the form 'key=value,value key=value,value', names a key twice, or one that is no part of a run.

    Examples
    --------
    >>> combinations('DL.type=oNetOne,pNetOne folds=4')
    [['DL.type=oNetOne', 'folds=4'], ['DL.type=pNetOne', 'folds=4']]
    """
    lists = {}
    for part in text.split():
        key, equals, values = part.partition("=")
        if not equals or not all(values.split(",")) or key in (*lists, *MEANS, "mode"):
            raise UserError(f'sweep={text} is not understood at {part!r}: expected key=value,value ..., each key of a run once, '
                            'for instance sweep="DL.type=oNetOne,pNetOne random_seed=1,2,3"')
        lists[key] = [f"{key}={value}" for value in values.split(",")]
    return [list(combination) for combination in product(*lists.values())]


@contextmanager
def begun(runs):
    """Keep a new sweep, and hold its lock meanwhile.

    Parameters
    ----------
    runs : list of dict
        What each run is to be begun with: parameters, id, and title, its overrides in words.

    Yields
    ------
    str
        The sweep's id.
    """
    id = files.new_id()
    with _locked(id):
        pickles.dump({"format": FORMAT, "runs": runs}, _path(id))
        yield id


@contextmanager
def resumed(id):
    """The runs of the sweep `id`, its lock held meanwhile."""
    with _locked(id):
        yield checkpoint.load(_path(id), FORMAT, "runs")["runs"]


def find(id):
    """The id of the stopped sweep that resume=`id` means, or None: its own id, or 'last' if the latest stopped run is of one."""
    entries = [file for file in os.listdir(files.FOLDER) if file.endswith(ENDING)] if os.path.isdir(files.FOLDER) else []
    there = {file.removeprefix("Sweep_").removesuffix(ENDING): checkpoint.rank(file.removesuffix(ENDING), file) for file in entries}
    if id != "last":
        return id if id in there else None
    last, runs = max(there, key=there.get, default=None), checkpoint.stopped()
    run = max(runs, key=runs.get, default=None)
    if run and (last is None or runs[run] >= there[last]):
        return checkpoint.read(run)["sweep"]
    return last


def touch(id):
    """The sweep `id` has come to its next run."""
    os.utime(_path(id))


def drop(id, run):
    """One of the runs of the sweep `id` came to nothing: it is not begun again."""
    runs = checkpoint.load(_path(id), FORMAT, "runs")["runs"]
    pickles.dump({"format": FORMAT, "runs": [other for other in runs if other["id"] != run["id"]]}, _path(id))


def forget(id):
    """The sweep has ended."""
    os.unlink(_path(id))


def _path(id):
    return files.path_of(f"Sweep_{id}", ENDING)


def _locked(id):
    def refuse():
        raise UserError(f"another process is working on the sweep {id!r}; wait for it, or stop it first")
    return locked(files.path_of(f"Sweep_{id}", checkpoint.LOCK), refuse)
