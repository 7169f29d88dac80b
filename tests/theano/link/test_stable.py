"""What programs written around Theano, Lasagne 0.2 and Keras do, and what Theano gave them."""

import importlib
import warnings

import lasagne
import numpy as np
import pytest
import scipy.signal
import scipy.sparse
import scipy.special

import theano
import theano.tensor as T
from theano.ifelse import ifelse
from theano.link.function import SlowPath
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.nnet.neighbours import images2neibs, neibs2images
from theano.tensor.shared_randomstreams import RandomStreams
from theano.tensor.signal.pool import pool_2d

floatX = theano.config.floatX


def value(expression, given=None):
    """What an expression is for these values of its inputs."""
    return expression.eval({v: np.array(x, v.dtype) for v, x in (given or {}).items()})


# Cross-entropies where a probability is 0

@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
def test_classes_that_are_not_the_true_one_get_no_gradient(mode):
    p, t = T.matrix("p"), T.ivector("t")
    slope = theano.function([p, t], T.grad(T.nnet.categorical_crossentropy(p, t).sum(), p),
                            mode=mode)
    zeros_and_ones = np.array([[.4, .6, 0], [0, 0, 1]], floatX)
    np.testing.assert_array_equal(slope(zeros_and_ones, [0, 2]),
                                  np.array([[-1 / .4, 0, 0], [0, 0, -1]], floatX))


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE"])
@pytest.mark.parametrize("expected, probabilities", [
    (1, lambda x: T.nnet.softmax(x.reshape((-1, 3))).reshape((-1, 3))),
    (1, lambda x: T.nnet.softmax(x[0])[:, :2]),
    (1, lambda x: T.nnet.softmax(x[0]).dimshuffle("x", 0, 1)[0]),
    (1, lambda x: T.nnet.softmax(x[0]).T.reshape((3, -1)).T),
    (0, lambda x: (T.nnet.softmax(x[0]) + T.nnet.softmax(x[0])) / 2),
    (0, lambda x: T.exp(x[0] - x[0].max(1, keepdims=True))
     / T.exp(x[0] - x[0].max(1, keepdims=True)).sum(1, keepdims=True)),
])
def test_no_gradient_of_a_softmax_is_nan(expected, probabilities, mode):
    """Right and sure; and, where the softmax is known as such, wrong and sure."""
    x, t = T.tensor3("x", "float32"), T.ivector("t")
    loss = T.nnet.categorical_crossentropy(probabilities(x), t).mean()
    f = theano.function([x, t], [loss, T.grad(loss, x)], mode=mode)
    found, slope = f(np.array([[[200., 0, 0]]], "float32"), [0])
    assert found == 0 and slope.tolist() == [[[0, 0, 0]]]
    if expected:
        found, slope = f(np.array([[[200., 0, 0]]], "float32"), [1])
        assert found == 200 and slope.tolist() == [[[1, -1, 0]]]


def test_moves_that_do_not_fit_are_not_cancelled():
    x, i = T.dmatrix("x"), T.ivector("i")
    p = T.nnet.softmax(x)
    other = T.inc_subtensor(T.ones_like(p)[:, 0], 1 / p[:, 1]) * p      # another place, no zeros
    np.testing.assert_allclose(value(other, {x: np.log([[.2, .3, .5]])}), [[.2 + .2 / .3, .3, .5]])
    turned = (1 / p.T).reshape(p.shape) * p     # a transposition is no reshape
    grid = np.array([[.2, .8], [.6, .4]])
    np.testing.assert_allclose(value(turned, {x: np.log(grid)}), grid / grid.T)
    twice = T.grad(T.log(p[i, [0, 0]]).sum(), x)        # the same element twice
    np.testing.assert_allclose(value(twice, {x: np.log([[.2, .8]]), i: [0, 0]}), [[1.6, -1.6]])


def test_one_hot_targets_and_binary_ones_where_the_probability_is_zero():
    p, t = T.matrix("p"), T.matrix("t")
    for loss in (T.nnet.categorical_crossentropy(p, t), T.nnet.binary_crossentropy(p, t)):
        found, slope = theano.function([p, t], [loss.sum(), T.grad(loss.sum(), p)])(
            np.array([[0, 1]], floatX), np.array([[0, 1]], floatX))
        assert found == 0 and np.isfinite(slope).all()
    assert slope.tolist() == [[1, -1]]
    slope = T.grad(T.nnet.binary_crossentropy(p, t).sum(), p)
    assert value(slope, {p: [[0, 1, .5]], t: [[1, 0, 1]]}).tolist() == [[-np.inf, np.inf, -2]]
    slope = T.grad(T.nnet.categorical_crossentropy(p, t).sum(), p)
    np.testing.assert_allclose(value(slope, {p: [[0, .5, .5]], t: [[0, 1, 0]]}), [[0, -2, 0]])
    tiny = T.nnet.binary_crossentropy(p, 0.)    # by log1p
    np.testing.assert_allclose(value(tiny, {p: [[1e-10]]}), [[1e-10]], rtol=1e-6)


def test_a_recurrent_classifier_trains_until_its_loss_is_zero():
    rng = np.random.RandomState(0)
    x, t = T.ftensor3("x"), T.ivector("t")
    w, u, v = (theano.shared((rng.randn(*shape) * .5).astype("float32"))
               for shape in ((2, 8), (8, 8), (8, 2)))
    states, _ = theano.scan(lambda x, h: T.tanh(x.dot(w) + h.dot(u)),
                            sequences=x.dimshuffle(1, 0, 2),
                            outputs_info=T.zeros((x.shape[0], 8), "float32"))
    p = T.nnet.softmax(states.dimshuffle(1, 0, 2).reshape((-1, 8)).dot(v))
    p = p.reshape((x.shape[0], x.shape[1], 2)).reshape((-1, 2))     # as Lasagne's ReshapeLayer
    loss = T.nnet.categorical_crossentropy(p, t).mean()
    updates = lasagne.updates.adam(loss, [w, u, v], 3)
    step = theano.function([x, t], loss, updates=updates)
    labels = np.array([0, 1, 1, 0], "int32")
    sequences = np.zeros((4, 5, 2), "float32")
    sequences[np.arange(4), :, labels] = 1
    losses = [float(step(sequences, np.repeat(labels, 5))) for _ in range(40)]
    assert losses[0] > .1 and losses[-1] == 0 and np.isfinite(losses).all()


# Indices, diagonals, orders, sums

def test_an_index_with_none_drops_dimensions_it_does_not_come_to():
    x = T.matrix("x")
    mask = T.alloc(1., x.shape[0], 1)       # of attention models, where none is given
    assert mask[:, None].ndim == (mask[:, None] * x).ndim == 2
    assert mask[:, None].broadcastable == (False, True)
    assert value(mask[:, None] * x, {x: np.eye(3)}).tolist() == np.eye(3).tolist()
    assert mask[None, :].ndim == 2 and mask[0, None].ndim == 1
    one = T.tensor("float64", (False, True, True))
    assert one[None, :].ndim == 2 and one[:, None, 0].ndim == 2


def test_an_index_with_none_keeps_all_other_dimensions():
    x, mask, i = T.matrix("x"), T.col("mask"), T.lvector("i")
    assert x[:, None].ndim == x[None].ndim == 3
    assert mask[:, None, :].ndim == mask[..., None].ndim == mask[:, :, None].ndim == 3
    assert mask[:].ndim == mask[1:].ndim == 2 and mask[0].ndim == 1
    assert mask[i, None].ndim == 3      # Theano does not drop them where an index is an array
    T.verify_grad(lambda x: x[:, None] * x, [np.random.rand(3, 2)], rng=np.random)


@pytest.mark.parametrize("shape", [(3, 3, 3), (3, 5), (5, 3), (2, 2, 2, 2)])
def test_fill_diagonal(shape):
    x, v = T.tensor(floatX, (False,) * len(shape)), T.scalar()
    expected = np.zeros(shape, floatX)
    np.fill_diagonal(expected, 2)
    found = value(T.fill_diagonal(x, v), {x: np.zeros(shape), v: 2})
    np.testing.assert_array_equal(found, expected)
    of_x, of_v = T.grad(T.fill_diagonal(x, v).sum(), [x, v])
    np.testing.assert_array_equal(value(of_x, {x: np.zeros(shape), v: 2}), 1 - expected / 2)
    assert value(of_v, {x: np.zeros(shape), v: 2}) == min(shape)


@pytest.mark.parametrize("shape", [(3, 5), (5, 3)])
@pytest.mark.parametrize("offset", [-4, -1, 0, 2, 4])
def test_fill_diagonal_offset(shape, offset):
    found = T.extra_ops.fill_diagonal_offset(T.zeros(shape, "int8"), 7, offset).eval()
    np.testing.assert_array_equal(found, 7 * np.eye(*shape, offset, "int8"))


def test_fill_diagonal_refuses_what_it_cannot_do():
    with pytest.raises(TypeError, match="1 dimensions and needs two"):
        T.fill_diagonal(T.vector(), 1)
    with pytest.raises(TypeError, match="val is of float64, a of int8"):
        T.fill_diagonal(T.bmatrix(), T.dscalar())
    with pytest.raises(ValueError, match="differ"):
        T.fill_diagonal(T.zeros((2, 3, 3)), 1.).eval()


def test_inputs_of_a_graph_come_in_theanos_order():
    x, y, z = (theano.shared(1., name) for name in "xyz")
    assert theano.gof.graph.inputs([(x + y) + z]) == [x, y, z]
    assert theano.gof.graph.inputs([x, z + y]) == [z, y, x]     # the last variable comes first
    assert theano.gof.graph.inputs([x * (y + x) + z]) == [x, y, z]
    total = x + y
    assert theano.gof.graph.ancestors([total + z], [total])[1:] == [total, z]


def test_sums_and_means_of_float32_are_added_up_in_float64():
    x = theano.shared(np.array([1e8, 1, -1e8], "float32"))
    assert x.sum().eval() == 1 and x.mean().eval() == np.float32(1 / 3)
    grid = theano.shared(np.array([[1e8, 1, -1e8]], "float32"))
    assert grid.sum(axis=1).eval().tolist() == [1]
    factors = theano.shared(np.array([1e30, 1e30, 1e-30], "float32"))
    assert T.prod(factors).eval() == np.float32(1e30)


# Copies of graphs, batch normalisation, broadcasting

def test_a_copy_of_a_shared_variable_shares_its_value():
    """As in the batch normalisation of Lasagne 0.2 in training."""
    mean = theano.shared(np.full(3, 4, "float32"))
    running = theano.clone(mean, share_inputs=False)
    running.default_update = running * np.float32(.5)
    f = theano.function([], running + 0 * mean)
    assert running is not mean and f().tolist() == [4, 4, 4]
    assert mean.get_value().tolist() == [2] * 3
    assert theano.function([], mean + 0)().tolist() == mean.get_value().tolist() == [2, 2, 2]
    mean.set_value(np.ones(3, "float32"))
    assert f().tolist() == [1, 1, 1]
    x = T.vector("x")
    copy, same = theano.clone(x * 2, share_inputs=False), theano.clone(x * 2)
    assert x in theano.gof.graph.inputs([same]) and x not in theano.gof.graph.inputs([copy])


def test_clone_replaces_variables():
    x, y, wide = T.fvector("x"), T.fvector("y"), T.dvector("wide")
    assert value(theano.clone(x * 2, replace={x: y}, strict=False), {y: [3]}) == 6
    assert theano.clone([x * 2], {x: wide}, strict=False)[0].dtype == "float64"
    with pytest.raises(TypeError):
        theano.clone(x * 2, {x: wide})


@pytest.mark.parametrize("shape, axes", [((3,), "per-activation"), ((1, 3), (0,)), ((1, 3), (-2,))])
def test_batch_normalisation_gives_what_has_the_dimensions_of_gamma(shape, axes):
    x, mean, var = T.matrix(), *(theano.shared(np.full(shape, k, floatX)) for k in (0, 1))
    out = T.nnet.bn.batch_normalization_train(x, var, mean, axes, running_mean=mean,
                                              running_var=var)
    assert [v.ndim for v in out[1:]] == [len(shape)] * 4
    f = theano.function([x], out[:3], updates=[(mean, out[3]), (var, out[4])])
    normal, found, scale = f(np.array([[0, 1, 2], [2, 5, 4]], floatX))
    np.testing.assert_allclose(normal[:, 0], [-1, 1], rtol=1e-4)
    assert found.shape == scale.shape == shape and found.ravel().tolist() == [1, 3, 3]
    np.testing.assert_allclose(mean.get_value(), np.reshape([.1, .3, .3], shape), rtol=1e-6)
    np.testing.assert_allclose(var.get_value(), np.reshape([1.1, 1.7, 1.1], shape), rtol=1e-6)


def test_batch_normalisation_of_images_gives_what_has_the_dimensions_of_gamma():
    x, gamma = T.dtensor4(), theano.shared(np.ones(2))
    out = T.nnet.bn.batch_normalization_train(x, gamma, 0 * gamma, "spatial", running_mean=gamma)
    values = np.arange(16.).reshape(2, 2, 2, 2)
    found = theano.function([x], out)(values)
    assert [v.shape for v in found[1:]] == [(2,)] * 3
    np.testing.assert_allclose(found[1], values.mean((0, 2, 3)))
    np.testing.assert_allclose(found[3], .9 + .1 * values.mean((0, 2, 3)))


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


# Sizes that are variables

@pytest.fixture
def compiled_only():
    """Every slow path is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SlowPath)
        yield


def test_a_window_that_depends_on_the_image(compiled_only):
    x = T.tensor4()
    n = x.shape[2] // 2
    images = np.arange(16, dtype=floatX).reshape(1, 1, 4, 4)
    pooled = value(pool_2d(x, (n, n), ignore_border=True), {x: images})
    assert pooled.tolist() == [[[[5, 7], [13, 15]]]]
    mean = pool_2d(x, ws=x.shape[2:], ignore_border=True, mode="average_inc_pad")
    assert value(mean, {x: images}) == 7.5
    slope = T.grad(pool_2d(x, (2, n), True, stride=(1, n), pad=(0, n - 2)).sum(), x)
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
        f = theano.function([x, size], [y := pool_2d(x, size, True), T.grad(y.sum(), x)])
        with pytest.warns(SlowPath, match="anew for each value"):
            assert f(images, given)[0].tolist() == [[[[5, 7], [13, 15]]]]
        assert f(images, np.array(given, "int32") + 1)[0].tolist() == [[[[10]]]]
        assert f(images, given)[1].sum() == 4
    with pytest.raises(NotImplementedError, match="must be smaller than the window"):
        pool_2d(x, (n, n), True, pad=(n, n)).eval({x: images, n: 2})


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


def test_labels_are_no_sizes():
    labels = T.ivector("labels")
    f = theano.function([labels], T.arange(labels.max()))
    with pytest.warns(SlowPath, match="not compiled"):
        assert f(np.arange(9, dtype="int32")).tolist() == list(range(8))


def test_what_is_cropped_to_the_smallest_of_shapes_stays_compiled(compiled_only):
    """As Lasagne's ConcatLayer with cropping does it."""
    x, y = T.matrix(), T.matrix()
    low, high = (f(T.as_tensor_variable([x.shape, y.shape]), axis=0) for f in (T.min, T.max))
    f = theano.function([x, y], [x[:low[0], :low[1]] + y[:low[0], :low[1]], T.zeros(high)])
    found = f(np.ones((4, 5), floatX), np.full((3, 6), 2, floatX))
    assert found[0].tolist() == [[3] * 5] * 3 and found[1].shape == (4, 6)
    shapes = T.stack([x.shape, y.shape])
    off = (shapes - shapes.min(axis=0)) // 2
    middle = x[off[0, 0]:off[0, 0] + T.minimum(*shapes[:, 0]), off[0, 1]:]
    slope = T.grad((middle ** 2).sum(), x)
    assert value(slope, {x: np.ones((5, 4)), y: np.ones((3, 3))})[:, 1].tolist() == [0, 2, 2, 2, 0]


# Ops and functions that Theano has, or takes otherwise

def test_the_gradient_of_a_product():
    x = T.vector()
    for given, expected in (([1, 2, 3], [6, 3, 2]), ([0, 2, 3], [6, 0, 0]), ([0, 0, 3], [0, 0, 0])):
        assert value(T.grad(T.prod(x), x), {x: given}).tolist() == expected
    m = T.matrix()
    slope = T.grad(T.prod(m, axis=1).sum(), m)
    assert value(slope, {m: [[1, 2], [0, 4]]}).tolist() == [[2, 1], [4, 0]]


@pytest.mark.filterwarnings("ignore::theano.link.function.SlowPath")
def test_confusion_matrix():
    a, p = T.ivectors("ap")
    counts, classes = T.nnet.confusion_matrix(a, p)
    assert value(counts, {a: [0, 1, 1], p: [0, 1, 0]}).tolist() == [[1, 0], [1, 1]]
    assert value(classes, {a: [5, 2], p: [2, 9]}).tolist() == [2, 5, 9]
    assert value(counts, {a: [5, 2], p: [2, 9]}).tolist() == [[0, 0, 1], [1, 0, 0], [0, 0, 0]]


@pytest.mark.filterwarnings("ignore::theano.link.function.SlowPath")
@pytest.mark.parametrize("name, x", [("j0", [1., 20]), ("j1", [1., -3]), ("erfcx", [.5, 2])])
def test_functions_that_jax_has_not(name, x):
    v = T.dvector()
    expected = getattr(scipy.special, name)(x)
    np.testing.assert_allclose(value(getattr(T, name)(v), {v: x}), expected)
    if name == "j0":
        slope = T.grad(T.j0(v).sum(), v)
        np.testing.assert_allclose(value(slope, {v: x}), -scipy.special.j1(x))


def test_functions_of_complex_numbers_and_rounding_stay_compiled(compiled_only):
    x = T.dvector()
    assert value(abs(T.complex(x, x + 1)), {x: [3]}) == 5
    rounded = T.round(x, mode="half_away_from_zero")
    assert value(rounded, {x: [.5, -1.5, 2.4, -.1]}).tolist() == [1, -2, 2, 0]


@pytest.mark.filterwarnings("ignore::theano.link.function.SlowPath")
def test_ifelse_of_any_values():
    x, y, c = theano.generic(), theano.generic(), T.iscalar()
    f = theano.function([c, x, y], ifelse(c, x, y))
    assert f(1, "a", "b") == "a" and f(0, "a", {"b": 2}) == {"b": 2}
    v = T.vector()
    f = theano.function([c, x, v], [ifelse(c, v * 2, v), x])
    assert f(0, None, [1.])[0].tolist() == [1] and f(1, "kept", [1.])[1] == "kept"


@pytest.mark.parametrize("axis, plain", [
    (T.constant(0), 0), (T.constant(np.int8(-1)), -1), (T.constant([0, 1]), (0, 1)),
    ([T.constant(0), 1], (0, 1)), (np.int64(1), 1)])
def test_a_constant_as_axis(axis, plain):
    x, data = T.dmatrix(), np.array([[1., 5, 3], [4, 2, 6]])
    for name in ("max", "min", "sum", "prod", "mean", "var", "std"):
        expected = getattr(np, name)(data, plain)
        for found in (getattr(T, name)(x, axis), getattr(x, name)(axis=axis, keepdims=False)):
            np.testing.assert_allclose(value(found, {x: data}), expected)
    assert value(T.any(x > 5, axis=axis), {x: data}).any()
    if not isinstance(plain, tuple):
        assert value(T.argmax(x, axis), {x: data}).tolist() == data.argmax(plain).tolist()
        assert value(x.cumsum(axis), {x: data}).tolist() == data.cumsum(plain).tolist()


def test_topk_of_all_elements():
    x = T.matrix()
    assert value(T.topk(x, 2, axis=None), {x: [[3, 1], [2, 5]]}).tolist() == [3, 5]
    assert value(T.argtopk(x, -2, axis=None), {x: [[3, 1], [2, 5]]}).tolist() == [1, 2]
    assert value(T.topk(x, 1, axis=0), {x: [[3, 1], [2, 5]]}).tolist() == [[3, 5]]


def test_relu_of_an_array_is_an_array():
    found = T.nnet.relu(np.array([-1., 2.]))
    assert type(found) is np.ndarray and found.tolist() == [0, 2]
    assert T.nnet.relu(-3.) == 0 and T.nnet.relu(np.float32(2)) == 2
    assert isinstance(T.nnet.relu(T.vector()), theano.Variable)
    assert T.nnet.relu(np.array([-1., 2.]), .5).eval().tolist() == [-.5, 2]
    assert T.nnet.elu(np.array([-1., 2.])).eval()[1] == 2


def test_derivatives_of_an_op_from_a_graph_given_as_graphs():
    x, y, g = T.dvectors("xyg")
    a, b = T.dvectors("ab")
    twofold = theano.OpFromGraph([x, y, g], [2 * g, 3 * g * x])
    op = theano.OpFromGraph([x, y], [x * y], grad_overrides=twofold)
    found = theano.function([a, b], T.grad(op(a, b).sum(), [a, b]))([5.], [7.])
    assert [v.tolist() for v in found] == [[2], [15]]
    op = theano.OpFromGraph([x, y], [x * y], grad_overrides=[
        "default", theano.OpFromGraph([x, y, g], [-g])])
    found = theano.function([a, b], T.grad(op(a, b).sum(), [a, b]))([5.], [7.])
    assert [v.tolist() for v in found] == [[7], [-1]]
    op = theano.OpFromGraph([x, y], [x * y], lop_overrides=[
        lambda inputs, outputs, gs: outputs[0] * gs[0], theano.gradient.DisconnectedType()()])
    assert theano.function([a, b], T.grad(op(a, b).sum(), a))([5.], [7.]) == 35
    with pytest.raises(theano.gradient.DisconnectedInputError):
        T.grad(op(a, b).sum(), b)
    with pytest.raises(ValueError, match="not both"):
        theano.OpFromGraph([x], [x], grad_overrides=twofold, lop_overrides=twofold)
    with pytest.raises(ValueError, match="1 overrides for 2 derivatives"):
        T.grad(theano.OpFromGraph([x, y], [x * y], grad_overrides=["default"])(a, b).sum(), a)


def test_derivatives_forward_of_an_op_from_a_graph():
    x, y, u, v = T.dvectors("xyuv")
    a, b, c, d = T.dvectors("abcd")
    given = {a: [5.], b: [7.], c: [1.], d: [2.]}
    for rop, expected in (("default", 7 + 2 * 5), (theano.OpFromGraph([x, y, u, v], [u - v]), -1),
                          ([lambda inputs, given: inputs[0] * given[1]], 10)):
        op = theano.OpFromGraph([x, y], [x * y], rop_overrides=rop)
        assert value(T.Rop(op(a, b), [a, b], [c, d]), given) == expected
    assert value(T.Rop(T.nnet.softmax(a), a, c).sum(), {a: [1., 2], c: [1., 0]}) < 1e-12


def test_an_op_of_ones_own_without_perform():
    class Doubled(theano.Op):
        __props__ = ()

        def make_node(self, x):
            return theano.Apply(self, [x], [x.type()])

        def infer_shape(self, node, shapes):
            return shapes

        def grad(self, inputs, gradients):
            return [2 * gradients[0]]

        def R_op(self, inputs, eval_points):
            return [2 * eval_points[0]]

        def c_code(self, node, name, inputs, outputs, sub):
            return ""

    x, y = T.vectors("xy")
    op = Doubled()
    assert isinstance(op, theano.gof.Op) and isinstance(T.exp, theano.Op) and op == Doubled()
    assert not isinstance(T.exp, Doubled) and issubclass(T.Elemwise, theano.gof.op.Op)
    assert value(T.grad(None, x, known_grads={op(x): y}), {y: [1]}) == 2
    assert value(T.Rop(op(x), x, y), {x: [1], y: [3]}) == 6
    with pytest.raises(theano.gof.utils.MethodNotDefined, match="no perform"):
        op(x).eval({x: np.ones(1, x.dtype)})
    Doubled.perform = lambda self, node, inputs, outputs: outputs[0].__setitem__(0, 2 * inputs[0])
    with pytest.warns(SlowPath, match="JAX has no version"):
        assert value(op(x), {x: [1]}) == 2


# Names that programs import

def test_cudnns_names_work_on_the_device_in_use():
    from theano import gpuarray
    from theano.sandbox.cuda import dnn
    assert gpuarray.pygpu_activated
    assert gpuarray.dnn.dnn_present() and gpuarray.dnn.dnn_available(None)
    assert gpuarray.dnn.dnn_conv is dnn.dnn_conv
    rng = np.random.RandomState(0)
    x, w = rng.rand(2, 3, 5, 6), rng.rand(4, 3, 2, 3)
    settings = {"border_mode": (1, 2), "subsample": (2, 1), "conv_mode": "cross"}
    image, kernel = T.constant(x), T.constant(w)
    y = dnn.dnn_conv(image, kernel, **settings)
    expected = T.nnet.conv2d(image, kernel, border_mode=(1, 2), subsample=(2, 1), filter_flip=False)
    np.testing.assert_array_equal(y.eval(), expected.eval())
    image = gpuarray.basic_ops.gpu_contiguous(image)
    by_matrices = gpuarray.blas.GpuCorrMM((1, 2), (2, 1))(image, kernel)
    np.testing.assert_array_equal(by_matrices.eval(), expected.eval())
    for found, wrt in ((dnn.dnn_gradweight(image, y, w.shape, **settings), kernel),
                       (dnn.dnn_gradinput(kernel, y, x.shape, **settings), image)):
        np.testing.assert_allclose(found.eval(), T.grad((y ** 2).sum() / 2, wrt).eval())


def test_cudnns_names_for_volumes_and_normalisation():
    from theano.gpuarray import dnn
    rng = np.random.RandomState(0)
    volume, kernel = rng.rand(1, 2, 4, 4, 4), rng.rand(3, 2, 2, 2, 2)
    found = dnn.dnn_conv3d(T.constant(volume), T.constant(kernel)).eval()
    expected = sum(scipy.signal.convolve(v, k, "valid")
                   for v, k in zip(volume[0], kernel[1], strict=True))
    np.testing.assert_allclose(found[0, 1], expected)
    pooled = dnn.dnn_pool(T.constant(volume), (2, 2, 2), (2, 2, 2), "average")
    np.testing.assert_allclose(pooled.eval()[0, 0, 0, 0, 0], volume[0, 0, :2, :2, :2].mean())
    one = np.ones((1, 2, 1, 1, 1))
    normal, mean, scale = dnn.dnn_batch_normalization_train(T.constant(volume), one, 0 * one,
                                                            "spatial")
    np.testing.assert_allclose(mean.eval().ravel(), volume.mean((0, 2, 3, 4)))
    same = dnn.dnn_batch_normalization_test(volume, one, 0 * one, mean, 1 / scale ** 2, "spatial",
                                            1e-12)
    np.testing.assert_allclose(same.eval(), normal.eval())


def test_convolution_of_videos():
    from theano.tensor.nnet import conv3d2d
    rng = np.random.RandomState(0)
    video, filters = rng.rand(2, 5, 3, 6, 7), rng.rand(4, 2, 3, 3, 2)
    found = conv3d2d.conv3d(T.constant(video), T.constant(filters)).eval()
    assert found.shape == (2, 4, 4, 4, 6)
    expected = sum(scipy.signal.convolve(video[1, :, c], filters[2, :, c], "valid")
                   for c in range(3))
    np.testing.assert_allclose(found[1, :, 2], expected)
    wide = conv3d2d.conv3d(T.constant(video), T.constant(filters),
                           border_mode=("valid", "full", "half"))
    assert wide.eval().shape == (2, 4, 4, 8, 8)


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


def test_separable_and_causal_convolutions():
    from theano.tensor.nnet import abstract_conv
    rng = np.random.RandomState(0)
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


@pytest.mark.parametrize("streams", [RandomStreams, MRG_RandomStreams])
def test_settings_and_distributions_of_streams(streams):
    cut = value(streams(1).normal((10000,), truncate=True, nstreams=5, target="gpu"))
    assert abs(cut.std() - .8796) < .02 and abs(cut).max() <= 2
    assert value(streams(1).normal((10,), avg=5, std=0, truncate=True)).tolist() == [5] * 10
    assert value(streams(1).uniform((3,), nstreams=2, target=None)).shape == (3,)
    counts = value(streams(1).poisson(size=(10000,), lam=2.))
    assert counts.dtype == "int64" and abs(counts.mean() - 2) < .1 and abs(counts.var() - 2) < .2
    means = value(streams(1).poisson(lam=np.array([0, 400.])))
    assert means[0] == 0 and 300 < means[1] < 500
    halves = RandomStreams(2)
    assert set(value(halves.choice((99,))).tolist()) == {0, 1}
    assert value(halves.choice()).shape == ()
    assert value(halves.multinomial((50,), n=9)).sum(axis=1).tolist() == [9] * 50


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


def test_settings_changed_for_a_while():
    with theano.change_flags(floatX="float64", on_unused_input="ignore"):
        assert T.scalar().dtype == "float64" == theano.config.floatX
        with theano.config.change_flags({"warn.round": True}, mode="FAST_COMPILE"):
            assert theano.config.warn.round and theano.config.mode == "FAST_COMPILE"
    assert theano.config.floatX == floatX
    assert theano.config.mode == "FAST_RUN" and theano.config.warn.round is False

    @theano.configparser.change_flags(floatX="float16")
    def dtype():
        return T.vector().dtype

    assert dtype() == dtype() == "float16" and T.vector().dtype == floatX


def test_modules_of_graphs():
    from theano.compile.function_module import Function
    from theano.compile.pfunc import pfunc, rebuild_collect_shared
    from theano.gof import Apply, FunctionGraph, Op, Type, local_optimizer
    from theano.gof.fg import MissingInputError
    from theano.gof.opt import in2out
    from theano.gof.toolbox import Feature
    from theano.gof.type import Generic
    assert pfunc is theano.function and isinstance(pfunc([], T.constant(1)), Function)
    assert theano.gof.type.Type is Type and isinstance(theano.generic, Generic)
    assert issubclass(MissingInputError, Exception) and callable(rebuild_collect_shared)
    assert theano.gof.op.Op is Op and theano.Apply is Apply
    assert issubclass(theano.gof.opt.MergeOptimizer, object)

    @local_optimizer([T.exp])
    def exp_is_log(node):
        return [T.log(*node.inputs)]

    @local_optimizer([T.exp])
    def of_graph(fgraph, node):
        return [node.inputs[0] * len(fgraph.inputs)]

    x = T.dvector()
    for rewrite, expected in ((exp_is_log, 0), (of_graph, 1)):
        graph = FunctionGraph([x], [T.exp(x)], clone=False, features=[Feature()])
        in2out(rewrite).rewrite(graph)
        assert value(graph.outputs[0], {x: [1]}) == expected


@pytest.mark.parametrize("name", ["theano.tensor.nnet.blocksparse", "theano.tensor.nnet.ctc",
                                  "theano.sandbox.cuda.blas", "theano.gpuarray.fft"])
def test_what_is_not_there_is_named(name):
    with pytest.raises(ImportError, match=name):
        importlib.import_module(name)
