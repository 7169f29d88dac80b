"""The linker: shapes, slow paths, indexing, checks, dtypes."""

import warnings
from types import SimpleNamespace

import jax
import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.link import convert, xla
from theano.link.function import SlowPath
from theano.tensor.opt import Assert

x, m = T.dvector("x"), T.dmatrix("m")
i, n = T.lscalar("i"), T.iscalar("n")


@pytest.fixture
def compiled_only():
    """Every slow path is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SlowPath)
        yield


@pytest.mark.parametrize("expression, expected", [
    (lambda m: T.zeros((m.shape[0], 2)), lambda m: np.zeros((3, 2))),
    (lambda m: T.zeros_like(m) + m.shape[1], lambda m: np.full((3, 4), 4.)),
    (lambda m: T.arange(m.shape[0]), lambda m: np.arange(3)),
    (lambda m: T.arange(m.shape[0] * 2) % 2, lambda m: np.arange(6) % 2),
    (lambda m: m.reshape((m.shape[0] * 2, m.shape[1] // 2)), lambda m: m.reshape(6, 2)),
    (lambda m: m.reshape((-1,)), lambda m: m.ravel()),
    (lambda m: m.flatten(2), lambda m: m),
    (lambda m: m[:m.shape[0] // 2 + 1, ::-1], lambda m: m[:2, ::-1]),
    (lambda m: m[T.arange(3), [0, 2, 1]], lambda m: m[np.arange(3), [0, 2, 1]]),
    (lambda m: T.tile(m, (2, 1)), lambda m: np.tile(m, (2, 1))),
    (lambda m: T.repeat(m, 2, axis=1), lambda m: np.repeat(m, 2, 1)),
    (lambda m: T.eye(m.shape[0]), lambda m: np.eye(3)),
    (lambda m: T.concatenate([m, m[:1]]), lambda m: np.concatenate([m, m[:1]])),
    (lambda m: T.stack([m, m], axis=1), lambda m: np.stack([m, m], 1)),
    (lambda m: T.split(m, [1, 2], 2)[1], lambda m: m[1:]),
    (lambda m: T.set_subtensor(m[1:, 0], 5.), lambda m: np.r_[m[:1], np.c_[[5., 5.], m[1:, 1:]]]),
    (lambda m: T.inc_subtensor(T.zeros_like(m)[[0, 0, 1]], m).sum(), lambda m: m.sum()),
    (lambda m: T.inc_subtensor(m[-1], m[0]), lambda m: np.r_[m[:2], m[2:] + m[:1]]),
    (lambda m: T.inc_subtensor(m[::-1, 1:3], 2 * m[:, :2]),
     lambda m: m + 2 * np.pad(m[::-1, :2], [(0, 0), (1, 1)])),
    (lambda m: T.inc_subtensor(m[::2], 1.), lambda m: m + [[1], [0], [1]]),
    (lambda m: T.inc_subtensor(m[1:1], 1.), lambda m: m),
    # XLA ends the process at this one, written as a scatter
    (lambda m: T.inc_subtensor(T.zeros_like(m)[:], m)[::-1], lambda m: m[::-1]),
    (lambda m: T.ones((m.shape[0],), dtype="int8").sum(), lambda m: 3),
    (lambda m: m.dimshuffle(1, "x", 0), lambda m: m.T[:, None]),
    (lambda m: T.as_tensor_variable([m.shape[0], 7]), lambda m: np.array([3, 7])),
    (lambda m: T.switch(m > 5, m, 0), lambda m: np.where(m > 5, m, 0)),
    (lambda m: T.argsort(m, axis=0), lambda m: np.argsort(m, axis=0)),
    (lambda m: T.cumsum(m, axis=1), lambda m: np.cumsum(m, 1)),
    (lambda m: T.nlinalg.det(m[:, :3] + T.eye(3)), lambda m: np.linalg.det(m[:, :3] + np.eye(3))),
])
def test_shapes_are_known_while_compiling(expression, expected, compiled_only):
    value = np.arange(12.).reshape(3, 4)
    result = theano.function([m], expression(m))(value)
    wanted = expected(value)
    assert result.shape == np.shape(wanted)
    np.testing.assert_allclose(result, wanted)


def test_gradients_of_concatenate_and_split(compiled_only):
    T.verify_grad(lambda a: T.concatenate([a, a * 2], axis=1), [np.random.rand(2, 3)],
                  rng=np.random)
    T.verify_grad(lambda a: T.split(a, [1, 2], 2, axis=1)[1], [np.random.rand(2, 3)],
                  rng=np.random)


def test_minibatches_are_sliced_before_the_compiled_part(compiled_only):
    data = np.arange(44.).reshape(11, 4)
    images, labels = theano.shared(data), theano.shared(np.arange(11.))
    y = T.ivector("y")
    f = theano.function([i], [m.sum(), y.sum()], givens={
        m: images[i * 3:(i + 1) * 3], y: T.cast(labels, "int32")[i * 3:(i + 1) * 3]})
    for k in range(4):
        assert f(k)[0] == data[k * 3:k * 3 + 3].sum()
        assert f(k)[1] == np.arange(11)[k * 3:k * 3 + 3].sum()
    images.set_value(data + 1)
    assert f(0)[0] == data[:3].sum() + 12


def test_an_integer_input_as_a_size():
    f = theano.function([n], T.zeros((n, 2)) + n, name="by_size")
    with pytest.warns(SlowPath, match="by_size is compiled anew for each value of n"):
        assert f(2).tolist() == [[2, 2]] * 2
    assert f(3).shape == (3, 2)


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


@pytest.mark.parametrize("expression, index", [
    (lambda x, i: x[7], 0), (lambda x, i: x[[0, 3]], 0),
    (lambda x, i: T.set_subtensor(x[-4], 5), 0),
    (lambda x, i: x[i], 3), (lambda x, i: x[T.stack([i, 0])], -4),
    (lambda x, i: T.inc_subtensor(x[i], 1), 3)])
def test_indices_out_of_bounds(expression, index):
    f = theano.function([x, i], expression(x, i), on_unused_input="ignore")
    with pytest.raises(IndexError, match="out of bounds"):
        f([1., 2., 3.], index)
    assert f(np.arange(8.), index).size


def test_labels_out_of_bounds_change_nothing():
    labels, w = T.ivector("labels"), theano.shared(np.zeros(3))
    loss = T.nnet.categorical_crossentropy(T.nnet.softmax(m + w), labels).sum()
    step = theano.function([m, labels], loss, updates=[(w, w - T.grad(loss, w))])
    with pytest.raises(IndexError, match="out of bounds"):
        step(np.zeros((2, 3)), [1, 3])
    assert not w.get_value().any()
    np.testing.assert_allclose(step(np.zeros((2, 3)), [1, 2]), 2 * np.log(3))
    assert w.get_value().any()


def test_an_index_in_the_branch_that_is_not_taken():
    chosen = theano.ifelse.ifelse(i < x.shape[0], x[i], T.constant(np.array(0.)))
    f = theano.function([x, i], chosen)
    assert f([1., 2.], 1) == 2 and f([1., 2.], 2) == 0


def test_print_shows_values(capsys):
    f = theano.function([x], theano.printing.Print("x is")(x) * 2)
    assert f([1., 2.]).tolist() == [2, 4]
    assert "x is __str__ = [1. 2.]" in capsys.readouterr().out


@pytest.mark.parametrize("a, b", [("int64", "float32"), ("int32", "float32"), ("int8", "float32"),
                                  ("float32", "float64"), ("int64", "int32"), ("uint8", "int8")])
def test_dtypes_are_those_of_the_graph_and_exact(a, b):
    u, v = T.vector("u", a), T.vector("v", b)
    values = np.array([3, 100]).astype(a), np.array([7, 2]).astype(b)
    for expression in (u + v, u * v, T.maximum(u, v), T.sqrt(u), u.mean(), u.sum(), T.eq(u, v),
                       T.argmax(u), T.true_div(u, v), T.exp(v)):
        result = theano.function([u, v], expression, on_unused_input="ignore")(*values)
        assert result.dtype == expression.dtype
    wide = theano.function([u, v], u + v)(np.array([2**24 + 1]).astype(a), np.zeros(1, b))
    assert wide[0] == np.array([2**24 + 1]).astype(a)[0]


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "int64"])
def test_integers_become_floats_of_the_graphs_width(dtype):
    u = T.vector("u", dtype)
    values = np.array([1, 3, 7], dtype)
    for expression, numpy in (
            (u / 3, lambda v: v / 3), (T.log(u), np.log), (T.exp(u), np.exp), (T.sqrt(u), np.sqrt),
            (T.nnet.sigmoid(u), lambda v: 1 / (1 + np.exp(-v))), (u ** 0.5, lambda v: v ** 0.5)):
        wide = values.astype(expression.dtype)
        found = theano.function([u], expression)(values)
        np.testing.assert_allclose(found, numpy(wide), rtol=4 * np.finfo(wide.dtype).eps)
    chosen = T.switch(T.eq(u, 3), T.constant(2**24 + 1, dtype="int32"),
                      T.constant(0., dtype="float32"))
    assert theano.function([u], chosen)(values)[1] == 2**24 + 1


def test_only_declared_dimensions_broadcast():
    row = T.drow("r")
    assert theano.function([row, m], row + m)(np.ones((1, 3)), np.ones((2, 3))).sum() == 12
    k = T.dmatrix("k")
    with pytest.raises(ValueError, match="[Bb]roadcast"):
        theano.function([k, m], k + m)(np.ones((1, 3)), np.ones((2, 3)))


def test_nan_comes_through():
    value = np.array([1., np.nan, 3.])
    for expression in (x.max(), x.sum(), T.maximum(x, 2.)[1], T.nnet.relu(x)[1],
                       T.nnet.softmax(x)[0, 0], T.clip(x, 0, 1)[1]):
        assert np.isnan(theano.function([x], expression)(value))


def test_an_empty_batch():
    out = T.nnet.softmax(m.dot(np.ones((4, 2)))).sum(axis=1)
    assert theano.function([m], out)(np.zeros((0, 4))).shape == (0,)


@pytest.mark.parametrize("reduced, dtype, value, expected", [
    (lambda v: v.sum(dtype="float64"), "float32", [2**24, 1], 2**24 + 1),
    (lambda v: T.mean(v, dtype="float64"), "float32", [2**24, 1], 2**23 + 0.5),
    (lambda v: T.prod(v, dtype="float64"), "float32", [1e30, 1e30],
     np.prod(np.full(2, 1e30, "float32"), dtype="float64")),
    (lambda v: v.mean(), "float16", [100] * 1000, 100),
    (lambda v: v.sum(), "int8", [100] * 300, 30000),
    (lambda v: v.max(), "float16", [1, 3, 2], 3),
])
def test_sums_are_added_up_in_the_wider_dtype(reduced, dtype, value, expected):
    v = T.vector(dtype=dtype)
    result = theano.function([v], reduced(v))(np.array(value, dtype))
    assert result == expected and result.dtype == reduced(v).dtype


@pytest.mark.parametrize("shape, axis", [((5,), None), ((70000,), 0), ((40, 17, 300), None),
                                         ((40, 17, 300), (0, 2)), ((3, 50, 700), 1),
                                         ((16, 5000), 0)])
def test_float32_is_added_up_in_float64(shape, axis):
    v = T.tensor("float32", (False,) * len(shape))
    values = np.random.RandomState(0).randn(*shape).astype("float32")
    values.flat[0], values.flat[-1] = 1e8, -1e8
    total, mean = theano.function([v], [v.sum(axis), v.mean(axis)])(values)
    expected = values.astype("float64").sum(axis)
    assert total.dtype == mean.dtype == "float32"
    np.testing.assert_allclose(total, expected, rtol=2e-7, atol=1e-6)
    np.testing.assert_allclose(mean, expected / (values.size / expected.size), rtol=3e-7, atol=1e-7)


def test_a_gpu_adds_up_float32_in_float32(monkeypatch):
    monkeypatch.setattr(convert.device, "in_use", lambda: SimpleNamespace(platform="gpu"))
    v = T.fvector()
    run = theano.function([v], v.sum()).vm.jit_fn.program
    assert "3xf64" not in jax.jit(run).lower(np.ones(3, "float32")).as_text()


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
