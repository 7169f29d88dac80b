"""Dicts of updates."""

import pytest

import theano
import theano.tensor as T


def test_updates_join():
    a, b = theano.shared(1.), theano.shared(2.)
    joined = theano.OrderedUpdates({a: a + 1}) + theano.OrderedUpdates({b: b + 1})
    assert list(joined) == [a, b]
    with pytest.raises(KeyError, match="different updates"):
        joined + theano.OrderedUpdates({a: a + 2})
    with pytest.raises(TypeError, match="shared"):
        joined[T.dscalar()] = 1
