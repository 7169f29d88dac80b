"""The trainings of a run, a fold and try each: their names, random streams, progress and outcomes."""

from dataclasses import dataclass, field

import numpy as np

from mirdl.results import files


@dataclass(eq=False)
class Try:
    """One training of one fold: which, and under what name its files go."""

    run: dict
    fold: int
    attempt: int

    @property
    def parameters(self):
        return self.run["parameters"]

    @property
    def name(self):
        """The name of its files, without ending."""
        attempt = f"t{self.attempt}" if self.parameters["randomTry"] > 1 else ""
        return files.name_of(self.parameters, f"{self.run['id']}-f{self.fold}{attempt}")

    @property
    def title(self):
        """How the user is told of it, counted from 1."""
        attempt = f" try {self.attempt + 1} of {self.parameters['randomTry']}" if self.parameters["randomTry"] > 1 else ""
        return f"fold {self.fold + 1} of {self.parameters['folds']}{attempt}"

    def rng(self, purpose=0):
        """A random stream of its own, so that folds can run in any order; the first try draws what the original drew."""
        key = [self.run["seed"], self.fold, self.attempt, purpose]
        return np.random.RandomState(key if any(key[1:]) else key[0])


@dataclass
class Outcome:
    """What one fold (from 0) and try came to. Accuracies in %, nan where not tested.

    Of each test song its name, its true label, how many of its chunks voted for each class, and the label they voted for.
    """

    name: str
    epochs: int
    bestEpoch: int
    validation: float
    loss: float = float("nan")
    utterances: float = float("nan")
    majorityVote: float = float("nan")
    songs: list = field(default_factory=list)
    true: list = field(default_factory=list)
    votes: list = field(default_factory=list)
    voted: list = field(default_factory=list)
    seconds: float = 0.0
    fold: int = 0


def every_trial(run):
    """All trainings of a run."""
    parameters = run["parameters"]
    return [Try(run, fold, attempt) for fold in range(parameters["folds"]) for attempt in range(parameters["randomTry"])]


def progress(tries, ended):
    """How many epochs there are (at most), how many are done, and how many of each training under way, in words."""
    epochs = {this: files.count_epochs(this.name) for this in tries}
    total = sum(done if this.name in ended else this.parameters["DL"]["num_epochs"] for this, done in epochs.items())
    underway = [f"{this.title}: {done}" for this, done in epochs.items() if done and this.name not in ended]
    return total, sum(epochs.values()), ", ".join(underway)
