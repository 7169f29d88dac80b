"""Sparse matrices."""

import numpy as np
import pytest
import scipy.signal
import scipy.sparse
import scipy.special

import theano.tensor as T


@pytest.mark.filterwarnings("ignore::theano.link.function.SlowPath")
def test_sparse_matrices():
    import theano.sparse
    m, d = theano.sparse.csr_matrix("m", dtype="float64"), T.dmatrix("d")
    some = scipy.sparse.csr_matrix([[0., 2, 0], [1, 0, 0]])
    full = np.arange(6.).reshape(3, 2)
    f = theano.function([m, d], [theano.sparse.dot(m, d), theano.sparse.dense_from_sparse(m * 2),
                                 theano.sparse.transpose(m)])
    product, doubled, turned = f(some, full)
    np.testing.assert_array_equal(product, some @ full)
    np.testing.assert_array_equal(doubled, 2 * some.toarray())
    assert scipy.sparse.issparse(turned) and (turned.toarray() == some.toarray().T).all()
    kept = theano.shared(some)
    slope = theano.function([d], T.grad(theano.sparse.structured_dot(kept, d).sum(), d))
    np.testing.assert_array_equal(slope(full), [[1, 1], [2, 2], [0, 0]])
    assert theano.sparse._is_sparse_variable(kept) and isinstance(m.type, theano.sparse.SparseType)
