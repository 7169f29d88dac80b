"""Reductions whose axis is a constant of the graph."""

import numpy as np
import pytest
from graphs import value
from pytensor.tensor.type_other import NoneConst

import theano.tensor as T


@pytest.mark.parametrize("axis, plain", [
    (T.constant(0), 0), (T.constant(np.int8(-1)), -1), (T.constant([0, 1]), (0, 1)),
    ([T.constant(0), 1], (0, 1)), (np.int64(1), 1), (NoneConst, None)])
def test_a_constant_as_axis(axis, plain):
    x, data = T.dmatrix(), np.array([[1., 5, 3], [4, 2, 6]])
    for name in ("max", "min", "sum", "prod", "mean", "var", "std"):
        expected = getattr(np, name)(data, plain)
        for found in (getattr(T, name)(x, axis), getattr(x, name)(axis=axis, keepdims=False)):
            np.testing.assert_allclose(value(found, {x: data}), expected)
    assert value(T.any(x > 5, axis=axis), {x: data}).any()
    if not isinstance(plain, tuple):
        assert value(T.argmax(x, axis), {x: data}).tolist() == data.argmax(plain).tolist()
        assert value(x.cumsum(axis), {x: data}).tolist() == data.cumsum(plain).tolist()
