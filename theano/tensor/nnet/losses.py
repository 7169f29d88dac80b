"""Losses."""

import pytensor.tensor as pt
from pytensor.tensor import log

from theano.link.stable import times_log
from theano.tensor.nnet.activations import logsoftmax, softmax


def categorical_crossentropy(coding_dist, true_dist):
    """-log of the probability given to the true class, for each example.

    Parameters
    ----------
    coding_dist : (examples, classes)
        Probabilities.
    true_dist : (examples,) of integers, or (examples, classes)
        The classes, or their probabilities.

    Returns
    -------
    (examples,)
    """
    coding_dist, true_dist = pt.as_tensor_variable(coding_dist), pt.as_tensor_variable(true_dist)
    if true_dist.ndim == coding_dist.ndim:
        return -pt.sum(times_log(true_dist, coding_dist), axis=coding_dist.ndim - 1)
    if true_dist.ndim != coding_dist.ndim - 1:
        raise TypeError(f"categorical_crossentropy: true_dist has {true_dist.ndim} dimensions; "
                        f"coding_dist has {coding_dist.ndim}, so it needs as many or one less")
    # The logarithm of the picked ones, so that the others get no gradient, which could be 0 / 0.
    return -log(of_classes(coding_dist, true_dist))


crossentropy_categorical_1hot = categorical_crossentropy


def of_classes(values, classes):
    """values: (examples, classes) -> (examples,), the value of each example's class."""
    return values[pt.arange(classes.shape[0]), classes]


def binary_crossentropy(output, target):
    """-(t log o + (1 - t) log(1 - o)), element by element; a term of factor 0 is 0."""
    return -(times_log(target, output) + times_log(1.0 - target, 1.0 - output))


def sigmoid_binary_crossentropy(output, target):
    """`binary_crossentropy` of sigmoid(output), without overflow."""
    return target * pt.softplus(-output) + (1 - target) * pt.softplus(output)


def crossentropy_softmax_1hot(x, y_idx):
    """Cross-entropy of softmax(x) for classes `y_idx`, and softmax(x)."""
    return -of_classes(logsoftmax(x), pt.as_tensor_variable(y_idx)), softmax(x)


def crossentropy_softmax_1hot_with_bias(x, b, y_idx):
    """`crossentropy_softmax_1hot` of x + b."""
    return crossentropy_softmax_1hot(x + b, y_idx)


def crossentropy_softmax_argmax_1hot_with_bias(x, b, y_idx):
    """Cross-entropy of softmax(x + b) for classes `y_idx`, the softmax, the likeliest classes."""
    loss, probabilities = crossentropy_softmax_1hot_with_bias(x, b, y_idx)
    return loss, probabilities, pt.argmax(probabilities, axis=-1)


def crossentropy_softmax_max_and_argmax_1hot(x, y_idx):
    """Cross-entropy of softmax(x), the softmax, the largest probabilities and their classes."""
    loss, probabilities = crossentropy_softmax_1hot(x, y_idx)
    return loss, probabilities, pt.max(probabilities, -1), pt.argmax(probabilities, -1)


def confusion_matrix(actual, pred):
    """How often each class `actual` was taken for each class `pred`.

    Returns
    -------
    matrix : (classes, classes) of int64
    classes : (classes,)
        Those that occur, in order.
    """
    order = pt.extra_ops.Unique()(pt.concatenate([actual, pred]))
    rows = pt.eq(actual.dimshuffle(0, "x"), order.dimshuffle("x", 0)).astype("int64")
    columns = pt.eq(pred.dimshuffle(0, "x"), order.dimshuffle("x", 0)).astype("int64")
    return [rows.T.dot(columns), order]
