"""Masks of fewer dimensions than what they index, which may fit the wrong axes, too."""

import numpy as np
import pytest

import theano
import theano.tensor as T

X = np.arange(8.0).reshape(2, 2, 2) + 1
MASKS = [np.array([True, False]), np.array([[True, False], [True, True]]), X % 3 > 1]


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("value", MASKS, ids=["vector", "matrix", "tensor3"])
def test_masks_begin_at_the_first_axis(value, mode):
    x, mask = T.dtensor3("x"), T.TensorType("bool", (False,) * value.ndim)("mask")
    f = theano.function([x, mask], [
        T.set_subtensor(x[mask], 7), T.inc_subtensor(x[mask], 7), x[mask].sum(),
        T.grad((x[mask] ** 2).sum(), x)], mode=mode)
    found_set, found_inc, total, gradient = f(X, value)
    expected = X.copy()
    expected[value] = 7
    np.testing.assert_array_equal(found_set, expected)
    expected = X.copy()
    expected[value] += 7
    np.testing.assert_array_equal(found_inc, expected)
    assert total == X[value].sum()
    np.testing.assert_array_equal(gradient, 2 * (expected - 7 == X) * X)


@pytest.mark.parametrize("index", [
    (slice(None), MASKS[0]), (..., MASKS[0]), (slice(None), MASKS[1]), (1, MASKS[0]),
    (MASKS[0], slice(None)), (MASKS[0], slice(1)), (MASKS[0], 1), (MASKS[0], MASKS[0])])
def test_masks_beside_slices_and_numbers(index):
    x = theano.shared(X)
    result = T.set_subtensor(x[index], 7), T.inc_subtensor(x[index], 7), x[index].sum()
    found_set, found_inc, total = theano.function([], result)()
    expected = X.copy()
    expected[index] = 7
    np.testing.assert_array_equal(found_set, expected)
    expected = X.copy()
    expected[index] += 7
    np.testing.assert_array_equal(found_inc, expected)
    assert total == X[index].sum()


def test_a_mask_of_another_size_is_refused():
    x, mask = T.dmatrix("x"), T.TensorType("bool", (False,))("mask")
    for result in T.set_subtensor(x[mask], 7), x[mask].sum():
        f = theano.function([x, mask], result)
        for size in 1, 3:
            with pytest.raises((AssertionError, IndexError)):
                f(X[0], np.ones(size, bool))
