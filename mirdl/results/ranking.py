"""Whether the songs of a class have larger probabilities for it than others: ROC AUC and the like.

Unlike accuracies, these figures depend on no threshold and no vote.
"""

from typing import Any

import numpy as np

DIGITS = 4      # of a song's probabilities that are kept
ROC_AUC, AVERAGE_PRECISION = FIGURES = "roc-auc", "average-precision"


def mean_probabilities(chunks: np.ndarray) -> list[float]:
    """Give the mean probability of each class over a song's chunks, as it is kept.

    Parameters
    ----------
    chunks : ndarray
        (chunks, classes).

    Returns
    -------
    list of float
        All 0 for a song without chunks.
    """
    # in float64, so that the order of the chunks makes no difference
    total = chunks.sum(axis=0, dtype=np.float64)
    return (total / max(len(chunks), 1)).round(DIGITS).tolist()


def of_class(is_in_it: np.ndarray, probability: np.ndarray) -> dict[str, float | None]:
    """Compute the figures of one class, by scikit-learn.

    Parameters
    ----------
    is_in_it : ndarray of bool
        (songs,), whether the song is of the class.
    probability : ndarray
        (songs,), of the class.

    Returns
    -------
    dict
        A value for each of `FIGURES`: None if all songs are of the class, or no song is.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score  # takes 0.5 s
    if is_in_it.all() or not is_in_it.any():
        return dict.fromkeys(FIGURES)
    return {ROC_AUC: float(roc_auc_score(is_in_it, probability)),
            AVERAGE_PRECISION: float(average_precision_score(is_in_it, probability))}


def mean_precision(has: np.ndarray, probabilities: np.ndarray) -> float:
    """Give the mean average precision in %, over the classes that have one; nan if none has.

    Parameters
    ----------
    has : ndarray of bool
        (songs, classes).
    probabilities : ndarray
        (songs, classes).
    """
    from sklearn.metrics import average_precision_score  # takes 0.5 s
    found = [average_precision_score(of_class, column)
             for of_class, column in zip(has.T, probabilities.T, strict=True)
             if of_class.any() and not of_class.all()]
    return 100 * float(np.mean(found)) if found else float("nan")


def means(per_class: dict[str, dict[str, Any]]) -> dict[str, float]:
    """Give the mean of each figure over the classes that have one; empty if none has."""
    known = [each for each in per_class.values() if each.get(ROC_AUC) is not None]
    return {figure: float(np.mean([each[figure] for each in known])) for figure in FIGURES
            if known}


def without(per_class: dict[str, dict[str, Any]]) -> list[str]:
    """List the classes whose figures are not defined."""
    return [tag for tag, each in per_class.items() if each.get(ROC_AUC, 0) is None]
