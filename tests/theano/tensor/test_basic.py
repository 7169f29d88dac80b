"""Functions of tensors that Theano has, or calls differently."""

import numpy as np
import pytest
from graphs import value

import theano
import theano.tensor as T


def test_basic_has_nearly_all_of_theano_tensor():
    from theano.tensor.basic import TensorType, arange, constant, join, log, matrix
    assert (TensorType, arange, constant) == (T.TensorType, T.arange, T.constant)
    assert (join, log, matrix) == (T.join, T.log, T.matrix)
    with pytest.raises(AttributeError, match="theano.tensor has no 'matrixx'"):
        _ = T.basic.matrixx


def test_tile_with_more_dimensions():
    x = T.constant(np.eye(2))
    np.testing.assert_array_equal(T.tile(x, (2,), ndim=3).eval(), np.tile(np.eye(2), (1, 1, 2)))
    assert T.tile(x, 2).eval().shape == T.tile(x, (1, 2), ndim=2).eval().shape == (2, 4)
    with pytest.raises(ValueError, match="ndim=1, but"):
        T.tile(x, (2, 1), ndim=1)


def test_batched_products(rng):
    a, b = rng.rand(3, 4, 5), rng.rand(3, 5, 2)
    for left, right, rule in ((a, b, "ijk,ikl->ijl"), (a[:, 0], b, "ik,ikl->il"),
                              (a, b[..., 0], "ijk,ik->ij"), (a[:, 0], b[..., 0], "ik,ik->i"),
                              (a[:, 0, 0], b, "i,ijk->ijk"), (a, b[:, 0, 0], "ijk,i->ijk"),
                              (a[:, 0, 0], b[:, 0, 0], "i,i->i")):
        np.testing.assert_allclose(T.batched_dot(left, right).eval(), np.einsum(rule, left, right))
    np.testing.assert_allclose(T.batched_tensordot(a, b, [[2], [1]]).eval(),
                               np.einsum("ijk,ikl->ijl", a, b))
    T.verify_grad(T.batched_dot, [a, b], rng=rng)


def test_functions_that_only_theano_has():
    v = np.array([3., 1, 2])
    assert T.topk(v, 2).eval().tolist() == [2, 3] and T.argtopk(v, 2).eval().tolist() == [2, 0]
    assert T.topk(v, -2).eval().tolist() == [1, 2]
    assert T.to_one_hot(T.constant([0, 2]), 3).eval().tolist() == [[1, 0, 0], [0, 0, 1]]
    assert T.stack(T.constant(1.), T.constant(2.)).eval().tolist() == [1, 2]
    assert T.abs_(T.constant(-1.)).eval() == 1 and T.inv(T.constant(2.)).eval() == 0.5
    assert T.flatten(T.constant(np.zeros((2, 3, 4))), outdim=2).eval().shape == (2, 12)
    assert T.unbroadcast(T.row(), 0).broadcastable == (False, False)
    assert T.patternbroadcast(T.matrix(), (False, True)).broadcastable == (False, True)
    assert T.default(None, 3).eval() == 3
    assert float(T.norm(T.constant([3., 4.])).eval()) == 5
    assert T.get_scalar_constant_value(T.fill(T.vector(), 3.)) == 3
    assert T.extract_constant(T.alloc(3., 2)) == 3


def test_broadcast_patterns_that_do_not_change():
    w, row = theano.shared(np.ones((2, 3))), T.row()
    for same in (T.unbroadcast(w, 0), T.unbroadcast(w), T.addbroadcast(w),
                 T.patternbroadcast(w, (False, False))):
        assert same is w
    assert T.addbroadcast(row, 0) is row and T.unbroadcast(row, 1) is row
    assert T.unbroadcast(row, -2).broadcastable == (False, False)
    theano.function([], updates=[(T.unbroadcast(w, 0), w + 1)])()
    assert w.get_value().tolist() == [[2] * 3] * 2
    v = theano.shared(np.ones((1, 3)))
    theano.function([], updates=[(v, T.unbroadcast(T.addbroadcast(v, 0), 0) * 3)])()
    assert v.get_value().tolist() == [[3, 3, 3]]


def test_topk_of_all_elements():
    x = T.matrix()
    assert value(T.topk(x, 2, axis=None), {x: [[3, 1], [2, 5]]}).tolist() == [3, 5]
    assert value(T.argtopk(x, -2, axis=None), {x: [[3, 1], [2, 5]]}).tolist() == [1, 2]
    assert value(T.topk(x, 1, axis=0), {x: [[3, 1], [2, 5]]}).tolist() == [[3, 5]]
