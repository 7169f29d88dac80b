"""From the probabilities of a song's chunks to the class of the song."""

import numpy as np


def majority_vote(answers: np.ndarray, error_code: int) -> int:
    """Give the class of most chunks.

    Parameters
    ----------
    answers : ndarray of int
        (chunks,), the class of each.
    error_code : int
        The answer for a song without chunks.

    Returns
    -------
    int
        The lowest class in a tie.
    """
    return int(np.bincount(answers).argmax()) if len(answers) else error_code


def likeliest(probabilities: np.ndarray, error_code: int) -> int:
    """Give the class of the largest mean probability.

    Parameters
    ----------
    probabilities : ndarray
        (chunks, classes).
    error_code : int
        The answer for a song without chunks.

    Returns
    -------
    int
        The lowest class in a tie.
    """
    # in float64, so that the order of the chunks makes no difference
    return int(probabilities.sum(axis=0, dtype=np.float64).argmax()) if len(probabilities) else (
        error_code)


def share_right(answers: list[int], true: list[int]) -> float:
    """Give the share of the songs whose answer is their true label, in %."""
    return 100 * float(np.mean(np.equal(answers, true)))
