"""What tests of several modules use."""

import warnings

import numpy as np
import pytest

import theano
from theano import configdefaults
from theano.link.function import SlowPath


@pytest.fixture
def flags(monkeypatch, tmp_path):
    """Set THEANO_FLAGS and a file of settings, and load them as at import."""
    def load(text="", file=""):
        rc = tmp_path / "theanorc"
        rc.write_text(file)
        monkeypatch.setenv("THEANO_FLAGS", text)
        monkeypatch.setenv("THEANORC", str(rc))
        floatX = theano.config.floatX
        try:
            return configdefaults.load()
        finally:
            theano.config.floatX = floatX
    return load


@pytest.fixture
def compiled_only():
    """Every slow path is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SlowPath)
        yield


@pytest.fixture
def rng():
    """Random numbers that are the same in each run, whichever tests came before."""
    return np.random.RandomState(0)
