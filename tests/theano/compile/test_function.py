"""theano.function."""

import copy
import pickle
import warnings

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.compile import UnusedInputError
from theano.link.function import SlowPath

x, y = T.dvectors("x", "y")


def test_outputs_are_writable_numpy_arrays():
    out, = theano.function([x], [x * 2])([1., 2.])
    assert type(out) is np.ndarray
    out[0] = 5
    f = theano.function([x], x)
    given = np.ones(3)
    returned = f(given)
    returned[:] = 7
    assert (given == 1).all()


def test_outputs_single_list_dict_and_none():
    assert theano.function([x], x.sum())([1., 2.]) == 3
    assert theano.function([x], [x.sum()])([1., 2.]) == [3]
    assert theano.function([x], {"b": x[1], "a": x[0]})([1., 2.]) == {"a": 1, "b": 2}
    count = theano.shared(0)
    assert theano.function([], updates=[(count, count + 1)])() == []
    assert count.get_value() == 1


def test_updates_use_the_old_values():
    a, b = theano.shared(np.array(1.)), theano.shared(np.array(2.))
    swap = theano.function([], [a, b], updates={a: b, b: a})
    assert swap() == [1, 2]
    assert (a.get_value(), b.get_value()) == (2, 1)


def test_an_update_of_another_type_is_an_error():
    count = theano.shared(np.float32(0))
    with pytest.raises(TypeError):
        theano.function([x], updates=[(count, x.sum())])


def test_givens():
    data = theano.shared(np.arange(4.))
    assert theano.function([], x.sum(), givens={x: data})() == 6
    assert theano.function([y], x.sum(), givens=[(x, y * 2)])([1., 2.]) == 6


def test_new_values_may_be_numbers_and_arrays():
    count, rate, total = theano.shared(3), theano.shared(np.float32(1)), theano.shared(np.ones(2))
    theano.function([], updates=[(count, 0), (rate, 0.5), (total, np.zeros(2))])()
    assert count.get_value() == 0 and rate.get_value() == np.float32(0.5)
    assert not total.get_value().any()
    assert theano.function([], x.sum(), updates={count: 4}, givens={x: np.ones(3)})() == 3
    assert count.get_value() == 4


def test_unused_inputs():
    with pytest.raises(UnusedInputError, match="input y is not used"):
        theano.function([x, y], x)
    with pytest.warns(UserWarning, match="input y is not used"):
        theano.function([x, y], x, on_unused_input="warn")
    assert theano.function([x, y], x, on_unused_input="ignore")([1.], [2.]) == [1]
    theano.function([x, y], x, updates=[(theano.shared(0.), y.sum())])
    with pytest.raises(UnusedInputError, match="input x is not used"):
        theano.function([x, y], x, givens={x: y})


def test_inputs_are_held_to_their_types():
    v = T.fvector("v")
    with pytest.raises(TypeError):
        theano.function([v], v)(np.zeros(2))
    f = theano.function([v], v, allow_input_downcast=True)
    assert f(np.zeros(2)).dtype == "float32"
    with pytest.raises(TypeError):
        f(np.zeros((2, 2), "float32"))


def test_default_updates():
    rng = T.shared_randomstreams.RandomStreams(3)
    draw = rng.uniform((2,))
    f, g = theano.function([], draw), theano.function([], draw, no_default_updates=True)
    assert (f() != f()).all()
    assert (g() == g()).all()
    h = theano.function([], draw, no_default_updates=[draw.rng])
    assert (h() == g()).all()


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda f: pickle.loads(pickle.dumps(f))])
def test_copies_and_pickles_after_a_call(copied):
    w, rate = theano.shared(np.ones(2), "w"), theano.shared(0.5)
    step = theano.function([theano.In(x, value=np.ones(2))], {"cost": (w * x).sum()},
                           updates=[(w, w + rate * T.grad((w * x).sum(), w))])
    assert step()["cost"] == 2
    again, value = copied(step), copied(w)
    # The copy has values of its own.
    assert [f()["cost"] for f in (again, again, step)] == [3, 4, 3]
    assert value.get_value().tolist() == [1.5, 1.5]
    value.set_value(np.zeros(2))
    assert theano.function([], value.sum())() == 0 and w.get_value().tolist() == [2, 2]


def test_errors_of_the_graph_are_not_swallowed():
    with warnings.catch_warnings():
        warnings.simplefilter("error", SlowPath)
        with pytest.raises(ValueError, match=r"\(2,\) and \(3,\)"):
            theano.function([x, y], x + y)(np.zeros(2), np.zeros(3))
        m = T.dmatrix("m")
        with pytest.raises((TypeError, ValueError), match="shape"):
            theano.function([m], m.dot(m))(np.zeros((2, 3)))


def test_eval_uses_the_same_mode():
    assert type((T.constant(2.) * 3).eval()) is np.ndarray
    assert (x * 2).eval({x: [1., 2.]}).tolist() == [2, 4]


def test_profile_is_accepted():
    theano.function([x], x * 2, profile=True)([1.])
