"""Theano's functions that change their first argument: here they leave it, and give the result."""

import theano.tensor as tensor


def __getattr__(name):
    if not name.endswith("_inplace"):
        raise AttributeError(name)
    return getattr(tensor, name.removesuffix("_inplace"))
