"""The state of a run, on disk from epoch to epoch, so that it goes on after any end as if nothing had happened.

NAME.checkpoint holds what a run was begun with; the .state of each training (a fold and try), how far that one is. So
trainings may run in any order, and several at once.
"""

import os
import time
from contextlib import contextmanager, suppress

from mirdl.errors import UserError
from mirdl.results import files
from mirdl.system import pickles
from mirdl.system.locks import is_held, locked
from mirdl.system.whole_files import remove_leftovers

FORMAT = "mirdl checkpoint 3"
RUN, STATE, LOCK = ".checkpoint", ".state", ".lock"
SHARE = 0.02        # of the time may go into writing the state; epochs shorter than that are done again after a crash


class Checkpoint:
    """The state of one training.

    Parameters
    ----------
    name : str
        Of the training's files.
    run : dict
        What its run was begun with: parameters, id, seed, songs, architecture.

    Attributes
    ----------
    current : dict or None
        The state of the training under way; None before its first epoch, and once it has ended.
    ended : bool
    outcome : dict or None
        Of plain values; what the ended training came to.

    Raises
    ------
    UserError
        If the state on disk is damaged.
    """

    def __init__(self, name, run):
        self._path, self._run = files.path_of(name, STATE), name_of(run)
        self._every, self._next = run["parameters"]["checkpointEvery"], 0
        content = load(self._path, FORMAT, "current", "ended", "outcome") if os.path.exists(self._path) else {}
        self.current, self.ended, self.outcome = content.get("current"), content.get("ended", False), content.get("outcome")

    def save(self, epoch, current):
        """Keep `current`, the state after `epoch` (from 0), unless the last write was too short a time ago."""
        if not os.path.exists(files.path_of(self._run, LOCK)):
            raise UserError(f"the run {self._run!r} was stopped")       # a worker out of reach learns it here
        if (epoch + 1) % self._every or time.monotonic() < self._next:
            return
        start = time.monotonic()
        self._write(current())
        self._next = time.monotonic() + (time.monotonic() - start) / SHARE

    def finish(self, outcome):
        """Keep the outcome of the training."""
        self.ended, self.outcome = True, outcome
        self._write(None)

    def _write(self, current):
        self.current = current
        pickles.dump({"format": FORMAT, "current": current, "ended": self.ended, "outcome": self.outcome}, self._path)


@contextmanager
def taken(name, run):
    """The `Checkpoint` of a training, its lock held meanwhile.

    A process that nobody waits for any more may still be at it: it is waited for, as all do the same to the bit.
    """
    with locked(files.path_of(name, LOCK), lambda: None):
        yield Checkpoint(name, run)


@contextmanager
def begun(run):
    """Keep what a new run is begun with, and hold its lock meanwhile."""
    with _locked(name_of(run)):
        pickles.dump({"format": FORMAT, "run": run}, files.path_of(name_of(run), RUN))
        yield


@contextmanager
def resumed(id):
    """What the stopped run `id` ('last': the latest one) was begun with, its lock held meanwhile.

    Raises
    ------
    UserError
        If there is no such run, another process works on it, or its checkpoint is damaged.
    """
    name = _find(id)
    with _locked(name):
        yield read(name)


def read(name):
    """What the run `name` was begun with."""
    return load(files.path_of(name, RUN), FORMAT, "run")["run"]


@contextmanager
def onward(id):
    """An end before the end says how to go on with the run or sweep `id`."""
    command = f"go on with: python run.py resume={id}"
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(command) from None
    except UserError as error:
        raise UserError(str(error) if command in str(error) else f"{error}; then {command}") from error


def forget(run, names):
    """The run has ended: remove its state, and that of the trainings `names`."""
    for name in names:
        for ending in (STATE, LOCK):        # the lock of a training whose process was killed
            if os.path.exists(files.path_of(name, ending)):
                os.unlink(files.path_of(name, ending))
    os.unlink(files.path_of(name_of(run), RUN))


def name_of(run):
    """DATASET_TYPE_ID of a run."""
    return files.name_of(run["parameters"], run["id"])


def load(path, format, *keys):
    """These parts of a state on disk; one that is damaged or of another format is a UserError."""
    try:
        content = pickles.load(path)
        if content["format"] != format:
            raise ValueError("it is of another format")
        return {key: content[key] for key in keys}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"cannot go on from {path!r}: {error}") from error


def exists(run):
    """Whether the run was begun and has not ended."""
    return os.path.exists(files.path_of(name_of(run), RUN))


def rank(name, *names):
    """A key that sorts runs, or sweeps, with these files of data/results: first those under way, then by when they were worked on."""
    times = [0]
    for file in names:
        with suppress(FileNotFoundError):       # another process may have ended the run meanwhile
            times.append(os.path.getmtime(os.path.join(files.FOLDER, file)))
    return not is_held(files.path_of(name, LOCK)), max(times)


def stopped():
    """The runs that have not ended: name -> `rank`; the one that was worked on last comes last."""
    entries = sorted(os.listdir(files.FOLDER)) if os.path.isdir(files.FOLDER) else []
    there = [file.removesuffix(RUN) for file in entries if file.endswith(RUN)]
    ranks = {name: rank(name, name + RUN, *(file for file in entries if file.startswith(name + "-") and file.endswith(STATE)))
             for name in there}
    return dict(sorted(ranks.items(), key=lambda entry: entry[1]))


def _find(id):
    """The name of the run whose id, or whose name, is `id`."""
    there = list(stopped())
    found = there[-1:] if id == "last" else [name for name in there if name == id or name.endswith("_" + id)]
    if not found:
        raise UserError(f"there is no stopped run {id!r} in {files.FOLDER}; to be resumed there: {', '.join(there) or 'none'}")
    return found[0]


@contextmanager
def _locked(name):
    def refuse():
        raise UserError(f"another process is working on the run {name!r}; wait for it, or stop it first")
    with locked(files.path_of(name, LOCK), refuse):
        remove_leftovers(files.FOLDER)
        try:
            yield
        finally:
            remove_leftovers(files.FOLDER)       # after workers that were ended
