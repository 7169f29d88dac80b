"""What the tests of the bank compare with, and the numbers they use."""

import lasagne
import numpy as np
import pytest


@pytest.fixture(scope="session")
def plain():
    """Build the bank as Lasagne has it: a convolution and a pooling layer for each entry, joined.

    plain(incoming, filters, pool_bands=4, nonlinearity=rectify) -> layer
    """
    def build(incoming, filters, pool_bands=4, nonlinearity=lasagne.nonlinearities.rectify):
        pooled = []
        for length, count in filters:
            conv = lasagne.layers.Conv2DLayer(
                incoming, count, (1, length), nonlinearity=nonlinearity)
            pool = pool_bands, conv.output_shape[3]
            pooled.append(lasagne.layers.MaxPool2DLayer(conv, pool))
        return lasagne.layers.ConcatLayer(pooled, axis=1)
    return build


@pytest.fixture(scope="session")
def largest():
    """Compute the bank before its nonlinearity, in NumPy and float64.

    largest(x, W, b, W, b ..., pool_bands=) -> array (batch, filters, groups)
    """
    def compute(x, *parameters, pool_bands):
        batch, _, bands, _ = x.shape
        groups = bands // pool_bands
        x = x[:, :, :groups * pool_bands].astype(float)
        found = []
        for w, b in zip(parameters[::2], parameters[1::2], strict=True):
            windows = np.lib.stride_tricks.sliding_window_view(x, w.shape[3], 3)
            y = np.einsum("bchtk,fck->bfht", windows, w[:, :, 0, ::-1].astype(float))
            y += b[:, None, None]
            found.append(y.reshape(batch, len(w), groups, -1).max(3))
        return np.concatenate(found, 1)
    return compute


@pytest.fixture(scope="session")
def normal():
    """Draw a bank from the normal distribution: normal(shape, filters) -> x, [W, b, W, b ...]."""
    def draw(shape, filters, dtype="float32", seed=0):
        rng = np.random.RandomState(seed)
        arrays = [rng.standard_normal(shape)]
        for length, count in filters:
            arrays.append(rng.standard_normal((count, shape[1], 1, length)) / length ** .5)
            arrays.append(rng.standard_normal(count))
        x, *parameters = [array.astype(dtype) for array in arrays]
        return x, parameters
    return draw
