"""Runs on disk: what a run starts with is kept until it is done, so that it can be resumed.

NAME.checkpoint holds what a run started with; the .state of each of its trainings, how far that
training has got (see `mirdl.training.checkpoint`). So trainings may run in any order, and several
at once.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, replace
from pathlib import Path

from mirdl import settings
from mirdl.errors import UserError
from mirdl.results import files
from mirdl.system import pickles
from mirdl.system.locks import is_held, locked
from mirdl.system.whole_files import remove_leftovers
from mirdl.training import checkpoint
from mirdl.training.checkpoint import LOCK, STATE
from mirdl.training.run import ChangedError, Run
from mirdl.training.trial import Trial

RUN = ".checkpoint"


def is_stopped(name: str) -> bool:
    """Tell whether the run `name` was begun and has not ended."""
    return os.path.exists(files.path_of(name, RUN))


@contextmanager
def begun(run: Run) -> Iterator[None]:
    """Keep what a new run starts with, and hold its lock meanwhile."""
    with held(run.name, f"the run {run.name!r}"):
        pickles.dump({"format": checkpoint.FORMAT, "run": asdict(run)},
                     files.path_of(run.name, RUN))
        yield


@contextmanager
def resumed(run_id: str) -> Iterator[Run]:
    """Read what a stopped run started with, and hold its lock meanwhile.

    Parameters
    ----------
    run_id : str
        Its id or its name; 'last': the run that was worked on last.

    Raises
    ------
    UserError
        If there is no such run, another process works on it, or its checkpoint is damaged.
    """
    name = _find(run_id)
    with held(name, f"the run {name!r}"):
        yield read(name)


def read(name: str) -> Run:
    """Read what the run `name` started with.

    Raises
    ------
    UserError
        If its checkpoint is damaged, or was written by another version.
    """
    path = files.path_of(name, RUN)
    try:
        run = Run(**checkpoint.load(path, checkpoint.FORMAT, "run")["run"])
    except TypeError as error:
        raise UserError(f"cannot go on from {path!r}: {error}") from error
    parameters, _ = settings.divide(settings.complete(run.parameters))
    return replace(run, parameters=parameters)      # they may lack settings of this version


@contextmanager
def resumable(run_id: str) -> Iterator[None]:
    """If stopped early, say how to resume the run or sweep `run_id`."""
    command = f"resume with: python run.py resume={run_id}"
    try:
        yield
    except (KeyboardInterrupt, BrokenPipeError) as stop:
        raise type(stop)(command) from None
    except ChangedError:        # says itself what to do
        raise
    except UserError as error:
        text = str(error)
        raise UserError(text if command in text else f"{text}; then {command}") from error


def forget(run: Run, trials: list[Trial]) -> None:
    """Remove the state of a run that has ended, and that of its trials."""
    for trial in trials:
        for ending in (STATE, LOCK):        # the lock of a training whose process was killed
            Path(files.path_of(trial.name, ending)).unlink(missing_ok=True)
    os.unlink(files.path_of(run.name, RUN))


def stopped(ending: str = RUN) -> dict[str, tuple[bool, float]]:
    """List the runs that have not ended, or the sweeps if `ending` is that of theirs.

    Returns
    -------
    dict
        Name -> whether no process works on it (so those under way come first), and the time of
        the latest change of its files; what was worked on last comes last.
    """
    entries = sorted(os.listdir(files.FOLDER)) if os.path.isdir(files.FOLDER) else []
    worked_on = {}
    for name in (entry.removesuffix(ending) for entry in entries if entry.endswith(ending)):
        states = [entry for entry in entries
                  if entry.startswith(name + "-") and entry.endswith(STATE)]
        times = [0.0]
        for entry in (name + ending, *states):
            with suppress(FileNotFoundError):   # another process may have ended the run meanwhile
                times.append(os.path.getmtime(os.path.join(files.FOLDER, entry)))
        worked_on[name] = not is_held(files.path_of(name, LOCK)), max(times)
    return dict(sorted(worked_on.items(), key=lambda item: item[1]))


def _find(run_id: str) -> str:
    """Give the name of the stopped run whose id, or whose name, is `run_id`."""
    names = list(stopped())
    found = names[-1:] if run_id == "last" else [
        name for name in names if name == run_id or name.endswith("_" + run_id)]
    if not found:
        raise UserError(f"there is no stopped run {run_id!r} in {files.FOLDER}; stopped runs "
                        f"there: {', '.join(names) or 'none'}")
    return found[0]


@contextmanager
def held(name: str, title: str) -> Iterator[None]:
    """Hold the lock of a run or sweep; refuse one that another process works on."""
    def refuse() -> None:
        raise UserError(f"another process is working on {title}; wait for it, or stop it first")
    with locked(files.path_of(name, LOCK), refuse):
        remove_leftovers(files.FOLDER)
        try:
            yield
        finally:
            remove_leftovers(files.FOLDER)       # of workers that were ended
