"""How sure an accuracy is: intervals within which it would be with other test songs."""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

LEVEL = 0.95


class Interval(NamedTuple):
    """An accuracy of songs with its 95 % interval, in %.

    Attributes
    ----------
    accuracy : float
        Of all songs together.
    low, high : float
    by : str
        What was taken as independent: 'songs' or 'groups'.
    """

    accuracy: float
    low: float
    high: float
    by: str

    @classmethod
    def of(cls, right: Sequence[bool], groups: Sequence[str] = ()) -> Self:
        """Compute Wilson's interval of a share.

        The songs of a group are alike, so they say less than as many independent songs. Then the
        number of songs is replaced by that of independent songs which would vary as much as the
        groups do, and the normal distribution by Student's t with one degree of freedom less than
        there are groups (E. Korn and B. Graubard, Survey Methodology 24, 1998, do so with the
        exact interval). Unlike a bootstrap, this is not empty where all songs are right, and draws
        nothing at random.

        Parameters
        ----------
        right : sequence of bool
            Of each song, whether it was classified correctly.
        groups : sequence of str
            The group of each song; empty if the songs are independent.
        """
        from scipy import stats  # takes 0.5 s, unused by tagging
        right = np.asarray(right, float)
        share, size = right.mean(), len(right)
        bound = stats.norm.ppf((1 + LEVEL) / 2)
        if len(groups):
            _, place = np.unique(groups, return_inverse=True)
            count = place.max() + 1
            spread = np.bincount(place, right - share)      # of each group, songs beyond its share
            variance = count / max(count - 1, 1) * np.square(spread).sum() / size**2
            size = min(share * (1 - share) / variance, size) if variance else count
            bound = stats.t.ppf((1 + LEVEL) / 2, count - 1) if count > 1 else np.inf
        return cls(100 * share, *(100 * np.array(_wilson(share, size, bound))),
                   "groups" if len(groups) else "songs")

    def __str__(self) -> str:
        """Write the interval alone: '89.8 to 96.5 by songs'."""
        return f"{self.low:.1f} to {self.high:.1f} by {self.by}"


def _wilson(share: float, size: float, bound: float) -> tuple[float, float]:
    """Give the shares that are `bound` standard deviations from the one found among `size`."""
    if np.isinf(bound):
        return 0.0, 1.0
    more = bound**2 / size
    middle = (share + more / 2) / (1 + more)
    half = np.sqrt(more * share * (1 - share) + more**2 / 4) / (1 + more)
    return max(middle - half, 0.0), min(middle + half, 1.0)
