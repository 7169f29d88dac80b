"""What is compiled of each Op: values, shapes, dtypes."""

from types import SimpleNamespace

import jax
import numpy as np
import pytest
from graphs import value

import theano
import theano.tensor as T
from theano.link import convert

x, m = T.dvector("x"), T.dmatrix("m")


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


def test_gradients_of_concatenate_and_split(compiled_only, rng):
    T.verify_grad(lambda a: T.concatenate([a, a * 2], axis=1), [rng.rand(2, 3)],
                  rng=rng)
    T.verify_grad(lambda a: T.split(a, [1, 2], 2, axis=1)[1], [rng.rand(2, 3)],
                  rng=rng)


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


def test_sums_and_means_of_float32_are_added_up_in_float64():
    x = theano.shared(np.array([1e8, 1, -1e8], "float32"))
    assert x.sum().eval() == 1 and x.mean().eval() == np.float32(1 / 3)
    grid = theano.shared(np.array([[1e8, 1, -1e8]], "float32"))
    assert grid.sum(axis=1).eval().tolist() == [1]
    factors = theano.shared(np.array([1e30, 1e30, 1e-30], "float32"))
    assert T.prod(factors).eval() == np.float32(1e30)


def test_the_gradient_of_a_product():
    x = T.vector()
    for given, expected in (([1, 2, 3], [6, 3, 2]), ([0, 2, 3], [6, 0, 0]), ([0, 0, 3], [0, 0, 0])):
        assert value(T.grad(T.prod(x), x), {x: given}).tolist() == expected
    m = T.matrix()
    slope = T.grad(T.prod(m, axis=1).sum(), m)
    assert value(slope, {m: [[1, 2], [0, 4]]}).tolist() == [[2, 1], [4, 0]]


def test_functions_of_complex_numbers_and_rounding_stay_compiled(compiled_only):
    x = T.dvector()
    assert value(abs(T.complex(x, x + 1)), {x: [3]}) == 5
    rounded = T.round(x, mode="half_away_from_zero")
    assert value(rounded, {x: [.5, -1.5, 2.4, -.1]}).tolist() == [1, -2, 2, 0]
