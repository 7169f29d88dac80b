"""Theano's first GPU backend, by name."""

import importlib
import sys
from types import SimpleNamespace

import jax
import numpy as np
import pytest
from lasagne import layers

import theano
from theano import device
from theano.sandbox import cuda

CARD = SimpleNamespace(platform="gpu")


@pytest.fixture
def chosen(monkeypatch):
    """Makes a device the one in use, whatever this machine has."""
    def choose(name, found):
        monkeypatch.setitem(theano.config._values, "device", name)
        monkeypatch.setattr(device, "in_use", lambda: found)
    choose("cpu", jax.devices("cpu")[0])
    return choose


def test_use_is_too_late_for_another_device(chosen):
    cuda.use("cpu")
    with pytest.warns(UserWarning, match="'gpu0'.*cpu is in use.*THEANO_FLAGS=device=gpu0"):
        cuda.use("gpu0")
    chosen("gpu0", CARD)
    cuda.use("gpu0")


def test_lasagnes_dnn_layers_are_there_on_a_gpu(chosen, monkeypatch, rng):
    with pytest.raises(ImportError, match="dnn not available"):
        importlib.import_module("lasagne.layers.dnn")
    chosen("gpu0", CARD)
    dnn = importlib.import_module("lasagne.layers.dnn")
    monkeypatch.undo()
    del sys.modules["lasagne.layers.dnn"]       # other tests shall find it missing
    image = layers.InputLayer((2, 3, 8, 9))
    with_dnn = dnn.Conv2DDNNLayer(image, 4, 3, pad="same")
    flipped = with_dnn.W.get_value()[:, :, ::-1, ::-1]
    without = layers.Conv2DLayer(image, 4, 3, pad="same", W=flipped)
    for mode, pooling in ("max", "max"), ("average", "average_inc_pad"):
        pooled = [layers.get_output(dnn.Pool2DDNNLayer(with_dnn, 3, 2, (1, 0), mode=mode)),
                  layers.get_output(layers.Pool2DLayer(without, 3, 2, (1, 0), mode=pooling))]
        images = rng.randn(2, 3, 8, 9).astype(theano.config.floatX)
        found, expected = theano.function([image.input_var], pooled)(images)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
