"""theano.function and theano.shared."""

import copy
import pickle
import warnings

import jax
import numpy as np
import pytest
from pytensor.compile.debug.debugmode import DebugMode

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


def test_shared_values_stay_on_the_device_and_are_not_disturbed():
    w = theano.shared(np.zeros(3))
    step = theano.function([], updates=[(w, w + 1)])
    before = w.get_value()
    step()
    assert isinstance(w.get_value(return_internal_type=True), jax.Array)
    assert (before == 0).all()
    seen = w.get_value(borrow=True)
    seen[:] = 9
    step()
    assert (w.get_value() == 2).all()
    mine = np.full(3, 5.)
    w.set_value(mine, borrow=True)
    mine[:] = 0
    step()
    assert (w.get_value() == 6).all()


def test_shared_values_keep_their_dtype():
    rate = theano.shared(np.float32(0.1))
    rate.set_value(0.5)
    assert rate.get_value().dtype == "float32" and rate.get_value() == 0.5
    with pytest.raises(TypeError, match="float32"):
        rate.set_value(np.zeros(2))
    with pytest.raises(TypeError, match="symbolic"):
        theano.shared(x)


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


def test_inputs_with_default_values():
    f = theano.function([x, theano.In(y, value=np.ones(2)), theano.Param(T.dscalar("z"), 3.)],
                        x + y, on_unused_input="ignore")
    assert f([1., 2.]).tolist() == [2, 3]
    assert f([1., 2.], [5., 5.]).tolist() == f([1., 2.], y=[5., 5.]).tolist() == [6, 7]
    with pytest.raises(TypeError):
        f()


def test_inputs_with_updates_are_kept_by_the_function():
    total, more = T.fscalar("total"), T.fscalar("more")
    f, g = (theano.function([more, theano.In(total, value=0., update=total + more)], total)
            for _ in range(2))
    assert [f(1), f(2), f(3), g(5), g(5)] == [0, 1, 3, 0, 5]
    with pytest.raises(TypeError):
        f(1, 2)
    with pytest.raises(TypeError, match="total has an update but no value"):
        theano.In(total, update=total + 1)


def test_default_updates():
    rng = T.shared_randomstreams.RandomStreams(3)
    draw = rng.uniform((2,))
    f, g = theano.function([], draw), theano.function([], draw, no_default_updates=True)
    assert (f() != f()).all()
    assert (g() == g()).all()
    h = theano.function([], draw, no_default_updates=[draw.rng])
    assert (h() == g()).all()


def test_many_updates_are_compiled_together():
    """More updates than `moves.WORTHWHILE`: the formulas leave the main part."""
    rng = np.random.RandomState(0)
    weights = [theano.shared(rng.randn(2 + k % 3)) for k in range(130)]
    speeds = [theano.shared(np.zeros(2 + k % 3)) for k in range(130)]
    rate = theano.shared(0.1)
    cost = sum((w ** 2).sum() for w in weights)
    updates = []
    for w, v, g in zip(weights, speeds, T.grad(cost, weights), strict=True):
        updates += [(v, 0.5 * v - rate * g), (w, w + 0.5 * v - rate * g)]
    expected = [w.get_value() for w in weights]
    momentum = [np.zeros_like(w) for w in expected]
    step = theano.function([], cost, updates=updates)
    for _ in range(3):
        assert np.isclose(step(), sum((w ** 2).sum() for w in expected))
        pairs = list(zip(momentum, expected, strict=True))
        momentum = [0.5 * v - 0.1 * 2 * w for v, w in pairs]
        expected = [w + 0.5 * v - 0.1 * 2 * w for v, w in pairs]
    for w, e in zip(weights, expected, strict=True):
        np.testing.assert_allclose(w.get_value(), e)


def test_a_shared_variable_may_change_its_shape():
    w = theano.shared(np.zeros(3))
    f = theano.function([], w.sum(), updates=[(w, w + 1)])
    f()
    w.set_value(np.ones(5))
    assert f() == 5 and f() == 10


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


@pytest.mark.parametrize("mode", ["FAST_RUN", "FAST_COMPILE", "JAX", None])
def test_modes(mode):
    value = np.array([0.5, 2.])
    f = theano.function([x], T.grad(T.log(T.nnet.sigmoid(x)).sum(), x), mode=mode)
    np.testing.assert_allclose(f(value), 1 / (1 + np.exp(value)), rtol=1e-6)


@pytest.mark.filterwarnings("ignore")
def test_debug_mode_is_pytensors(monkeypatch):
    monkeypatch.setattr(DebugMode, "check_c_code", False)   # as where there is no C compiler
    f = theano.function([x], T.exp(x) * 2, mode="DebugMode")
    np.testing.assert_allclose(f([0., 1.]), [2, 2 * np.e])
    with pytest.raises(ValueError, match="FAST_WALK"):
        theano.function([x], x, mode="FAST_WALK")


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


def test_monitor_mode_shows_each_node():
    seen = []
    mode = theano.compile.MonitorMode(
        post_func=lambda fgraph, i, node, run: seen.append(run.outputs[0][0]))
    assert theano.function([x], x.sum(), mode=mode)([1., 2.]) == 3 and seen == [3]


def test_names_that_scripts_import():
    from theano.compat.python2x import OrderedDict
    from theano.compile.nanguardmode import NanGuardMode
    from theano.compile.ops import as_op
    from theano.gof.utils import hash_from_code
    assert as_op is theano.as_op and hash_from_code is theano.gof.hash_from_code
    assert not theano.sandbox.cuda.cuda_enabled
    assert theano.__version__ == "1.0.5"
    assert theano.compile.get_default_mode() is theano.compile.FAST_RUN
    a, b = theano.dot(x, y), theano.clone(x.sum(), OrderedDict([(x, 2 * x)]))
    assert theano.function([x, y], [a, b])([1., 2.], [3., 4.]) == [11, 6]
    assert theano.function([x], x.sum(), mode=NanGuardMode(nan_is_error=True))([1., 2.]) == 3
    with pytest.raises(AssertionError, match="NaN"):
        theano.function([x], T.log(x).sum(), mode=NanGuardMode(nan_is_error=True))([-1., 2.])


def test_the_gradient_of_an_op_from_a_graph_may_be_replaced():
    """As in Lasagne's recipe for guided backpropagation."""
    inner, weights = T.dvector(), T.constant([1., -1., 1.])
    rectify = theano.OpFromGraph([inner], [T.nnet.relu(inner)])
    slope = theano.function([x], T.grad((rectify(x) * weights).sum(), x))
    assert slope([1., 2., -1.]).tolist() == [1, -1, 0]
    guided = theano.OpFromGraph([inner], [T.nnet.relu(inner)])
    guided.grad = lambda inputs, gradients: (gradients[0] * (inputs[0] > 0) * (gradients[0] > 0),)
    slope = theano.function([x], T.grad((guided(x) * weights).sum(), x))
    assert slope([1., 2., -1.]).tolist() == [1, 0, 0]
    sevenfold = theano.OpFromGraph(
        [inner], [inner], grad_overrides=lambda inputs, gradients: [7 * gradients[0]])
    assert theano.function([x], T.grad(sevenfold(x).sum(), x))([1.]).tolist() == [7]
    scaled = theano.OpFromGraph([inner], [inner * theano.shared(3.)])
    scaled.grad = lambda inputs, gradients: [inputs[0] * gradients[0]]
    assert theano.function([x], [scaled(x), T.grad(scaled(x).sum(), x)])([2.]) == [6, 2]


def test_an_op_from_a_graph_is_compiled_as_any_graph():
    inner, images, scores = T.dtensor4(), T.dtensor4(), T.dmatrix()
    filters = theano.shared(np.ones((3, 1, 2, 2)))
    op = theano.OpFromGraph([inner], [T.nnet.conv2d(inner, filters).flatten(2)])
    f = theano.function([images], [op(images), T.grad(op(images).sum(), filters)])
    found, slope = f(np.ones((2, 1, 4, 4)))
    assert found.tolist() == [[4] * 27] * 2 and slope.shape == (3, 1, 2, 2)
    op = theano.OpFromGraph([scores], [T.log(T.nnet.softmax(scores))])
    z = T.dmatrix()
    found, slope = theano.function([z], [op(z), T.grad(op(z)[:, 0].sum(), z)])([[0., 900.]])
    assert found.tolist() == [[-900, 0]] and slope.tolist() == [[1, -1]]
