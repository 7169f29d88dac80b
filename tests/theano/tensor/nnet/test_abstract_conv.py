"""theano.tensor.nnet and theano.tensor.signal against NumPy, SciPy and finite differences."""

import itertools

import numpy as np
import pytest
import scipy.signal

import theano
import theano.tensor as T
from theano.tensor.nnet import abstract_conv, bn, neighbours
from theano.tensor.signal import downsample, pool

rng = np.random.RandomState(0)


def convolved(x, w, mode="valid"):
    return np.array([[sum(scipy.signal.convolve2d(channel, k, mode)
                          for channel, k in zip(image, f, strict=True))
                      for f in w] for image in x])


@pytest.mark.parametrize("mode", ["valid", "full"])
def test_conv2d_is_a_convolution(mode):
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
def test_conv2d_shapes_and_gradients(settings):
    x = rng.randn(2, 4, 6, 7)
    w = rng.randn(4, 4 // settings.get("num_groups", 1), 3, 3)
    shape = abstract_conv.get_conv_output_shape(
        x.shape, w.shape, settings.get("border_mode", "valid"), settings.get("subsample", (1, 1)),
        settings.get("filter_dilation"))
    assert T.nnet.conv2d(x, w, **settings).eval().shape == shape
    T.verify_grad(lambda x, w: T.nnet.conv2d(x, w, **settings), [x, w], rng=np.random)


def test_conv2d_of_integers_and_its_gradients():
    x, w = T.itensor4("x"), T.ftensor4("w")
    values = (rng.randint(0, 256, (2, 3, 6, 7)).astype("int32"),
              rng.randn(4, 3, 2, 3).astype("float32"))
    y = T.nnet.conv2d(x, w)
    found, gradient = theano.function([x, w], [y, T.grad(y.sum(), w)])(*values)
    np.testing.assert_allclose(found, convolved(*(v.astype("float64") for v in values)), rtol=1e-10)
    expected = [[[[plane[r:r + 5, c:c + 5].sum() for c in (2, 1, 0)] for r in (1, 0)]
                 for plane in values[0].sum(0)]] * 4
    np.testing.assert_allclose(gradient, expected, rtol=1e-6)


def test_conv2d_refuses_what_it_cannot_do():
    with pytest.raises(TypeError, match="input has 3 dimensions and needs 4"):
        T.nnet.conv2d(T.tensor3(), T.tensor4())
    with pytest.raises(NotImplementedError, match="unshared=True"):
        T.nnet.conv2d(T.tensor4(), T.tensor4(), unshared=True)
    with pytest.raises(ValueError):
        T.nnet.conv2d(rng.randn(1, 2, 5, 5), rng.randn(1, 3, 2, 2)).eval()


def names(function):
    return {str(node.op) for node in function.maker.fgraph.toposort()}


@pytest.mark.parametrize("cut", [
    lambda y, x: y[:, :, 1:x.shape[2] + 1, 1:x.shape[3] + 1],       # Lasagne's pad='same'
    lambda y, x: y[:, :, 2:-1], lambda y, x: y[:, :, :3, ::2], lambda y, x: y[:, 1:, 1:, 1:],
    lambda y, x: y[0]])
@pytest.mark.parametrize("subsample", [(1, 1), (2, 1)])
def test_part_of_a_convolution(cut, subsample):
    x, w = T.tensor4("x", "float64"), T.tensor4("w", "float64")
    y = T.nnet.conv2d(x, w, border_mode="full", subsample=subsample)
    part = cut(y, x)
    outputs = [part, *theano.grad((part ** 2).sum(), [x, w]), y]
    values = rng.randn(2, 2, 6, 5), rng.randn(3, 2, 3, 3)
    with_rewrites, without = (theano.function([x, w], outputs, mode=mode)
                              for mode in ("FAST_RUN", "FAST_COMPILE"))
    for found, expected in zip(with_rewrites(*values), without(*values), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_what_is_cut_off_a_convolution_is_not_computed():
    x, w, n = T.tensor4("x"), T.tensor4("w"), T.iscalar("n")
    y = T.nnet.conv2d(x, w, border_mode="full")
    part = y[:, :, 1:x.shape[2] + 1, 1:-1]
    found = names(theano.function([x, w], part))
    assert "conv2d_cropped" in found and "conv2d" not in found
    found = names(theano.function([x, w], theano.grad((part ** 2).sum(), w)))
    assert {"conv2d_cropped", "vjp"} <= found
    assert not any(name.startswith("IncSubtensor") for name in found)
    # the size of the part has to be known before the function runs
    assert "conv2d_cropped" not in names(theano.function([x, w, n], y[:, :, :n, :n]))


def test_transposed_convolution_is_the_gradient():
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
                  [g, w], rng=np.random)


def test_conv3d():
    x, w = rng.randn(1, 2, 4, 5, 6), rng.randn(2, 2, 2, 2, 3)
    expected = [[sum(scipy.signal.convolve(c, k, "valid") for c, k in zip(image, f, strict=True))
                 for f in w] for image in x]
    np.testing.assert_allclose(T.nnet.conv3d(x, w).eval(), expected)
    T.verify_grad(T.nnet.conv3d, [x, w], rng=np.random)


@pytest.mark.parametrize("function, expected", [
    (T.nnet.relu, lambda x: np.maximum(x, 0)),
    (lambda x: T.nnet.relu(x, 0.1), lambda x: np.where(x > 0, x, 0.1 * x)),
    (T.nnet.elu, lambda x: np.where(x > 0, x, np.exp(x) - 1)),
    (T.nnet.sigmoid, lambda x: 1 / (1 + np.exp(-x))),
    (T.nnet.hard_sigmoid, lambda x: np.clip(0.2 * x + 0.5, 0, 1)),
    (T.nnet.softplus, lambda x: np.log1p(np.exp(x))),
    (T.nnet.softsign, lambda x: x / (1 + abs(x))),
    (T.nnet.softmax, lambda x: np.exp(x) / np.exp(x).sum(1, keepdims=True)),
    (T.nnet.logsoftmax, lambda x: x - np.log(np.exp(x).sum(1, keepdims=True))),
])
def test_activations(function, expected):
    x = rng.randn(3, 4) * 3
    np.testing.assert_allclose(function(T.constant(x)).eval(), expected(x), rtol=1e-6)
    T.verify_grad(function, [x], rng=np.random)


def test_relus_gradient_at_zero_is_theanos():
    x = T.dscalar()
    assert theano.function([x], T.grad(T.nnet.relu(x), x))(0.) == 0.5


def test_crossentropies():
    scores, classes = rng.randn(4, 3), np.array([0, 2, 1, 1], "int32")
    p = np.exp(scores) / np.exp(scores).sum(1, keepdims=True)
    expected = -np.log(p[np.arange(4), classes])
    loss = T.nnet.categorical_crossentropy
    np.testing.assert_allclose(loss(T.constant(p), classes).eval(), expected)
    np.testing.assert_allclose(loss(T.nnet.softmax(T.constant(scores)), classes).eval(), expected)
    np.testing.assert_allclose(loss(T.constant(p), np.eye(3)[classes]).eval(), expected)
    together = T.nnet.crossentropy_softmax_argmax_1hot_with_bias(T.constant(scores), np.zeros(3),
                                                                 classes)
    np.testing.assert_allclose(together[0].eval(), expected)
    assert together[2].eval().tolist() == p.argmax(1).tolist()
    with pytest.raises(TypeError, match="true_dist has 1 dimensions"):
        loss(T.tensor3(), T.ivector())
    o, t = rng.rand(5), rng.rand(5)
    np.testing.assert_allclose(T.nnet.binary_crossentropy(T.constant(o), t).eval(),
                               -t * np.log(o) - (1 - t) * np.log(1 - o))
    z = rng.randn(5) * 10
    np.testing.assert_allclose(
        T.nnet.sigmoid_binary_crossentropy(T.constant(z), t).eval(),
        T.nnet.binary_crossentropy(T.nnet.sigmoid(T.constant(z)), t).eval(), rtol=1e-6)


def test_batch_normalization():
    x, gamma, beta = rng.randn(6, 3, 2, 2) + 3, rng.rand(1, 3, 1, 1), rng.randn(1, 3, 1, 1)
    axes = (0, 2, 3)
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    expected = (x - mean) / np.sqrt(var + 1e-4) * gamma + beta
    out = bn.batch_normalization_train(T.constant(x), gamma, beta, "spatial",
                                       running_mean=np.zeros((1, 3, 1, 1)),
                                       running_var=np.ones((1, 3, 1, 1)))
    values = theano.function([], out)()
    np.testing.assert_allclose(values[0], expected)
    np.testing.assert_allclose(values[1], mean)
    np.testing.assert_allclose(values[2], 1 / np.sqrt(var + 1e-4))
    np.testing.assert_allclose(values[3], 0.1 * mean)
    np.testing.assert_allclose(values[4], 0.9 + 0.1 * var * 24 / 23)
    test = bn.batch_normalization_test(T.constant(x), gamma, beta, mean, var, "spatial")
    np.testing.assert_allclose(test.eval(), expected)
    T.verify_grad(lambda x, g, b: bn.batch_normalization_train(x, g, b, "spatial")[0],
                  [x, gamma, beta], rng=np.random)
    with pytest.raises(ValueError, match="'everything'"):
        bn.batch_normalization_test(T.constant(x), gamma, beta, mean, var, "everything")


@pytest.mark.parametrize("mode, ignore_border", list(itertools.product(pool.MODES, [True, False])))
def test_pooling_of_any_number_of_dimensions(mode, ignore_border):
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
                  rng=np.random)


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


def test_neighbours():
    x = np.arange(24.).reshape(1, 1, 4, 6)
    rows = neighbours.images2neibs(T.constant(x), (2, 3))
    assert rows.eval().tolist()[0] == [0, 1, 2, 6, 7, 8] and rows.eval().shape == (4, 6)
    np.testing.assert_array_equal(neighbours.neibs2images(rows, (2, 3), x.shape).eval(), x)
    with pytest.raises(ValueError, match="do not fill"):
        neighbours.images2neibs(T.constant(x), (3, 3)).eval()


def test_windows_are_exact_copies():
    x = np.array([np.inf, 0, np.nan, 1e30, 3, 4], "float32").reshape(1, 1, 2, 3)
    rows = neighbours.images2neibs(T.constant(x), (1, 2), (1, 1)).eval()
    np.testing.assert_array_equal(rows, np.float32([[np.inf, 0], [0, np.nan], [1e30, 3], [3, 4]]))
    none = neighbours.images2neibs(T.constant(x), (3, 1), mode="ignore_borders").eval()
    assert none.shape == (0, 3)
    T.verify_grad(lambda x: neighbours.images2neibs(x, (2, 2), (1, 1)),
                  [np.random.rand(2, 1, 3, 4)], rng=np.random)
