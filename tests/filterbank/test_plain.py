from types import SimpleNamespace

import jax
import numpy as np
import pytest

import theano
import theano.tensor as T
from filterbank import TemporalFilterBankLayer, op, plain, xla
from theano.link.pure import pure

FILTERS = [(7, 2), (30, 2), (1, 1), (7, 1), (12, 2)]     # not in order, one length twice


def test_it_finds_the_largest_windows_and_their_places(normal, largest):
    x, parameters = normal((3, 2, 11, 40), FILTERS)
    x, *parameters = map(np.sign, [x, *parameters])     # many windows are equal
    value, where = plain.largest(x, *parameters, pool_bands=4)
    np.testing.assert_allclose(value, largest(x, *parameters, pool_bands=4), atol=1e-5)
    _, expected = xla.largest(x, *parameters, pool_bands=4)
    np.testing.assert_array_equal(where, expected)


@pytest.mark.parametrize("device", ["cpu", "cuda"])
def test_a_layer_is_traced_in_this_form_where_it_is_asked_for(device, monkeypatch):
    x = T.tensor4("x")
    layer = TemporalFilterBankLayer((None, 1, 8, 20), [(5, 2), (9, 1)])
    call, shared = pure(theano.function([x], layer.get_output_for(x)))
    values = [variable.get_value() for variable in shared]
    given = np.random.RandomState(0).normal(size=(2, 1, 8, 20)).astype(theano.config.floatX)
    [expected], _ = call([given], values)
    monkeypatch.setattr(op.device, "in_use", lambda: SimpleNamespace(platform=device))

    def traced():
        return jax.make_jaxpr(lambda x: call([x], values)[0])(given)    # anew: JAX keeps traces
    with op.in_plain_form():
        found = traced()
    assert "conv_general_dilated" in str(found) and "ffi_call" not in str(found)
    assert "conv_general_dilated" not in str(traced()), "only as long as it is asked for"
    [value] = jax.core.eval_jaxpr(found.jaxpr, found.consts, given)
    np.testing.assert_allclose(value, expected, atol=1e-5)
