"""Sweeps: the product of lists of values, one run for each combination.

Sweep_ID.sweep lists the runs until all are done, so that a sweep can be resumed after any end.
"""

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import product
from typing import Any, NamedTuple

from mirdl import settings
from mirdl.errors import UserError
from mirdl.recipes import give_way
from mirdl.results import files, tables
from mirdl.system import pickles
from mirdl.training import checkpoint, runs
from mirdl.training.run import DivergedError

FORMAT = "mirdl sweep 3"
PREFIX, ENDING = "Sweep_", ".sweep"


class PlannedRun(NamedTuple):
    """One run of a sweep.

    Attributes
    ----------
    parameters : dict
        Nested, as in run.py.
    run_id : str
    title : str
        What sets it apart, as overrides: 'DL.type=oNetOne folds=4'.
    """

    parameters: dict[str, Any]
    run_id: str
    title: str

    @property
    def name(self) -> str:
        """The name of its files."""
        return files.name_of(self.parameters, self.run_id)


def combinations(text: str) -> list[list[str]]:
    """List the combinations of a sweep, each a list of overrides for `settings.override`.

    Raises
    ------
    UserError
        If `text` is not of the form 'key=value,value key=value,value', names a key twice, or one
        that is no part of a run.

    Examples
    --------
    >>> combinations("DL.type=oNetOne,pNetOne folds=4")
    [['DL.type=oNetOne', 'folds=4'], ['DL.type=pNetOne', 'folds=4']]
    """
    lists = {}
    for part in text.split():
        key, equals, values = part.partition("=")
        # a recipe replaces what was not chosen, which only the command line shows
        excluded = {*lists, *settings.keys(settings.EXECUTION), "mode", "recipe"}
        if not equals or not all(values.split(",")) or key in excluded:
            raise UserError(f"sweep={text} is not understood at {part!r}: expected "
                            "key=value,value ..., each key of a run once, for instance "
                            'sweep="DL.type=oNetOne,pNetOne random_seed=1,2,3"')
        lists[key] = [f"{key}={value}" for value in values.split(",")]
    return [list(combination) for combination in product(*lists.values())]


def plan(text: str, parameters: dict[str, Any], build: Callable,
         find_songs: Callable) -> list[PlannedRun]:
    """Plan a run for each combination of a sweep.

    Parameters
    ----------
    text : str
        As for `combinations`.
    parameters : dict
        Those of all runs, apart from what the combination overrides.
    build : callable
        Builds a network: (inputs, parameters, number of classes).
    find_songs : callable
        Takes parameters; gives last the parameters with the folds of a given split.

    Raises
    ------
    UserError
        As `combinations`, for a value that is not allowed, and what `build` and `find_songs` raise.
    """
    planned = []
    for overrides in combinations(text):
        changed = give_way(parameters, lambda changed: build(None, changed, 2), overrides)
        *_, changed = find_songs(changed)
        planned.append(PlannedRun(changed, files.new_id(), " ".join(overrides)))
    return planned


def differing_in_data(planned: list[PlannedRun]) -> list[dict[str, Any]]:
    """List the parameters of the runs, one for all that use the data set in the same way."""
    distinct = {repr({**run.parameters, "DL": run.parameters["DL"]["batchSize"],
                      "random_seed": 0}): run.parameters for run in planned}
    return list(distinct.values())


def run_all(planned: list[PlannedRun], sweep_id: str, begin: Callable[[PlannedRun], list],
            resume: Callable[[str], list]) -> list[list]:
    """Do the runs of a sweep that are not done yet, then print a table that compares them all.

    Parameters
    ----------
    planned : list of PlannedRun
    sweep_id : str
    begin : callable
        Does a planned run from its beginning.
    resume : callable
        Resumes the stopped run with this id.

    Returns
    -------
    list
        What `begin` and `resume` gave.
    """
    results = []
    for number, run in enumerate(planned, 1):
        stopped = runs.is_stopped(run.name)
        if files.is_done(run.name) and not stopped:
            continue
        os.utime(_path(sweep_id))       # it has reached its next run
        print(f"######################## run {number} of {len(planned)}: {run.title}", flush=True)
        with runs.resumable(sweep_id):
            try:
                results.append(resume(run.run_id) if stopped else begin(run))
            except DivergedError as error:
                print(error)
                drop(sweep_id, run)
    compared = {run.name: files.read_outcomes(run.name) for run in planned
                if files.is_done(run.name)}
    print(tables.text(tables.comparison(compared)))
    if told := tables.more_songs(compared):
        print(told)
    os.unlink(_path(sweep_id))
    return results


@contextmanager
def begun(planned: list[PlannedRun]) -> Iterator[str]:
    """Keep the list of a new sweep's runs, and hold its lock meanwhile; yields the sweep's id."""
    sweep_id = files.new_id()
    with runs.held(PREFIX + sweep_id, f"the sweep {sweep_id!r}"):
        _write(sweep_id, planned, _fingerprint(planned))
        yield sweep_id


@contextmanager
def resumed(sweep_id: str) -> Iterator[list[PlannedRun]]:
    """Read the runs of a stopped sweep, and hold its lock meanwhile."""
    with runs.held(PREFIX + sweep_id, f"the sweep {sweep_id!r}"):
        yield _read(sweep_id)[0]


def find(sweep_id: str) -> str | None:
    """Give the id of the stopped sweep that resume=`sweep_id` means.

    Returns
    -------
    str or None
        For 'last' the sweep of the run that was worked on last, if that is part of one.
    """
    if sweep_id != "last":
        return sweep_id if os.path.exists(_path(sweep_id)) else None
    sweeps = runs.stopped(ENDING)
    worked_on = {**runs.stopped(), **sweeps}
    last = max(worked_on, key=worked_on.get, default=None)
    if last in sweeps:
        return last.removeprefix(PREFIX)
    return last and runs.read(last).sweep


def find_equal(planned: list[PlannedRun]) -> str | None:
    """Give the id of a stopped sweep that was started with the same runs, and say so."""
    for name, (free, _) in sorted(runs.stopped(ENDING).items()):
        sweep_id = name.removeprefix(PREFIX)
        with suppress(UserError):       # of another version, or damaged: not equal
            if free and _read(sweep_id)[1] == _fingerprint(planned):
                print(f"This sweep was stopped; resuming it. To start afresh, remove "
                      f"{_path(sweep_id)}", flush=True)
                return sweep_id
    return None


def drop(sweep_id: str, run: PlannedRun) -> None:
    """Take a run without a result off the list, so that it is not started again."""
    planned, asked = _read(sweep_id)
    _write(sweep_id, [other for other in planned if other.run_id != run.run_id], asked)


def _write(sweep_id: str, planned: list[PlannedRun], asked: str) -> None:
    pickles.dump({"format": FORMAT, "runs": [tuple(run) for run in planned], "asked": asked},
                 _path(sweep_id))


def _read(sweep_id: str) -> tuple[list[PlannedRun], str]:
    content = checkpoint.load(_path(sweep_id), FORMAT, "runs", "asked")
    return [PlannedRun(*run) for run in content["runs"]], content["asked"]


def _fingerprint(planned: list[PlannedRun]) -> str:
    """Hash what is asked for in all runs; their ids do not count."""
    asked = repr([(run.parameters, run.title) for run in planned])
    return hashlib.sha256(asked.encode()).hexdigest()


def _path(sweep_id: str) -> str:
    return files.path_of(PREFIX + sweep_id, ENDING)
