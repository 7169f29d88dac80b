"""Convolution and its gradients, against loops, SciPy and XLA's own gradients, in float64."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import signal

from theano.xla import convolution
from theano.xla.convolution import conv2d, conv2d_grad_wrt_inputs, conv2d_grad_wrt_weights


@pytest.fixture(autouse=True, scope="module")
def double_precision():
    with jax.enable_x64(True):
        yield


def values(seed, *shape):
    return np.random.default_rng(seed).standard_normal(shape)


def correlation(x, w, before, stride, dilation, groups, out):
    """The definition, one output at a time. `before`: zeros before each spatial axis."""
    y = np.zeros((x.shape[0], w.shape[0], *out))
    for f in range(w.shape[0]):
        first = f // (w.shape[0] // groups) * w.shape[1]
        for at in np.ndindex(*out):
            for tap in np.ndindex(*w.shape[2:]):
                axes = zip(at, stride, tap, dilation, before, strict=True)
                seen = [a * s + t * d - b for a, s, t, d, b in axes]
                if all(0 <= i < n for i, n in zip(seen, x.shape[2:], strict=True)):
                    channels = x[(slice(None), slice(first, first + w.shape[1]), *seen)]
                    y[(slice(None), f, *at)] += channels @ w[(f, slice(None), *tap)]
    return y


@st.composite
def convolutions(draw):
    """x, w and the settings of a convolution whose filter fits."""
    few = st.integers(1, 3)
    window, stride, dilation = (tuple(draw(few) for _ in range(2)) for _ in range(3))
    span = [(n - 1) * d + 1 for n, d in zip(window, dilation, strict=True)]
    mode = draw(st.sampled_from(["valid", "half", "full", 1, (0, 2), ((1, 0), (2, 1))]))
    image = [n + draw(st.integers(0, 5)) for n in span]
    groups, inputs, filters, batch = draw(few), draw(few), draw(few), draw(st.integers(0, 3))
    x = values(draw(st.integers(0, 99)), batch, groups * inputs, *image)
    w = values(draw(st.integers(0, 99)), groups * filters, inputs, *window)
    return x, w, dict(border_mode=mode, subsample=stride, filter_dilation=dilation,
                      num_groups=groups, filter_flip=draw(st.booleans()))


def before(mode, span):
    named = {"valid": (0, 0), "half": (span[0] // 2, span[1] // 2),
             "full": (span[0] - 1, span[1] - 1), 1: (1, 1), (0, 2): (0, 2),
             ((1, 0), (2, 1)): (1, 2)}
    return named[mode]


@settings(max_examples=20, deadline=None)
@given(convolutions())
def test_value_is_the_definitions(example):
    x, w, options = example
    y = conv2d(x, w, **options)
    straight = w[..., ::-1, ::-1] if options["filter_flip"] else w
    dilation = options["filter_dilation"]
    span = [(n - 1) * d + 1 for n, d in zip(w.shape[2:], dilation, strict=True)]
    padded = before(options["border_mode"], span)
    expected = correlation(x, straight, padded, options["subsample"], dilation,
                           options["num_groups"], y.shape[2:])
    np.testing.assert_allclose(y, expected, atol=1e-12)
    # No output is missing: one more would reach beyond the padding.
    after = padded if options["border_mode"] != ((1, 0), (2, 1)) else (0, 1)
    for n, size, s, b, a, reach in zip(
            y.shape[2:], x.shape[2:], options["subsample"], padded, after, span, strict=True):
        assert (n - 1) * s + reach <= size + b + a < n * s + reach


@pytest.mark.slow
@settings(max_examples=20, deadline=None)
@given(convolutions())
def test_gradients_are_the_adjoints(example):
    """sum(g * conv2d(x, w)) is sum(x * gradient for x) and sum(w * gradient for w), for any g."""
    x, w, options = example
    g = values(7, *jax.eval_shape(lambda: conv2d(x, w, **options)).shape)
    other_x, other_w = values(8, *x.shape), values(9, *w.shape)

    @jax.jit
    def both(x, w, g):
        moved = [jnp.sum(g * conv2d(*pair, **options))
                 for pair in [(x, w), (other_x, w), (x, other_w)]]
        return moved, jax.vjp(lambda x, w: conv2d(x, w, **options), x, w)[1](g), (
            conv2d_grad_wrt_inputs(g, w, x.shape[2:], **options),
            conv2d_grad_wrt_weights(x, g, w.shape[2:], **options))

    moved, (dx, dw), direct = both(x, w, g)
    along = [np.sum(x * dx), np.sum(other_x * dx), np.sum(other_w * dw)]
    np.testing.assert_allclose(moved, along, rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(direct[0], dx, atol=1e-12)
    np.testing.assert_allclose(direct[1], dw, atol=1e-12)


@pytest.mark.parametrize("mode", ["valid", "full"])
def test_value_is_scipys(mode):
    x, w = values(1, 1, 1, 7, 9), values(2, 1, 1, 3, 4)
    expected = signal.convolve2d(x[0, 0], w[0, 0], mode)
    np.testing.assert_allclose(conv2d(x, w, mode)[0, 0], expected, atol=1e-12)


def test_volume_is_scipys():
    x, w = values(1, 1, 1, 5, 6, 4), values(2, 1, 1, 2, 3, 3)
    y, back = jax.vjp(lambda x, w: conv2d(x, w, "full", (1, 1, 1), (1, 1, 1)), x, w)
    expected = signal.convolve(x[0, 0], w[0, 0], "full", "direct")
    np.testing.assert_allclose(y[0, 0], expected, atol=1e-12)
    dx, dw = back(y)
    expected = signal.correlate(y[0, 0], w[0, 0], "valid", "direct")
    np.testing.assert_allclose(dx[0, 0], expected, atol=1e-11)
    expected = signal.correlate(y[0, 0], x[0, 0], "valid", "direct")
    np.testing.assert_allclose(dw[0, 0], expected, atol=1e-11)


@pytest.mark.parametrize("stride", [(1, 1), (2, 3)])
def test_part_of_the_output(stride):
    x, w = values(1, 2, 2, 9, 8), values(2, 3, 2, 3, 4)
    whole = conv2d(x, w, "full", stride)
    part = convolution.conv2d_cropped(x, w, 1, -1, 2, whole.shape[3], border_mode="full",
                                      subsample=stride)
    np.testing.assert_allclose(part, whole[:, :, 1:-1, 2:], atol=1e-12)


@pytest.mark.parametrize("groups, stride", [(1, (1, 1)), (1, (2, 3)), (2, (1, 1)), (2, (2, 3))])
def test_patches_in_several_blocks(monkeypatch, groups, stride):
    """Few rows at a time, and a last block that is not full, give XLA's output and gradients."""
    x, g_channels = values(1, 2, 4 * groups, 23, 17), 6
    geometry = convolution.Geometry((23, 17), (3, 2), ((1, 1), (0, 1)), stride, (1, 2), groups)
    g = values(2, 2, g_channels, *geometry.out)
    row = 4 * 3 * 2 * geometry.out[1] * 8
    monkeypatch.setattr(convolution, "CACHE", 5 * row)
    assert geometry.out[0] % 5
    np.testing.assert_allclose(convolution._weights_from_patches(g, x, geometry),
                               convolution._weights_from_xla(g, x, geometry), atol=1e-11)
    w = values(3, g_channels, 4, 3, 2)
    np.testing.assert_allclose(convolution._output_from_patches(x, w, geometry),
                               convolution._correlate(x, w, geometry), atol=1e-11)
    np.testing.assert_allclose(convolution._input_from_patches(g, w, geometry),
                               convolution._input_from_xla(g, w, geometry), atol=1e-11)


@pytest.mark.parametrize("padding", [((1, 1), (0, 1)), ((-1, 2), (0, 0))])
@pytest.mark.parametrize("stride, dilation", [((1, 1), (1, 1)), ((2, 3), (1, 2)), ((1, 2), (3, 1))])
def test_rows_as_channels_and_parts_of_a_batch(padding, stride, dilation):
    geometry = convolution.Geometry((13, 11), (3, 2), padding, stride, dilation, 1)
    x, w, g = values(1, 9, 1, 13, 11), values(2, 4, 1, 3, 2), values(3, 9, 4, *geometry.out)
    np.testing.assert_allclose(convolution._output_from_rows(x, w, geometry),
                               convolution._correlate(x, w, geometry), atol=1e-12)
    np.testing.assert_allclose(convolution._input_from_rows(g, w, geometry),
                               convolution._input_from_xla(g, w, geometry), atol=1e-11)
    for examples in (9, 3):
        np.testing.assert_allclose(
            convolution._weights_from_parts(g[:examples], x[:examples], geometry),
            convolution._weights_from_xla(g[:examples], x[:examples], geometry), atol=1e-11)


@pytest.mark.parametrize("channels", [1, 2])
def test_gradients_by_finite_differences(channels):
    x, w, g = values(1, 2, channels, 5, 6), values(2, 3, channels, 2, 3), values(3, 2, 3, 6, 6)

    def loss(x, w):
        return np.sum(np.asarray(conv2d(x, w, "half")) ** 2 * g)

    gradients = jax.grad(lambda x, w: jnp.sum(conv2d(x, w, "half") ** 2 * g), (0, 1))(x, w)
    for which, gradient in enumerate(gradients):
        for at in [(0, 0, 0, 0), (1, channels - 1, 1, 2)]:
            step = np.zeros(gradient.shape)
            step[at] = 1e-5
            moves = [[a + sign * step if i == which else a for i, a in enumerate((x, w))]
                     for sign in (1, -1)]
            slope = (loss(*moves[0]) - loss(*moves[1])) / 2e-5
            np.testing.assert_allclose(gradient[at], slope, rtol=1e-6)


def test_second_derivatives():
    """The gradients have gradients: a Hessian times a vector, by differences of gradients."""
    x, w, v = values(1, 1, 2, 5, 6), values(2, 2, 2, 3, 3), values(3, 2, 2, 3, 3)
    gradient = jax.grad(lambda w: jnp.sum(jnp.tanh(conv2d(x, w, "half"))))
    product = jax.vjp(gradient, w)[1](v)[0]
    expected = (gradient(w + 1e-5 * v) - gradient(w - 1e-5 * v)) / 2e-5
    np.testing.assert_allclose(product, expected, atol=1e-7)


def test_float32_stays():
    x, w = (values(i, 2, 3, 8, 9).astype("float32") for i in (1, 2))
    y, back = jax.vjp(lambda x, w: conv2d(x, w[..., :3, :3]), x, w)
    assert {a.dtype for a in (y, *back(y))} == {np.dtype("float32")}
    assert conv2d(x, w.astype("float64")).dtype == "float64"


def test_nan_passes_through():
    x, w = values(1, 2, 2, 6, 8), values(2, 3, 2, 3, 3)
    x[1, 0, 4, 4] = np.nan
    y, back = jax.vjp(lambda x, w: conv2d(x, w), x, w)
    assert np.isnan(y[1, :, 2:4, 2:5]).all()
    assert np.isfinite(y[0]).all() and np.isfinite(y[1, :, :2]).all()
    dx, dw = back(np.ones(y.shape))
    assert np.isfinite(dx).all() and np.isnan(dw[:, 0]).any() and np.isfinite(dw[:, 1]).all()


@pytest.mark.parametrize("call, said", [
    (lambda: conv2d(np.ones((1, 3, 5, 5)), np.ones((2, 2, 3, 3))),
     r"\(1, 3, 5, 5\) and w \(2, 2, 3, 3\)"),
    (lambda: conv2d(np.ones((1, 2, 2, 5)), np.ones((2, 2, 3, 3))),
     r"\(3, 3\) is larger than the image \(2, 5\)"),
    (lambda: conv2d(np.ones((1, 2, 5, 5)), np.ones((2, 2, 3, 3)), "same"), "'same' is unknown"),
    (lambda: conv2d_grad_wrt_inputs(np.ones((1, 2, 5, 5)), np.ones((2, 2, 3, 3)), (5, 5)),
     r"\(5, 5\), but .* \(3, 3\)"),
])
def test_bad_input(call, said):
    with pytest.raises(ValueError, match=said):
        call()
