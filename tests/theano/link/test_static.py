"""Sizes and slices that depend on integer inputs."""

import numpy as np
import pytest
from graphs import value

import theano
import theano.tensor as T
from theano.link.function import SlowPath

m = T.dmatrix("m")
i, n = T.lscalar("i"), T.iscalar("n")
floatX = theano.config.floatX


def test_minibatches_are_sliced_before_the_compiled_part(compiled_only):
    data = np.arange(44.).reshape(11, 4)
    images, labels = theano.shared(data), theano.shared(np.arange(11.))
    y = T.ivector("y")
    f = theano.function([i], [m.sum(), y.sum()], givens={
        m: images[i * 3:(i + 1) * 3], y: T.cast(labels, "int32")[i * 3:(i + 1) * 3]})
    for k in range(4):
        assert f(k)[0] == data[k * 3:k * 3 + 3].sum()
        assert f(k)[1] == np.arange(11)[k * 3:k * 3 + 3].sum()
    images.set_value(data + 1)
    assert f(0)[0] == data[:3].sum() + 12


def test_an_integer_input_as_a_size():
    f = theano.function([n], T.zeros((n, 2)) + n, name="by_size")
    with pytest.warns(SlowPath, match="by_size is compiled anew for each value of n"):
        assert f(2).tolist() == [[2, 2]] * 2
    assert f(3).shape == (3, 2)


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
