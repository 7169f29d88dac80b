"""Pooling and its gradients against loops over the windows, in float64."""

import itertools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from theano.xla.pooling import pool2d

MODES = ["max", "sum", "average_inc_pad", "average_exc_pad"]


@pytest.fixture(autouse=True, scope="module")
def double_precision():
    with jax.enable_x64(True):
        yield


def windows(size, window, stride, pad, ignore_border):
    """(first, end) of the windows along an axis, counted from the padding's first element."""
    padded = size + 2 * pad
    if ignore_border:
        return [(at, at + window) for at in range(0, padded - window + 1, stride)]
    found = [(0, min(window, padded))]
    while found[-1][0] + stride < padded and (stride >= window or found[-1][0] + window < padded):
        found.append((found[-1][0] + stride, min(found[-1][0] + stride + window, padded)))
    return found


def pooled(x, g, ws, stride, pad, mode, ignore_border):
    """Value, and gradient of sum(value * g), window by window."""
    axes = [list(enumerate(windows(*axis, ignore_border)))
            for axis in zip(x.shape[2:], ws, stride, pad, strict=True)]
    y, dx = np.zeros((*x.shape[:2], *map(len, axes))), np.zeros(x.shape)
    for parts in itertools.product(*axes):
        at = (slice(None), slice(None), *(i for i, _ in parts))
        here = (..., *(slice(max(first - p, 0), min(end - p, n))
                       for (_, (first, end)), p, n in zip(parts, pad, x.shape[2:], strict=True)))
        seen, space = x[here], tuple(range(2, x.ndim))
        if mode == "max":
            y[at] = seen.max(space)
            share = seen == seen.max(space, keepdims=True)
        else:
            inside = np.prod(seen.shape[2:])
            whole = np.prod([end - first for _, (first, end) in parts])
            share = 1 / {"sum": 1, "average_inc_pad": whole, "average_exc_pad": inside}[mode]
            y[at] = seen.sum(space) * share
        dx[here] += np.expand_dims(g[at], space) * share
    return y, dx


@st.composite
def poolings(draw):
    """An image of few different values, so that ties are many, and a pooling that Theano allows."""
    ws, stride = (tuple(draw(st.integers(1, 4)) for _ in range(2)) for _ in range(2))
    ignore_border = draw(st.booleans())
    pad = tuple(draw(st.integers(0, n - 1)) if ignore_border else 0 for n in ws)
    sizes = [draw(st.integers(max(1, n - 2 * p), 9)) for n, p in zip(ws, pad, strict=True)]
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    x = rng.integers(-2, 2, (draw(st.integers(0, 2)), 2, *sizes))
    return x.astype(float), dict(ws=ws, stride=stride, pad=pad, ignore_border=ignore_border)


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=15, deadline=None)
@given(poolings())
def test_value_and_gradient_are_the_definitions(mode, example):
    x, geometry = example

    @jax.jit
    def of(x):
        y, back = jax.vjp(lambda x: pool2d(x, mode=mode, **geometry), x)
        g = jnp.sin(jnp.arange(y.size)).reshape(y.shape)
        return y, g, back(g)[0]

    y, g, gradient = of(x)
    expected, dx = pooled(x, np.asarray(g), mode=mode, **geometry)
    np.testing.assert_allclose(y, expected, atol=1e-12)
    np.testing.assert_allclose(gradient, dx, atol=1e-12)


@pytest.mark.parametrize("mode", MODES)
def test_volume(mode):
    x = np.random.default_rng(0).standard_normal((1, 2, 5, 7, 4))
    geometry = dict(ws=(2, 3, 2), stride=(2, 2, 1), pad=(1, 0, 1), mode=mode, ignore_border=True)
    y, back = jax.vjp(lambda x: pool2d(x, **geometry), x)
    expected, dx = pooled(x, np.asarray(y), **geometry)
    np.testing.assert_allclose(y, expected, atol=1e-12)
    np.testing.assert_allclose(back(y)[0], dx, atol=1e-12)


def test_every_equal_element_gets_the_gradient():
    x = np.array([[[[3., 3, 1, 1], [3, 0, 1, 2]]]])
    back = jax.vjp(lambda x: pool2d(x, (2, 2), (2, 2)), x)[1]
    assert back(np.array([[[[5., 7]]]]))[0].tolist() == [[[[5, 5, 0, 0], [5, 0, 0, 7]]]]


@pytest.mark.parametrize("ws, stride", [((2, 2), (2, 2)), ((3, 3), (1, 1))])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_nan_passes_through(ws, stride, dtype):
    """A diverged network has to look diverged, in the value and in the gradient."""
    x = np.random.default_rng(0).standard_normal((2, 3, 6, 6)).astype(dtype)
    x[0, 0, 3, 3] = np.nan
    y, back = jax.vjp(jax.jit(lambda x: pool2d(x, ws, stride)), x)
    assert y.dtype == dtype and np.isnan(y[0, 0, 1, 1])
    assert np.isfinite(y[1]).all() and np.isfinite(y[0, 1:]).all()
    assert np.isnan(back(y)[0][0, 0, 3, 3])


def test_whole_numbers():
    x = np.array([[[[1, -4], [-9, -2]]]])
    assert pool2d(x, (2, 1), (2, 1), (1, 0)).tolist() == [[[[1, -4], [-9, -2]]]]


def test_second_derivative_of_max():
    """Where the maximum stands does not move: the gradient is linear in g, and constant in x."""
    x, g = (np.random.default_rng(i).standard_normal((1, 1, 4, 4)) for i in (1, 2))
    through = jax.grad(lambda x: (pool2d(x, (2, 2), (2, 2)) ** 2).sum())
    product = jax.vjp(through, x)[1](g)[0]
    expected = (through(x + 1e-5 * g) - through(x - 1e-5 * g)) / 2e-5
    np.testing.assert_allclose(product, expected, atol=1e-8)
