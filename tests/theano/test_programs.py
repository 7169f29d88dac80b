"""What programs written around Theano, Lasagne 0.2 and Keras do, and what Theano gave them."""

import lasagne
import numpy as np
import pytest
import theano
import theano.tensor as T

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
    np.testing.assert_array_equal(value(T.fill_diagonal(x, v), {x: np.zeros(shape), v: 2}), expected)
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
    assert T.prod(theano.shared(np.array([1e30, 1e30, 1e-30], "float32"))).eval() == np.float32(1e30)
