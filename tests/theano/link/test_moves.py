"""Many updates by the same formula."""

import numpy as np

import theano
import theano.tensor as T


def test_many_updates_are_compiled_together(rng):
    """More updates than `moves.WORTHWHILE`: the formulas leave the main part."""
    weights = [theano.shared(rng.randn(2 + k % 3)) for k in range(130)]
    speeds = [theano.shared(np.zeros(2 + k % 3)) for k in range(130)]
    rate = theano.shared(0.1)
    cost = sum((w ** 2).sum() for w in weights)
    updates = []
    for w, v, g in zip(weights, speeds, T.grad(cost, weights), strict=True):
        updates += [(v, 0.5 * v - rate * g), (w, w + 0.5 * v - rate * g)]
    expected = [w.get_value() for w in weights]
    momentum = [np.zeros_like(w) for w in expected]
    step = theano.function([], cost, updates=updates)
    for _ in range(3):
        assert np.isclose(step(), sum((w ** 2).sum() for w in expected))
        pairs = list(zip(momentum, expected, strict=True))
        momentum = [0.5 * v - 0.1 * 2 * w for v, w in pairs]
        expected = [w + 0.5 * v - 0.1 * 2 * w for v, w in pairs]
    for w, e in zip(weights, expected, strict=True):
        np.testing.assert_allclose(w.get_value(), e)
