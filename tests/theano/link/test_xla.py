"""XLA's options."""

import jax
import pytest

import theano
import theano.tensor as T
from theano.link import xla

x = T.dvector("x")


@pytest.mark.parametrize("mode, nodes, level", [
    (None, 10, None), (None, 1, 2), ("FAST_COMPILE", 10, 0), ("FAST_COMPILE", 1, 0)])
def test_large_graphs_are_compiled_at_a_lower_level(monkeypatch, mode, nodes, level):
    monkeypatch.setattr(xla, "LARGE", nodes)
    used = []
    real = jax.jit

    def jit(function, **settings):
        used.append(settings.get("compiler_options", {}).get(xla.LEVEL))
        return real(function, **settings)

    function = theano.function([x], T.exp(x[1:]).sum() + x[0], mode=mode)
    monkeypatch.setattr(xla.jax, "jit", jit)
    assert function([0, 0]) == 1
    assert used[-1] == level
