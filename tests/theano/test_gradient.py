"""Derivatives, and what changes them."""

import pytest

import theano
import theano.tensor as T


def test_gradient_helpers():
    z = T.dscalar()
    f = theano.function([z], [
        T.grad(theano.gradient.grad_clip(z, -1, 1) ** 2, z),
        T.grad(theano.gradient.disconnected_grad(z) * z, z),
        T.grad(theano.gradient.zero_grad(z) * z, z),
        T.grad(theano.gradient.consider_constant(z) * z, z),
        T.grad(z ** 3, z, known_grads=None),
        T.jacobian(T.stack([z, z ** 2]), z)[1],
        T.Rop(z ** 2, z, T.constant(2.)), T.Lop(z ** 2, z, T.constant(2.))])
    assert [float(v) for v in f(3.)] == [1, 3, 3, 3, 27, 6, 12, 12]
    with pytest.raises(theano.gradient.DisconnectedInputError):
        T.grad(T.dscalar() * 2, z)
