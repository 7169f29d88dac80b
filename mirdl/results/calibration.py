"""Probabilities that mean what they say: one temperature for the models of a run.

A network that is right in 80 % of the songs may well be 95 % sure of each. A temperature T makes up
for it: the probabilities p of a song become p^(1/T), scaled to add up to 1 (C. Guo et al., 'On
calibration of modern neural networks', ICML 2017). The largest stays the largest, so no tag
changes. T is learnt from songs that were tested, not trained on.
"""

from typing import NamedTuple

import numpy as np

from mirdl.results.outcome import Outcome

LOWEST, HIGHEST = 0.1, 20       # temperature
LEAST = 5e-5    # probability: half of the last digit that a run keeps


def tempered(probabilities: np.ndarray, temperature: float | None) -> np.ndarray:
    """Apply a temperature.

    Parameters
    ----------
    probabilities : ndarray
        (..., classes).
    temperature : float or None
        With None or 1 nothing changes.

    Returns
    -------
    ndarray
        float64, of the same shape.
    """
    if temperature in (None, 1):
        return probabilities
    return np.exp(_logarithms(probabilities, temperature))


def _logarithms(probabilities: np.ndarray, temperature: float) -> np.ndarray:
    """Give the logarithms of `tempered`, which are finite."""
    from scipy.special import log_softmax  # takes 0.1 s
    return log_softmax(np.log(np.maximum(probabilities, LEAST, dtype=np.float64)) / temperature,
                       axis=-1)


def losses(probabilities: np.ndarray, true: np.ndarray) -> np.ndarray:
    """Give the log loss of each song.

    Parameters
    ----------
    probabilities : ndarray
        (songs, classes).
    true : ndarray of int
        (songs,), the labels.
    """
    return -np.log(np.maximum(probabilities, LEAST)[np.arange(len(true)), true])


def fitted(probabilities: np.ndarray, true: np.ndarray) -> float:
    """Find the temperature of the smallest log loss.

    It counts one song more, of which nothing is known: each class is as likely as any other. So
    where all songs are right, few of them do not make the models sure of everything.
    """
    from scipy.optimize import minimize_scalar  # takes 0.5 s, unused by tagging

    def loss(inverse: float) -> float:
        found = _logarithms(probabilities, 1 / inverse)
        return -found[np.arange(len(true)), true].sum() - found.mean()

    return 1 / float(minimize_scalar(loss, (1 / HIGHEST, 1 / LOWEST), (1 / HIGHEST, 1 / LOWEST),
                                     method="bounded").x)


class FoldAnswers(NamedTuple):
    """Test songs of the folds of a run.

    Attributes
    ----------
    probabilities : ndarray
        (songs, classes).
    true, fold : ndarray of int
        (songs,), the label, and the place of the fold.
    """

    probabilities: np.ndarray
    true: np.ndarray
    fold: np.ndarray

    @classmethod
    def of(cls, outcomes: list[Outcome]) -> "FoldAnswers | None":
        """Gather the songs that have chunks; None if none has, or no probabilities are kept."""
        songs = [(song, label, place) for place, outcome in enumerate(outcomes)
                 for song, label in zip(outcome.probabilities, outcome.true, strict=False)
                 if any(song)]
        return cls(*map(np.array, zip(*songs, strict=True))) if songs else None

    @property
    def temperature(self) -> float:
        """Fitted on all songs; 1 if it does not lower the log loss as `crossed`."""
        crossed = self.crossed()
        helps = crossed is None or (losses(crossed, self.true).mean()
                                    < losses(self.probabilities, self.true).mean())
        return fitted(self.probabilities, self.true) if helps else 1.0

    def crossed(self) -> np.ndarray | None:
        """Apply to the songs of each fold the temperature of all other folds: (songs, classes).

        None if there is only one fold.
        """
        if len(set(self.fold)) == 1:
            return None
        found = np.empty_like(self.probabilities)
        for place in set(self.fold):
            its = self.fold == place
            found[its] = tempered(self.probabilities[its],
                                  fitted(self.probabilities[~its], self.true[~its]))
        return found
