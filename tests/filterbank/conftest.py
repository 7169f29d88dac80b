"""The bank as Lasagne has it: a convolution and a pooling layer for each entry of `filters`, concatenated."""

import lasagne
import numpy as np
import pytest


@pytest.fixture(scope="session")
def plain():
    """Builds the plain graph: plain(incoming, filters, pool_bands=4, nonlinearity=rectify) -> layer."""
    def build(incoming, filters, pool_bands=4, nonlinearity=lasagne.nonlinearities.rectify):
        pooled = []
        for length, count in filters:
            conv = lasagne.layers.Conv2DLayer(incoming, count, (1, length), nonlinearity=nonlinearity)
            pooled.append(lasagne.layers.MaxPool2DLayer(conv, (pool_bands, conv.output_shape[3])))
        return lasagne.layers.ConcatLayer(pooled, axis=1)
    return build


@pytest.fixture(scope="session")
def largest():
    """What the bank computes before its nonlinearity, in NumPy and float64: largest(x, W, b, W, b ..., pool_bands=)."""
    def compute(x, *parameters, pool_bands):
        batch, _, bands, _ = x.shape
        groups = bands // pool_bands
        found = []
        for w, b in zip(parameters[::2], parameters[1::2]):
            windows = np.lib.stride_tricks.sliding_window_view(x[:, :, :groups * pool_bands].astype(float), w.shape[3], 3)
            y = np.einsum("bchtk,fck->bfht", windows, w[:, :, 0, ::-1].astype(float)) + b[:, None, None]
            found.append(y.reshape(batch, len(w), groups, -1).max(3))
        return np.concatenate(found, 1)
    return compute
