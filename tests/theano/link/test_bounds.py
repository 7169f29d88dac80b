"""Indices out of range."""

import numpy as np
import pytest

import theano
import theano.tensor as T

x, m = T.dvector("x"), T.dmatrix("m")
i = T.lscalar("i")


@pytest.mark.parametrize("expression, index", [
    (lambda x, i: x[7], 0), (lambda x, i: x[[0, 3]], 0),
    (lambda x, i: T.set_subtensor(x[-4], 5), 0),
    (lambda x, i: x[i], 3), (lambda x, i: x[T.stack([i, 0])], -4),
    (lambda x, i: T.inc_subtensor(x[i], 1), 3)])
def test_indices_out_of_bounds(expression, index):
    f = theano.function([x, i], expression(x, i), on_unused_input="ignore")
    with pytest.raises(IndexError, match="out of bounds"):
        f([1., 2., 3.], index)
    assert f(np.arange(8.), index).size


def test_labels_out_of_bounds_change_nothing():
    labels, w = T.ivector("labels"), theano.shared(np.zeros(3))
    loss = T.nnet.categorical_crossentropy(T.nnet.softmax(m + w), labels).sum()
    step = theano.function([m, labels], loss, updates=[(w, w - T.grad(loss, w))])
    with pytest.raises(IndexError, match="out of bounds"):
        step(np.zeros((2, 3)), [1, 3])
    assert not w.get_value().any()
    np.testing.assert_allclose(step(np.zeros((2, 3)), [1, 2]), 2 * np.log(3))
    assert w.get_value().any()


def test_an_index_in_the_branch_that_is_not_taken():
    chosen = theano.ifelse.ifelse(i < x.shape[0], x[i], T.constant(np.array(0.)))
    f = theano.function([x, i], chosen)
    assert f([1., 2.], 1) == 2 and f([1., 2.], 2) == 0
