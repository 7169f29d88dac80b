"""Linear algebra."""

import numpy as np

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
