"""Diagonals."""

import numpy as np
import pytest
from graphs import value

import theano
import theano.tensor as T

floatX = theano.config.floatX


@pytest.mark.parametrize("shape", [(3, 3, 3), (3, 5), (5, 3), (2, 2, 2, 2)])
def test_fill_diagonal(shape):
    x, v = T.tensor(floatX, (False,) * len(shape)), T.scalar()
    expected = np.zeros(shape, floatX)
    np.fill_diagonal(expected, 2)
    found = value(T.fill_diagonal(x, v), {x: np.zeros(shape), v: 2})
    np.testing.assert_array_equal(found, expected)
    of_x, of_v = T.grad(T.fill_diagonal(x, v).sum(), [x, v])
    np.testing.assert_array_equal(value(of_x, {x: np.zeros(shape), v: 2}), 1 - expected / 2)
    assert value(of_v, {x: np.zeros(shape), v: 2}) == min(shape)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3)])
@pytest.mark.parametrize("offset", [-4, -1, 0, 2, 4])
def test_fill_diagonal_offset(shape, offset):
    found = T.extra_ops.fill_diagonal_offset(T.zeros(shape, "int8"), 7, offset).eval()
    np.testing.assert_array_equal(found, 7 * np.eye(*shape, offset, "int8"))


def test_fill_diagonal_refuses_what_it_cannot_do():
    with pytest.raises(TypeError, match="1 dimensions and needs two"):
        T.fill_diagonal(T.vector(), 1)
    with pytest.raises(TypeError, match="val is of float64, a of int8"):
        T.fill_diagonal(T.bmatrix(), T.dscalar())
    with pytest.raises(ValueError, match="differ"):
        T.fill_diagonal(T.zeros((2, 3, 3)), 1.).eval()
