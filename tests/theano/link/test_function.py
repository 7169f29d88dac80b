"""What cannot be compiled runs node by node, and says so; checks are made."""

import numpy as np
import pytest
import scipy.signal
import scipy.sparse
import scipy.special
from graphs import value

import theano
import theano.tensor as T
from theano.link.function import SlowPath
from theano.tensor.opt import Assert

x = T.dvector("x")


@pytest.mark.parametrize("expression, cause", [
    (lambda x: x.nonzero()[0], "Nonzero"),
    (lambda x: x[x > 1], "AdvancedSubtensor"),
    (lambda x: x[:T.argmax(x)], "Subtensor"),
    (lambda x: T.zeros((T.cast(x.sum(), "int64"),)), "Alloc"),
])
def test_shapes_that_depend_on_values_are_announced_and_right(expression, cause):
    value = np.array([0., 1, 3, 2])
    f = theano.function([x], expression(x), name="odd")
    with pytest.warns(SlowPath, match=f"odd is not compiled.*{cause}"):
        result = f(value)
    expected = {"Nonzero": [1, 2, 3], "AdvancedSubtensor": [3, 2], "Subtensor": [0, 1],
                "Alloc": [0] * 6}
    assert result.tolist() == expected[cause]
    assert len(f(np.array([0., 2, 0, 0]))) < len(result)


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_an_op_that_jax_does_not_know_runs_in_numpy():
    @theano.as_op(itypes=[T.dvector], otypes=[T.dvector])
    def doubled(a):
        return a * 2

    f = theano.function([x], doubled(x) + 1)
    with pytest.warns(SlowPath, match="JAX has no version of it"):
        assert f([1., 2.]).tolist() == [3, 5]


def test_checks_in_the_graph():
    f = theano.function([x], Assert("x must be positive")(x, T.all(x > 0)) * 2)
    assert f([1., 2.]).tolist() == [2, 4]
    with pytest.raises(AssertionError, match="x must be positive"):
        f([1., -2.])


@pytest.mark.filterwarnings("ignore::theano.link.function.SlowPath")
@pytest.mark.parametrize("name, x", [("j0", [1., 20]), ("j1", [1., -3]), ("erfcx", [.5, 2])])
def test_functions_that_jax_has_not(name, x):
    v = T.dvector()
    expected = getattr(scipy.special, name)(x)
    np.testing.assert_allclose(value(getattr(T, name)(v), {v: x}), expected)
    if name == "j0":
        slope = T.grad(T.j0(v).sum(), v)
        np.testing.assert_allclose(value(slope, {v: x}), -scipy.special.j1(x))
