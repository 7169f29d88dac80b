"""Which tags a song is given, where it may have several: a threshold for each tag.

The threshold of a tag is that of the largest F1. It is learnt from songs that the model was not
trained on.
"""

import numpy as np

USUAL = 0.5     # where nothing is known


def fitted(probabilities: np.ndarray, has: np.ndarray) -> np.ndarray:
    """Find the threshold of each tag, halfway between two of the songs' probabilities.

    Parameters
    ----------
    probabilities : ndarray
        (songs, tags), the mean over the chunks of each song.
    has : ndarray of bool
        (songs, tags), whether a song has a tag.

    Returns
    -------
    ndarray
        (tags,); a song is given the tags whose probabilities reach it. `USUAL` for a tag that no
        song has.
    """
    return np.array([_of_tag(*columns) for columns in zip(probabilities.T, has.T, strict=True)])


def _of_tag(probability: np.ndarray, has: np.ndarray) -> float:
    from sklearn.metrics import precision_recall_curve  # takes 0.5 s, unused by tagging
    if not has.any():
        return USUAL
    precision, recall, values = precision_recall_curve(has, probability)
    best = values[(precision * recall / np.maximum(precision + recall, 1e-9))[:-1].argmax()]
    return float(best + probability[probability < best].max(initial=0)) / 2


def of_folds(probabilities: np.ndarray, has: np.ndarray, fold: np.ndarray,
             validated: list[list[float]]) -> np.ndarray:
    """Give the thresholds for the test songs of each fold, on which these were not fitted.

    They are fitted on the test songs of the other folds. If there is only one fold, they are those
    of its validation songs, or `USUAL` if it has none.

    Parameters
    ----------
    probabilities, has : ndarray
        As for `fitted`.
    fold : ndarray of int
        (songs,), the place of the fold that tests each song.
    validated : list of list of float
        Of each fold, those of its validation songs, (tags,); or empty.

    Returns
    -------
    ndarray
        (songs, tags).
    """
    if len(validated) == 1:
        return np.broadcast_to(validated[0] or USUAL, has.shape)
    found = np.empty(has.shape)
    for place in set(fold):
        own = fold == place
        found[own] = fitted(probabilities[~own], has[~own])
    return found
