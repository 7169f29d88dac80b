"""Convolutions of which only a part is wanted."""

import numpy as np
import pytest

import theano
import theano.tensor as T


def names(function):
    return {str(node.op) for node in function.maker.fgraph.toposort()}


@pytest.mark.parametrize("cut", [
    lambda y, x: y[:, :, 1:x.shape[2] + 1, 1:x.shape[3] + 1],       # Lasagne's pad='same'
    lambda y, x: y[:, :, 2:-1], lambda y, x: y[:, :, :3, ::2], lambda y, x: y[:, 1:, 1:, 1:],
    lambda y, x: y[0]])
@pytest.mark.parametrize("subsample", [(1, 1), (2, 1)])
def test_part_of_a_convolution(cut, subsample, rng):
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
