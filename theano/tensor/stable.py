"""Logarithms that do not overflow, nor do their gradients.

Theano rewrites log(softmax(x)) and the like when it compiles, gradient and all. Here log() looks at
what it gets, so that the gradient is that of the stable form from the start.
"""

import numpy as np

import pytensor.tensor as pt
from pytensor.graph.basic import Constant
from pytensor.scalar.basic import Sub
from pytensor.scalar.math import Sigmoid
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.special import Softmax, log_softmax


def log(x):
    """The natural logarithm; of a softmax, a sigmoid or one minus a sigmoid in its stable form."""
    x = pt.as_tensor_variable(x)
    op = x.owner.op if x.owner else None
    if isinstance(op, Softmax):
        return log_softmax(x.owner.inputs[0], axis=op.axis)
    if is_sigmoid(x):
        return -pt.softplus(-x.owner.inputs[0])
    if isinstance(op, Elemwise) and isinstance(op.scalar_op, Sub):
        one, other = x.owner.inputs
        if is_one(one) and is_sigmoid(other):
            return -pt.softplus(other.owner.inputs[0])
    return pt.log(x)


def is_sigmoid(x):
    """Is x the sigmoid of something?"""
    return (x.owner is not None and isinstance(x.owner.op, Elemwise)
            and isinstance(x.owner.op.scalar_op, Sigmoid))


def is_one(x):
    """Is x the constant 1, maybe with more dimensions?"""
    while x.owner is not None and len(x.owner.inputs) == 1:
        x = x.owner.inputs[0]
    return isinstance(x, Constant) and bool(np.all(x.data == 1))
