"""theano.ifelse."""

import pytest

import theano
import theano.tensor as T
from theano.ifelse import ifelse
from theano.link.function import SlowPath


def test_ifelse():
    z = T.dscalar()
    f = theano.function([z], theano.ifelse.ifelse(z > 0, z * 2, z - 1))
    assert f(3.) == 6 and f(-3.) == -4
    gradient = theano.function([z], T.grad(theano.ifelse.ifelse(z > 0, z * 2, z - 1), z))
    assert gradient(3.) == 2 and gradient(-3.) == 1


def test_ifelse_of_different_shapes():
    z = T.dvector()
    f = theano.function([z], theano.ifelse.ifelse(z[0] > 0, z, z[1:]))
    with pytest.warns(SlowPath, match="not compiled"):
        assert f([1., 2.]).tolist() == [1, 2]
    assert f([-1., 2.]).tolist() == [2]


@pytest.mark.filterwarnings("ignore::theano.link.function.SlowPath")
def test_ifelse_of_any_values():
    x, y, c = theano.generic(), theano.generic(), T.iscalar()
    f = theano.function([c, x, y], ifelse(c, x, y))
    assert f(1, "a", "b") == "a" and f(0, "a", {"b": 2}) == {"b": 2}
    v = T.vector()
    f = theano.function([c, x, v], [ifelse(c, v * 2, v), x])
    assert f(0, None, [1.])[0].tolist() == [1] and f(1, "kept", [1.])[1] == "kept"
