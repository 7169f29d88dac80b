"""Settings changed for a while."""

import theano
import theano.tensor as T

floatX = theano.config.floatX


def test_settings_changed_for_a_while():
    with theano.change_flags(floatX="float64", on_unused_input="ignore"):
        assert T.scalar().dtype == "float64" == theano.config.floatX
        with theano.config.change_flags({"warn.round": True}, mode="FAST_COMPILE"):
            assert theano.config.warn.round and theano.config.mode == "FAST_COMPILE"
    assert theano.config.floatX == floatX
    assert theano.config.mode == "FAST_RUN" and theano.config.warn.round is False

    @theano.configparser.change_flags(floatX="float16")
    def dtype():
        return T.vector().dtype

    assert dtype() == dtype() == "float16" and T.vector().dtype == floatX
