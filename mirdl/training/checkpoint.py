"""The state of one training, saved on disk after epochs, so that it can be resumed."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from mirdl.errors import UserError
from mirdl.results import files, models
from mirdl.results.outcome import Outcome
from mirdl.system import pickles
from mirdl.system.locks import locked
from mirdl.training.network import Network
from mirdl.training.trial import Training, Trial

FORMAT = "mirdl checkpoint 5"
STATE, LOCK = ".state", ".lock"
SHARE = 0.02    # of the time may go into saving; shorter epochs are repeated after a crash


class Checkpoint:
    """The saved state of one training.

    Parameters
    ----------
    trial : Trial
    every : int
        The least number of epochs from one state to the next.

    Attributes
    ----------
    current : dict or None
        The state of a training under way; None before it was first saved, and once the
        training has ended.
    ended : bool
    outcome : Outcome or None
        The result of the ended training; None if it diverged in its first epoch.

    Raises
    ------
    UserError
        If the state on disk is damaged.
    """

    def __init__(self, trial: Trial, every: int = 1) -> None:
        self._trial, self._every = trial, every
        self._path = files.path_of(trial.name, STATE)
        self._next = 0.0
        content = {}
        if os.path.exists(self._path):
            content = load(self._path, FORMAT, "current", "ended", "outcome")
        self.current, self.ended = content.get("current"), content.get("ended", False)
        outcome = content.get("outcome")
        self.outcome = outcome and Outcome.from_json(outcome)

    def save(self, training: Training, network: Network) -> None:
        """Save the best model and how far the training has got, unless that was just done.

        Raises
        ------
        UserError
            If the run was stopped: a worker that has lost contact learns it here.
        """
        run = self._trial.run.name
        if not os.path.exists(files.path_of(run, LOCK)):
            raise UserError(f"the run {run!r} was stopped")
        if training.epoch % self._every or time.monotonic() < self._next:
            return
        start = time.monotonic()
        models.save(training.weights, training.info, self._trial.name)
        self.current = {"training": training.get_state(), "network": network.get_state()}
        self._write()
        self._next = time.monotonic() + (time.monotonic() - start) / SHARE

    def finish(self, outcome: Outcome | None) -> None:
        """Save the result of the training."""
        self.current, self.ended, self.outcome = None, True, outcome
        self._write()

    def _write(self) -> None:
        pickles.dump({"format": FORMAT, "current": self.current, "ended": self.ended,
                      "outcome": self.outcome and self.outcome.to_json()}, self._path)


def ended(trials: list[Trial]) -> dict[str, Outcome | None]:
    """Give the outcomes of the trials that have ended, by name."""
    saved = {trial.name: Checkpoint(trial) for trial in trials}
    return {name: state.outcome for name, state in saved.items() if state.ended}


@contextmanager
def held(trial: Trial, every: int) -> Iterator[Checkpoint]:
    """Give the checkpoint of a training, and hold its lock meanwhile.

    Another process may still be training it, though nobody waits for its result. Wait for
    that one: it yields identical numbers.
    """
    with locked(files.path_of(trial.name, LOCK), lambda: None):
        yield Checkpoint(trial, every)


def load(path: str, expected_format: str, *keys: str) -> dict[str, Any]:
    """Read these parts of a saved state.

    Raises
    ------
    UserError
        If the file is damaged, or of another format.
    """
    try:
        content = pickles.load(path)
        if content["format"] != expected_format:
            raise ValueError("another version of this program wrote it; begin a new run")
        return {key: content[key] for key in keys}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"cannot go on from {path!r}: {error}") from error
