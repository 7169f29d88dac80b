"""Activation functions."""

import pytensor.tensor as pt
from pytensor.tensor import sigmoid, softplus
from pytensor.tensor.special import LogSoftmax, Softmax, log_softmax
from pytensor.tensor.special import softmax as _softmax


def relu(x, alpha=0):
    """Return max(x, alpha x): with alpha = 0 the rectifier, with 0 < alpha < 1 a leaky one.

    `alpha` may be a number or a tensor that broadcasts against x. With alpha = 0 an array gives an
    array, and a number a number.
    """
    if isinstance(alpha, int | float) and alpha == 0:
        # Theano's form; its gradient at 0 is 1/2, and networks were published with it.
        return 0.5 * (x + abs(x))
    x = pt.as_tensor_variable(x)
    alpha = pt.as_tensor_variable(alpha).astype(x.dtype)
    first, second = 0.5 * (1 + alpha), 0.5 * (1 - alpha)
    return first * x + second * abs(x)


def elu(x, alpha=1):
    """Return x where x > 0, alpha (exp(x) - 1) elsewhere."""
    return pt.switch(x > 0, x, alpha * pt.expm1(x))


def selu(x):
    """`elu`, scaled so that mean 0 and variance 1 are kept from layer to layer."""
    return 1.0507009873554805 * elu(x, 1.6732632423543772)


def softsign(x):
    """Return x / (1 + |x|)."""
    return x / (1.0 + abs(x))


def hard_sigmoid(x):
    """Return the sigmoid as a ramp: 0.2 x + 0.5, clipped to [0, 1]."""
    return pt.clip(x * 0.2 + 0.5, 0.0, 1.0)


ultra_fast_sigmoid = sigmoid  # an approximation in Theano; XLA has no need of one


def softmax(x):
    """Softmax of each row. x: (rows, classes), or (classes,) which counts as one row."""
    return _softmax(_rows(x), axis=-1)


softmax_graph = softmax_op = softmax


def softmax_with_bias(x, b):
    """`softmax` of x + b."""
    return softmax(x + b)


def logsoftmax(x):
    """Logarithm of `softmax`, without overflow."""
    return log_softmax(_rows(x), axis=-1)


logsoftmax_op = logsoftmax


def _rows(x):
    x = pt.as_tensor_variable(x)
    return x.dimshuffle("x", 0) if x.ndim == 1 else x
