"""What a network learns about chunks: the one tag of each, or for every tag whether it has it."""

import lasagne
import numpy as np

import theano
import theano.tensor as T
from mirdl.results import ranking


class OneTag:
    """A chunk has one tag; the probabilities of all tags add up to 1.

    Attributes
    ----------
    several : bool
    dtype : type
        Of y as the compiled functions take it.
    """

    several, dtype = False, np.int32

    @staticmethod
    def variable(name: str) -> theano.Variable:
        """Make the variable of y: (chunks,), the labels."""
        return T.ivector(name)

    @staticmethod
    def costs(prediction: theano.Variable, y: theano.Variable, num_classes: int,
              cost: str) -> theano.Variable:
        """Give the cost of each chunk.

        Parameters
        ----------
        prediction : tensor
            (chunks, classes), probabilities.
        y : tensor
            (chunks,), the true labels.
        num_classes : int
        cost : {'crossentropy', 'squared_error'}

        Returns
        -------
        tensor
            (chunks,).
        """
        if cost == "squared_error":
            targets = T.extra_ops.to_one_hot(y, num_classes)
            return lasagne.objectives.squared_error(prediction, targets).mean(axis=1)
        return lasagne.objectives.categorical_crossentropy(prediction, y)

    @staticmethod
    def right(prediction: theano.Variable, y: theano.Variable) -> theano.Variable:
        """Tell which chunks are given their tag."""
        return T.eq(T.argmax(prediction, axis=1), y)


class SeveralTags:
    """A chunk may have several tags, or none; each has a probability of its own.

    Attributes
    ----------
    several, dtype
        See `OneTag`.
    """

    several, dtype = True, np.float32

    @staticmethod
    def variable(name: str) -> theano.Variable:
        """Make the variable of y: (chunks, tags), 1 for those that a chunk has."""
        return T.matrix(name)

    @staticmethod
    def costs(prediction: theano.Variable, y: theano.Variable, num_classes: int,
              cost: str) -> theano.Variable:
        """Give the cost of each chunk, (chunks,): the sum over all tags of binary cross-entropies.

        So each tag is learnt as if it were the only one, however many there are.
        """
        return lasagne.objectives.binary_crossentropy(prediction, y).sum(axis=1)

    @staticmethod
    def right(prediction: theano.Variable, y: theano.Variable) -> theano.Variable:
        """Tell of each tag of each chunk whether a threshold of 0.5 is right: (chunks, tags)."""
        return T.eq(prediction > 0.5, y > 0.5)


Target = type[OneTag] | type[SeveralTags]


def target_of(y: np.ndarray) -> Target:
    """Tell what labels, or the y of chunks, ask a network to learn."""
    return SeveralTags if y.ndim == 2 else OneTag


def song_means(probabilities: np.ndarray, song: np.ndarray, songs: int) -> np.ndarray:
    """Give the mean probabilities of the chunks of each song; 0 for a song without chunks.

    Parameters
    ----------
    probabilities : ndarray
        (chunks, classes).
    song : ndarray of int
        (chunks,), the song of each.
    songs : int
        How many songs there are.

    Returns
    -------
    ndarray
        float64, (songs, classes).
    """
    found = np.zeros((songs, probabilities.shape[1]))
    np.add.at(found, song, probabilities)
    return found / np.maximum(np.bincount(song, minlength=songs), 1)[:, None]


def mean_figures(losses: np.ndarray, probabilities: np.ndarray, y: np.ndarray,
                 song: np.ndarray) -> tuple[float, float]:
    """Give the mean loss and the accuracy (%) of chunks.

    Parameters
    ----------
    losses : ndarray
        (chunks,).
    probabilities : ndarray
        (chunks, classes).
    y : ndarray
        (chunks,), the true labels; or where there may be several (chunks, classes): then the mean
        average precision (%) of songs, by the mean probabilities of their chunks, takes the place
        of the accuracy.
    song : ndarray of int
        (chunks,), the song of each.
    """
    if target_of(y).several:
        _, first, place = np.unique(song, return_index=True, return_inverse=True)
        figure = ranking.mean_precision(y[first] > 0, song_means(probabilities, place, len(first)))
    else:
        figure = float(100 * np.mean(probabilities.argmax(axis=1) == y))
    return float(np.mean(losses, dtype=np.float64)), figure
