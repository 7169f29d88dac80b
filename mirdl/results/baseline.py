"""What a baseline answered, and how a network compares with it."""

from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from mirdl.results.json_form import JsonForm


@dataclass
class Baseline(JsonForm):
    """What a simple classifier answered in a cross-validation.

    Attributes
    ----------
    name : str
    voted : list of list of int
        For each fold the label given to each of its test songs; empty where a song may have
        several tags.
    accuracies : list of float
        For each fold the share of its test songs that got their own label, in %; or the mean
        average precision, in %.
    simple : bool
        Whether it sees simple numbers, not those of a published network.
    """

    name: str
    voted: list[list[int]]
    accuracies: list[float]
    simple: bool = True

    @property
    def mean(self) -> float:
        """The mean accuracy over the folds, in %."""
        return float(np.mean(self.accuracies))

    def of_folds(self, chosen: list[int]) -> Self:
        """Give the answers of some folds, by their places."""
        return type(self)(self.name, [self.voted[place] for place in chosen if self.voted],
                          [self.accuracies[place] for place in chosen], self.simple)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Make the value that `to_json` gave; refuse one without an accuracy for each fold."""
        baseline = super().from_json(content)
        baseline.accuracies = list(map(float, baseline.accuracies))
        if baseline.voted and len(baseline.voted) != len(baseline.accuracies):
            raise ValueError(f"the baseline {baseline.name!r} has no accuracy for each fold")
        return baseline


class PairedTest(NamedTuple):
    """Two classifiers on the same songs.

    Attributes
    ----------
    first, second : int
        How many songs only the first one has right, and only the second one.
    """

    first: int
    second: int

    @classmethod
    def of(cls, true: list[int], first: list[int], second: list[int]) -> Self:
        """Count songs by their true labels and by what each classifier answered."""
        right = np.equal(first, true), np.equal(second, true)
        return cls(int((right[0] & ~right[1]).sum()), int((right[1] & ~right[0]).sum()))

    @property
    def p(self) -> float:
        """The p value of McNemar's exact test, which looks at the songs where they differ."""
        from scipy.stats import binomtest  # takes 0.5 s, unused by tagging
        songs = self.first + self.second
        return float(binomtest(self.first, songs).pvalue) if songs else 1.0
