"""Activations and losses, by the module's name that scripts import."""

from theano.tensor.nnet.activations import (  # noqa: I001 (names stand side by side)
    LogSoftmax, Softmax, elu, hard_sigmoid, logsoftmax, logsoftmax_op, relu, selu, sigmoid, softmax,
    softmax_graph, softmax_op, softmax_with_bias, softplus, softsign, ultra_fast_sigmoid)
from theano.tensor.nnet.losses import (
    binary_crossentropy, categorical_crossentropy, confusion_matrix, crossentropy_categorical_1hot,
    crossentropy_softmax_1hot, crossentropy_softmax_1hot_with_bias,
    crossentropy_softmax_argmax_1hot_with_bias, crossentropy_softmax_max_and_argmax_1hot,
    sigmoid_binary_crossentropy)
