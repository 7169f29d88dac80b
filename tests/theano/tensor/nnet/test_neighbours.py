"""Images as rows of their windows."""

import numpy as np
import pytest

import theano.tensor as T
from theano.tensor.nnet import neighbours


def test_neighbours():
    x = np.arange(24.).reshape(1, 1, 4, 6)
    rows = neighbours.images2neibs(T.constant(x), (2, 3))
    assert rows.eval().tolist()[0] == [0, 1, 2, 6, 7, 8] and rows.eval().shape == (4, 6)
    np.testing.assert_array_equal(neighbours.neibs2images(rows, (2, 3), x.shape).eval(), x)
    with pytest.raises(TypeError, match="do not fill"):
        neighbours.images2neibs(T.constant(x), (3, 3)).eval()


def test_windows_are_exact_copies(rng):
    x = np.array([np.inf, 0, np.nan, 1e30, 3, 4], "float32").reshape(1, 1, 2, 3)
    rows = neighbours.images2neibs(T.constant(x), (1, 2), (1, 1)).eval()
    np.testing.assert_array_equal(rows, np.float32([[np.inf, 0], [0, np.nan], [1e30, 3], [3, 4]]))
    none = neighbours.images2neibs(T.constant(x), (3, 1), mode="ignore_borders").eval()
    assert none.shape == (0, 3)
    T.verify_grad(lambda x: neighbours.images2neibs(x, (2, 2), (1, 1)),
                  [rng.rand(2, 1, 3, 4)], rng=rng)
