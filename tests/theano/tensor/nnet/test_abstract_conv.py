"""Convolutions of images and volumes, against SciPy and finite differences."""

import numpy as np
import pytest
import scipy.signal
import scipy.sparse
import scipy.special
from graphs import value

import theano
import theano.tensor as T
from theano.link.function import SlowPath
from theano.tensor.nnet import abstract_conv

floatX = theano.config.floatX


def convolved(x, w, mode="valid"):
    return np.array([[sum(scipy.signal.convolve2d(channel, k, mode)
                          for channel, k in zip(image, f, strict=True))
                      for f in w] for image in x])


@pytest.mark.parametrize("mode", ["valid", "full"])
def test_conv2d_is_a_convolution(mode, rng):
    x, w = rng.randn(2, 3, 6, 7), rng.randn(4, 3, 2, 3)
    found = T.nnet.conv2d(T.constant(x), T.constant(w), border_mode=mode).eval()
    np.testing.assert_allclose(found, convolved(x, w, mode))
    flipped = T.nnet.conv2d(T.constant(x), w[:, :, ::-1, ::-1], border_mode=mode, filter_flip=False)
    np.testing.assert_allclose(flipped.eval(), convolved(x, w, mode))
    np.testing.assert_allclose(T.nnet.conv.conv2d(x, w, (2, 3, 6, 7), w.shape, mode).eval(),
                               convolved(x, w, mode))


@pytest.mark.parametrize("settings", [
    {"border_mode": "half"}, {"border_mode": 1}, {"border_mode": (1, 2)},
    {"border_mode": ((1, 0), (0, 2))}, {"subsample": (2, 3)}, {"filter_dilation": (2, 2)},
    {"num_groups": 2}, {"filter_flip": False, "border_mode": "full", "subsample": (2, 1)}])
def test_conv2d_shapes_and_gradients(settings, rng):
    x = rng.randn(2, 4, 6, 7)
    w = rng.randn(4, 4 // settings.get("num_groups", 1), 3, 3)
    shape = abstract_conv.get_conv_output_shape(
        x.shape, w.shape, settings.get("border_mode", "valid"), settings.get("subsample", (1, 1)),
        settings.get("filter_dilation"))
    assert T.nnet.conv2d(x, w, **settings).eval().shape == shape
    T.verify_grad(lambda x, w: T.nnet.conv2d(x, w, **settings), [x, w], rng=rng)


def test_conv2d_of_integers_and_its_gradients(rng):
    x, w = T.itensor4("x"), T.ftensor4("w")
    values = (rng.randint(0, 256, (2, 3, 6, 7)).astype("int32"),
              rng.randn(4, 3, 2, 3).astype("float32"))
    y = T.nnet.conv2d(x, w)
    found, gradient = theano.function([x, w], [y, T.grad(y.sum(), w)])(*values)
    np.testing.assert_allclose(found, convolved(*(v.astype("float64") for v in values)), rtol=1e-10)
    expected = [[[[plane[r:r + 5, c:c + 5].sum() for c in (2, 1, 0)] for r in (1, 0)]
                 for plane in values[0].sum(0)]] * 4
    np.testing.assert_allclose(gradient, expected, rtol=1e-6)


def test_conv2d_refuses_what_it_cannot_do(rng):
    with pytest.raises(TypeError, match="input has 3 dimensions and needs 4"):
        T.nnet.conv2d(T.tensor3(), T.tensor4())
    with pytest.raises(NotImplementedError, match="unshared=True"):
        T.nnet.conv2d(T.tensor4(), T.tensor4(), unshared=True)
    with pytest.raises(ValueError):
        T.nnet.conv2d(rng.randn(1, 2, 5, 5), rng.randn(1, 3, 2, 2)).eval()


def test_transposed_convolution_is_the_gradient(rng):
    x, w, g = rng.randn(2, 3, 7, 7), rng.randn(4, 3, 3, 3), rng.randn(2, 4, 3, 3)
    image, kernel = T.dtensor4(), T.dtensor4()
    cost = (T.nnet.conv2d(image, kernel, subsample=(2, 2)) * g).sum()
    to_x, to_w = theano.function([image, kernel], T.grad(cost, [image, kernel]))(x, w)
    up = T.nnet.conv2d_transpose(g, w, (None, None, 7, 7), input_dilation=(2, 2))
    np.testing.assert_allclose(up.eval(), to_x)
    op = abstract_conv.AbstractConv2d_gradInputs(subsample=(2, 2))
    np.testing.assert_allclose(op(T.constant(w), T.constant(g), (7, 7)).eval(), to_x)
    weights = abstract_conv.conv2d_grad_wrt_weights(x, g, w.shape, subsample=(2, 2))
    np.testing.assert_allclose(weights.eval(), to_w)
    T.verify_grad(lambda g, w: T.nnet.conv2d_transpose(g, w, (2, 3, 7, 7), input_dilation=(2, 2)),
                  [g, w], rng=rng)


def test_conv3d(rng):
    x, w = rng.randn(1, 2, 4, 5, 6), rng.randn(2, 2, 2, 2, 3)
    expected = [[sum(scipy.signal.convolve(c, k, "valid") for c, k in zip(image, f, strict=True))
                 for f in w] for image in x]
    np.testing.assert_allclose(T.nnet.conv3d(x, w).eval(), expected)
    T.verify_grad(T.nnet.conv3d, [x, w], rng=rng)


def test_the_image_of_a_transposed_convolution_may_be_an_input():
    x, s = T.tensor4(), T.lvector("s")
    w = theano.shared(np.ones((1, 1, 3, 3), floatX))
    op = T.nnet.abstract_conv.AbstractConv2d_gradInputs(
        imshp=(None, 1, None, None), kshp=(1, 1, 3, 3), subsample=(2, 2))
    f = theano.function([w_in := T.tensor4(), x, s], op(w_in, x, s))
    with pytest.warns(SlowPath, match="anew for each value of s"):
        found = f(w.get_value(), np.ones((1, 1, 2, 2), floatX), [5, 5])
    assert found[0, 0].tolist() == [[1, 1, 2, 1, 1]] * 2 + [[2, 2, 4, 2, 2]] + [[1, 1, 2, 1, 1]] * 2
    assert f(w.get_value(), np.ones((1, 1, 2, 1), floatX), [6, 4]).shape == (1, 1, 6, 4)
    whole = T.nnet.abstract_conv.conv2d_grad_wrt_inputs(x, w, x.shape * 2 + 1, subsample=(2, 2))
    assert value(whole, {x: np.ones((1, 1, 3, 3))}).shape == (1, 1, 7, 7)


def test_bilinear_upsampling():
    from theano.tensor.nnet import abstract_conv
    ones = abstract_conv.bilinear_upsampling(T.ones((1, 1, 2, 2)), 2).eval()
    assert ones.tolist() == [[[[1] * 4] * 4]]
    x = T.tensor4()
    row = np.array([0, 6, 2], floatX).reshape(1, 1, 1, 3)
    expected = {2: [0, 3, 6, 4, 2, 2], 3: [0, 0, 2, 4, 6, 14 / 3, 10 / 3, 2, 2]}
    for ratio, line in expected.items():
        for given in (ratio, x.shape[0] + ratio - 1):
            found = value(abstract_conv.bilinear_upsampling(x, ratio=given), {x: row})
            np.testing.assert_allclose(found[0, 0], [line] * ratio, rtol=1e-6)
        # every second of the pixels
        found = value(abstract_conv.frac_bilinear_upsampling(x, ((1, 1), (2 * ratio, 4))), {x: row})
        np.testing.assert_allclose(found[0, 0], [line[::2]], rtol=1e-6)
    np.testing.assert_allclose(abstract_conv.bilinear_kernel_2D(2).eval(),
                               np.outer([.5, 1, .5], [.5, 1, .5]))
    slope = T.grad(abstract_conv.bilinear_upsampling(x, 2).sum(), x)
    np.testing.assert_allclose(value(slope, {x: row}).ravel(), [3, 4, 5])
    with pytest.raises(ValueError, match="either ratio or frac_ratio"):
        abstract_conv.bilinear_upsampling(x)


def test_separable_and_causal_convolutions(rng):
    from theano.tensor.nnet import abstract_conv
    x, depth, point = rng.rand(1, 2, 5, 5), rng.rand(4, 1, 3, 3), rng.rand(3, 4, 1, 1)
    each = np.array([scipy.signal.convolve2d(x[0, k // 2], depth[k, 0], "valid") for k in range(4)])
    expected = np.einsum("oc,cij->oij", point[..., 0, 0], each)
    found = T.nnet.separable_conv2d(T.constant(x), T.constant(depth), T.constant(point), 2)
    np.testing.assert_allclose(found.eval()[0], expected)
    solid = [T.constant(a[..., None]) for a in (x, depth, point)]
    np.testing.assert_allclose(T.nnet.separable_conv3d(*solid, 2).eval()[0, ..., 0], expected)
    signal, kernel = rng.rand(1, 2, 8), rng.rand(3, 2, 3)
    found = abstract_conv.causal_conv1d(T.constant(signal), T.constant(kernel), (3, 2, 3)).eval()
    expected = sum(np.convolve(s, k)[:8] for s, k in zip(signal[0], kernel[1], strict=True))
    np.testing.assert_allclose(found[0, 1], expected)
    found = abstract_conv.causal_conv1d(T.constant(signal), T.constant(kernel), kernel.shape,
                                        filter_dilation=2, filter_flip=False).eval()
    np.testing.assert_allclose(found[0, 0, :3], (signal[0, :, :3] * kernel[0, :, 2:]).sum(0) + [
        0, 0, (signal[0, :, 0] * kernel[0, :, 1]).sum()])
