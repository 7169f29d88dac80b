"""Modes: ours, and PyTensor's own."""

import numpy as np
import pytest
from pytensor.compile.debug.debugmode import DebugMode

import theano
import theano.tensor as T

x = T.dvector("x")


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", "JAX", None])
def test_modes(mode):
    value = np.array([0.5, 2.])
    f = theano.function([x], T.grad(T.log(T.nnet.sigmoid(x)).sum(), x), mode=mode)
    np.testing.assert_allclose(f(value), 1 / (1 + np.exp(value)), rtol=1e-6)


@pytest.mark.parametrize("optimizer", [None, "None", "default", "fast_run"])
def test_a_mode_without_a_linker_uses_xla(optimizer):
    total = theano.shared(np.ones(2))
    theano.function([], updates=[(total, total + 1)])()     # now the value is on the device
    f = theano.function([x], T.exp(x) + total, mode=theano.Mode(optimizer=optimizer))
    assert f.maker.mode.linker.__class__ is theano.link.Linker
    np.testing.assert_allclose(f([0., 1.]), [3, 2 + np.e])


@pytest.mark.filterwarnings("ignore")
def test_debug_mode_is_pytensors(monkeypatch):
    monkeypatch.setattr(DebugMode, "check_c_code", False)   # as where there is no C compiler
    f = theano.function([x], T.exp(x) * 2, mode="DebugMode")
    np.testing.assert_allclose(f([0., 1.]), [2, 2 * np.e])
    with pytest.raises(ValueError, match="FAST_WALK"):
        theano.function([x], x, mode="FAST_WALK")


def test_monitor_mode_shows_each_node():
    seen = []
    mode = theano.compile.MonitorMode(
        post_func=lambda fgraph, i, node, run: seen.append(run.outputs[0][0]))
    assert theano.function([x], x.sum(), mode=mode)([1., 2.]) == 3 and seen == [3]
