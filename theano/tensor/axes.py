"""Reductions whose axis may be a constant of the graph, as it may in Theano."""

import functools

import pytensor.tensor as pt
from pytensor.graph.basic import Constant

from theano.tensor.var import _tensor_py_operators

NAMES = ("all", "any", "argmax", "argmin", "cumprod", "cumsum", "max", "max_and_argmax", "mean",
         "min", "prod", "std", "sum", "var")


def known(axis):
    """Make numbers of an axis, or of several."""
    if isinstance(axis, Constant):
        return axis.data if axis.data is None else axis.data.tolist()
    return [known(one) for one in axis] if isinstance(axis, list | tuple) else axis


def with_known_axis(function):
    """Let a reduction of PyTensor's take constants as its axis."""
    @functools.wraps(function)
    def reduced(x, axis=None, *settings, **more):
        return function(x, known(axis), *settings, **more)
    return reduced


for _name in NAMES:
    globals()[_name] = with_known_axis(getattr(pt, _name))
    if hasattr(_tensor_py_operators, _name):
        _method = with_known_axis(getattr(_tensor_py_operators, _name))
        setattr(_tensor_py_operators, _name, _method)
