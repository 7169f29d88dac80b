"""Pooling."""

import itertools

import numpy as np
import pytest
from graphs import value

import theano
import theano.tensor as T
from theano.link.function import SlowPath
from theano.tensor.nnet.neighbours import images2neibs, neibs2images
from theano.tensor.signal import downsample, pool

floatX = theano.config.floatX


@pytest.mark.parametrize("mode, ignore_border", list(itertools.product(pool.MODES, [True, False])))
def test_pooling_of_any_number_of_dimensions(mode, ignore_border, rng):
    x = rng.randn(3, 5, 7)
    reduce = {"max": np.max, "sum": np.sum}.get(mode, np.mean)
    rows, columns = (2, 3) if ignore_border else (3, 4)
    expected = np.array([[[reduce(plane[2 * r:2 * r + 2, 2 * c:2 * c + 2]) for c in range(columns)]
                          for r in range(rows)] for plane in x])
    found = pool.pool_2d(T.constant(x), (2, 2), ignore_border, mode=mode)
    np.testing.assert_allclose(found.eval(), expected)
    np.testing.assert_allclose(downsample.max_pool_2d(T.constant(x[0]), (2, 2), ignore_border,
                                                      mode=mode).eval(), expected[0])
    T.verify_grad(lambda x: pool.pool_2d(x, (2, 3), ignore_border, (2, 2), mode=mode), [x],
                  rng=rng)


def test_ties_in_pooling_all_get_the_gradient():
    x = T.dmatrix()
    g = theano.function([x], T.grad(pool.pool_2d(x, (2, 2), True).sum(), x))
    assert g(np.array([[1., 1], [0, 1]])).tolist() == [[1, 1], [0, 1]]


def test_pooling_refuses_what_it_cannot_do():
    x = T.tensor4()
    with pytest.raises(ValueError, match="mode='median' is unknown; choose one of max"):
        pool.pool_2d(x, (2, 2), True, mode="median")
    with pytest.raises(NotImplementedError, match="ignore_border=True"):
        pool.pool_2d(x, (2, 2), False, pad=(1, 1))
    with pytest.raises(TypeError, match="two|2 dimensions"):
        pool.pool_2d(T.vector(), (2, 2), True)
    with pytest.warns(UserWarning, match="ignore_border"):
        pool.pool_2d(x, (2, 2))


def test_a_window_that_depends_on_the_image(compiled_only):
    x = T.tensor4()
    n = x.shape[2] // 2
    images = np.arange(16, dtype=floatX).reshape(1, 1, 4, 4)
    pooled = value(pool.pool_2d(x, (n, n), ignore_border=True), {x: images})
    assert pooled.tolist() == [[[[5, 7], [13, 15]]]]
    mean = pool.pool_2d(x, ws=x.shape[2:], ignore_border=True, mode="average_inc_pad")
    assert value(mean, {x: images}) == 7.5
    slope = T.grad(pool.pool_2d(x, (2, n), True, stride=(1, n), pad=(0, n - 2)).sum(), x)
    assert value(slope, {x: images})[0, 0].tolist() == [[0] * 4] + [[0, 1, 0, 1]] * 3
    rows = images2neibs(x, (n, n))
    assert value(rows, {x: images})[1].tolist() == [2, 3, 6, 7]
    assert value(images2neibs(x, (2, 2), T.stack([n, 1])), {x: images}).shape == (6, 4)
    back = neibs2images(rows, T.stack([n, n]), x.shape)
    np.testing.assert_array_equal(value(back, {x: images}), images)


def test_a_window_that_is_an_input():
    x, n, ws = T.tensor4(), T.iscalar("n"), T.ivector("ws")
    images = np.arange(16, dtype=floatX).reshape(1, 1, 4, 4)
    for size, given in ((n, 2), (ws, [2, 2])):
        f = theano.function([x, size], [y := pool.pool_2d(x, size, True), T.grad(y.sum(), x)])
        with pytest.warns(SlowPath, match="anew for each value"):
            assert f(images, given)[0].tolist() == [[[[5, 7], [13, 15]]]]
        assert f(images, np.array(given, "int32") + 1)[0].tolist() == [[[[10]]]]
        assert f(images, given)[1].sum() == 4
    with pytest.raises(NotImplementedError, match="must be smaller than the window"):
        pool.pool_2d(x, (n, n), True, pad=(n, n)).eval({x: images, n: 2})
