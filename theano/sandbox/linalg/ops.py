"""Linear algebra by the module's name that scripts import, and hints for Theano's rewrites."""

from theano.tensor import nlinalg
from theano.tensor.nlinalg import *  # noqa: F403 (all of its names)
from theano.tensor.slinalg import *  # noqa: F403 (all of its names)


def psd(v):
    """Return v: that it is positive semi-definite is of no use here."""
    return v


def __getattr__(name):
    return getattr(nlinalg, name)
