"""Inputs that have a value, or keep one."""

import numpy as np
import pytest

import theano
import theano.tensor as T

x, y = T.dvectors("x", "y")


def test_inputs_with_default_values():
    f = theano.function([x, theano.In(y, value=np.ones(2)), theano.Param(T.dscalar("z"), 3.)],
                        x + y, on_unused_input="ignore")
    assert f([1., 2.]).tolist() == [2, 3]
    assert f([1., 2.], [5., 5.]).tolist() == f([1., 2.], y=[5., 5.]).tolist() == [6, 7]
    with pytest.raises(TypeError):
        f()


def test_inputs_with_updates_are_kept_by_the_function():
    total, more = T.fscalar("total"), T.fscalar("more")
    f, g = (theano.function([more, theano.In(total, value=0., update=total + more)], total)
            for _ in range(2))
    assert [f(1), f(2), f(3), g(5), g(5)] == [0, 1, 3, 0, 5]
    with pytest.raises(TypeError):
        f(1, 2)
    with pytest.raises(TypeError, match="total has an update but no value"):
        theano.In(total, update=total + 1)
