"""theano.tensor as a whole: what a program may import from it."""

import pytest

import theano.tensor as T


def test_missing_names_are_named():
    with pytest.raises(AttributeError, match="theano.tensor has no 'matrixx'; did you mean"):
        _ = T.matrixx
    with pytest.raises(ImportError, match="raw_random is not supported"):
        import theano.tensor.raw_random  # noqa: F401


def test_star_import():
    names = {}
    exec("from theano.tensor import *", names)
    assert names["matrix"] is T.matrix and names["log"] is T.log and "set_subtensor" in names
