import os
import subprocess
import sys

import pytest
from conftest import ROOT

from mirdl.errors import UserError
from mirdl.theano_flags import start_theano


def started(code="", **flags):
    """What a new process prints that starts Theano after `code`; its flags as given alone."""
    environment = {key: value for key, value in os.environ.items() if key != "THEANO_FLAGS"}
    code += ("\nfrom mirdl.theano_flags import start_theano\nstart_theano()\nstart_theano()\n"
             "import theano, os\nprint(theano.config.floatX, os.environ.get('THEANO_FLAGS'))")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True,
                          env={**environment, **flags, "PYTHONPATH": ROOT})
    return done.stdout.splitlines(), done.stderr


@pytest.mark.slow
def test_the_flags_are_the_originals_if_there_are_none():
    assert started()[0] == ["float32 mode=FAST_RUN,device=cpu,floatX=float32"]


def test_float64_is_told_once_with_what_the_paper_used():
    for flags in ("device=cpu", "floatX=float64"):
        [told, found], _ = started(THEANO_FLAGS=flags)
        assert told.startswith("Training in float64, as THEANO_FLAGS has floatX=float64, or no ")
        assert "floatX=float32 is what the paper used" in told and found == f"float64 {flags}"


@pytest.mark.slow
def test_what_was_imported_before_holds_and_is_told():
    [told, found], _ = started("import theano")
    assert told.startswith("Training in float64, as theano was imported before.")
    assert found == "float64 None"


def test_float16_is_refused():
    _, error = started(THEANO_FLAGS="floatX=float16")
    assert "UserError: floatX=float16 is not supported: expected float32" in error


@pytest.mark.parametrize("error", [
    ValueError("THEANO_FLAGS: mode=FAST is unknown"), RuntimeError("device=cuda: no such GPU")])
def test_a_flag_that_is_refused_is_told(monkeypatch, error):
    class Refusing:
        @staticmethod
        def find_spec(name, *_):
            if name == "theano":
                raise error
    monkeypatch.delitem(sys.modules, "theano", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Refusing, *sys.meta_path])
    with pytest.raises(UserError) as told:
        start_theano.__wrapped__()
    assert str(told.value) == str(error)
