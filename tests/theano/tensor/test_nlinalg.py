"""Linear algebra."""

import numpy as np
import pytest

import theano.tensor as T


def test_linear_algebra():
    a = np.array([[4., 1], [1, 3]])
    np.testing.assert_allclose(T.nlinalg.matrix_inverse(a).eval(), np.linalg.inv(a))
    np.testing.assert_allclose(T.nlinalg.det(a).eval(), 11)
    factor = T.slinalg.cholesky(a)
    np.testing.assert_allclose(factor.dot(factor.T).eval(), a)
    np.testing.assert_allclose(T.slinalg.solve_lower_triangular(factor, factor).eval(), np.eye(2),
                               atol=1e-12)
    np.testing.assert_allclose(T.nlinalg.svd(T.constant(a), compute_uv=False).eval(),
                               np.linalg.svd(a, compute_uv=False))


def test_qr_is_the_reduced_one():
    a = np.arange(6.).reshape(3, 2) ** 2
    q, r = T.nlinalg.qr(T.constant(a))
    assert (q.eval().shape, r.eval().shape) == ((3, 2), (2, 2))
    np.testing.assert_allclose(q.dot(r).eval(), a, atol=1e-12)
    assert T.nlinalg.qr(T.constant(a), "complete")[0].eval().shape == (3, 3)


@pytest.mark.parametrize("triangle", ["L", "U"])
def test_eigh_reads_one_triangle(rng, triangle):
    a = rng.randn(3, 3)     # not symmetric
    values, vectors = T.nlinalg.eigh(T.constant(a), triangle)
    np.testing.assert_allclose(values.eval(), np.linalg.eigh(a, triangle)[0])
    np.testing.assert_allclose(abs(vectors.eval()), abs(np.linalg.eigh(a, triangle)[1]))
    T.verify_grad(lambda x: T.nlinalg.eigh(x, triangle)[0], [a], rng=rng)


def test_gradient_of_a_pseudo_inverse(rng):
    T.verify_grad(T.nlinalg.pinv, [rng.randn(3, 2)], rng=rng)
