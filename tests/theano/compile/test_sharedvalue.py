"""theano.shared."""

import jax
import numpy as np
import pytest

import theano
import theano.tensor as T

x = T.dvector("x")


def test_shared_values_stay_on_the_device_and_are_not_disturbed():
    w = theano.shared(np.zeros(3))
    step = theano.function([], updates=[(w, w + 1)])
    before = w.get_value()
    step()
    assert isinstance(w.get_value(return_internal_type=True), jax.Array)
    assert (before == 0).all()
    seen = w.get_value(borrow=True)
    seen[:] = 9
    step()
    assert (w.get_value() == 2).all()
    mine = np.full(3, 5.)
    w.set_value(mine, borrow=True)
    mine[:] = 0
    step()
    assert (w.get_value() == 6).all()


def test_shared_values_keep_their_dtype():
    rate = theano.shared(np.float32(0.1))
    rate.set_value(0.5)
    assert rate.get_value().dtype == "float32" and rate.get_value() == 0.5
    with pytest.raises(TypeError, match="float32"):
        rate.set_value(np.zeros(2))
    with pytest.raises(TypeError, match="symbolic"):
        theano.shared(x)


def test_a_shared_variable_may_change_its_shape():
    w = theano.shared(np.zeros(3))
    f = theano.function([], w.sum(), updates=[(w, w + 1)])
    f()
    w.set_value(np.ones(5))
    assert f() == 5 and f() == 10
