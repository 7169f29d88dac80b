"""The trainings of a run, one for each fold and random initialisation, and how far each has got."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from importlib.util import find_spec
from typing import Any, Self

import numpy as np

from mirdl.results import files
from mirdl.results.curves import EpochFigures, TagFigures
from mirdl.results.model_info import ModelInfo
from mirdl.results.outcome import Outcome
from mirdl.songs.dataset import DataSet, Fold
from mirdl.training import schedule
from mirdl.training.network import Network
from mirdl.training.run import Run

SEEDS = 2147462579      # the seeds of Lasagne's dropout lie below
PACKAGES = ("lasagne", "pytensor", "jax", "numpy", "essentia")      # those that shape a model


@dataclass(eq=False)
class Trial:
    """One training of one fold.

    Attributes
    ----------
    run : Run
    fold : int
        From 0.
    attempt : int
        The number of its random initialisation, from 0.
    """

    run: Run
    fold: int
    attempt: int

    @property
    def parameters(self) -> dict[str, Any]:
        """Those of the run."""
        return self.run.parameters

    @property
    def name(self) -> str:
        """The name of its files, without ending."""
        attempt = f"t{self.attempt}" if self.parameters["randomTry"] > 1 else ""
        return f"{self.run.name}-f{self.fold}{attempt}"

    @property
    def title(self) -> str:
        """Its name in messages, counted from 1."""
        tries = self.parameters["randomTry"]
        attempt = f" try {self.attempt + 1} of {tries}" if tries > 1 else ""
        return f"fold {self.fold + 1} of {self.parameters['folds']}{attempt}"

    def rng(self, purpose: int = 0) -> np.random.RandomState:
        """Make the trial's own random stream, so that folds can run in any order.

        The first trial draws what the original drew.
        """
        key = [self.run.seed, self.fold, self.attempt, purpose]
        return np.random.RandomState(key if any(key[1:]) else key[0])

    @property
    def dropout_seed(self) -> int:
        """The seed of the network's dropout."""
        return self.rng(1).randint(1, SEEDS)


@dataclass
class Training:
    """How far a training has got.

    Attributes
    ----------
    schedule : Published or Cosine
        See `mirdl.training.schedule`.
    rng : RandomState
        Draws the order of the chunks in each epoch.
    info : ModelInfo
        What the file of its model says.
    rows : list of EpochFigures
        The training curves so far.
    seconds : float
        Spent on these epochs.
    best : int or None
        The epoch of the best validation accuracy, or the last one if no songs validate.
    weights : list of ndarray or None
        Those of the network after that epoch.
    """

    schedule: schedule.Published | schedule.Cosine
    rng: np.random.RandomState
    info: ModelInfo
    rows: list[EpochFigures] = field(default_factory=list)
    seconds: float = 0.0
    best: int | None = None
    weights: list[np.ndarray] | None = None

    @property
    def figures(self) -> type[EpochFigures]:
        """What the figures of an epoch mean."""
        return TagFigures if self.info.several else EpochFigures

    @property
    def epoch(self) -> int:
        """The number of the next epoch, from 0."""
        return len(self.rows)

    def add(self, figures: EpochFigures, network: Network) -> None:
        """Add an epoch to the curves; keep the network's weights if it is the best so far.

        Without validation songs the last one is the best.

        A model of validation accuracy 0 is kept only as long as none is better. (The original
        kept none, and failed.)
        """
        self.rows.append(figures)
        accuracy = figures.validation_accuracy
        if (self.best is None or not figures.is_validated
                or accuracy > self.rows[self.best].validation_accuracy):
            self.best, self.weights = figures.epoch, network.get_weights()
            self.info.validation = accuracy

    @classmethod
    def new(cls, trial: Trial, info: ModelInfo) -> Self:
        """Make the training of a trial before its first epoch."""
        return cls(schedule.new(trial.parameters), trial.rng(), info)

    def outcome(self, name: str) -> Outcome:
        """Give its result, as far as that is known before the test."""
        return Outcome(name, self.epoch, self.best, self.rows[self.best].validation_accuracy,
                       songs=self.info.test_songs, seconds=self.seconds, fold=self.info.fold)

    def get_state(self) -> dict[str, Any]:
        """Give all that changes, as plain values and arrays."""
        return {"schedule": asdict(self.schedule), "rng": self.rng.get_state(),
                "rows": [tuple(row) for row in self.rows], "seconds": self.seconds,
                "best": self.best, "weights": self.weights}

    def set_state(self, state: dict[str, Any]) -> None:
        """Continue from what `get_state` gave."""
        self.schedule = type(self.schedule)(**state["schedule"])
        self.rng.set_state(state["rng"])
        self.rows = [self.figures(*row) for row in state["rows"]]
        self.seconds, self.best, self.weights = state["seconds"], state["best"], state["weights"]
        if self.best is not None:
            self.info.validation = self.rows[self.best].validation_accuracy


def all_trials(run: Run) -> list[Trial]:
    """List all trainings of a run, the random initialisations of a fold one after the other."""
    return [Trial(run, fold, attempt) for fold in range(run.parameters["folds"])
            for attempt in range(run.parameters["randomTry"])]


def model_info(trial: Trial, dataset: DataSet, fold: Fold) -> ModelInfo:
    """Collect what it takes to use the model of a trial."""
    data = trial.parameters["DS"]
    local = data["inputNormWhere"] == "local" and data["inputNorm"] == "log0m1v"
    moments = None if local else [fold.mean[0].tolist(), fold.std[0].tolist()]
    songs = [[dataset.names[song] for song in part] for part in fold.songs]
    versions = {package: version(package) for package in PACKAGES if find_spec(package)}
    training_moments = np.transpose([dataset.mean, dataset.variance])[fold.songs.train].tolist()
    return ModelInfo(trial.parameters, dataset.classes, trial.run.seed, trial.fold,
                     trial.run.source, versions, moments, *songs,
                     training_moments=training_moments, several=dataset.several)


def progress(trials: list[Trial], ended: Collection[str]) -> tuple[int, int, str]:
    """Count how far a run has got, from the curves on disk.

    Parameters
    ----------
    trials : list of Trial
    ended : collection of str
        The names of those that have ended.

    Returns
    -------
    total, done : int
        Epochs; a training under way counts with its maximum.
    underway : str
        How many epochs each training under way has, in words.
    """
    epochs = {trial: files.count_epochs(trial.name) for trial in trials}
    total = sum(done if trial.name in ended else trial.parameters["DL"]["num_epochs"]
                for trial, done in epochs.items())
    underway = [f"{trial.title}: {done}" for trial, done in epochs.items()
                if done and trial.name not in ended]
    return total, sum(epochs.values()), ", ".join(underway)
