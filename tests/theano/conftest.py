"""What tests of several modules use."""

import pytest

import theano
from theano import configdefaults


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
