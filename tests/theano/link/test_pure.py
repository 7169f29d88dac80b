import jax
import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.link.pure import pure


def counter():
    """A function that adds up its inputs, weighted, in shared variables."""
    x = T.vector("x")
    total, calls = theano.shared(np.zeros(3, x.dtype), "total"), theano.shared(0, "calls")
    weight = theano.shared(np.asarray(2, x.dtype), "weight")
    updates = [(total, total + weight * x), (calls, calls + 1)]
    f = theano.function([x], [(weight * x).sum()], updates=updates)
    return f, total, calls, weight


def test_values_go_in_and_come_out():
    f, total, calls, weight = counter()
    call, shared = pure(f)
    assert set(shared) == {total, calls, weight}
    values = [v.get_value() for v in shared]

    def step(values, x):
        outputs, values = call([x], values)
        return values, outputs

    xs = np.arange(12, dtype=total.dtype).reshape(4, 3)
    new, [sums] = jax.jit(lambda values: jax.lax.scan(step, values, xs))(values)
    np.testing.assert_allclose(sums, 2 * xs.sum(axis=1))
    found = dict(zip(shared, new, strict=True))
    np.testing.assert_allclose(found[total], 2 * xs.sum(axis=0))
    assert found[calls] == 4 and found[weight] == 2
    np.testing.assert_array_equal(total.get_value(), 0)     # untouched


def test_many_updates_by_formula_are_part_of_it():
    x = T.scalar("x")
    many = [theano.shared(np.full(2, k, x.dtype)) for k in range(150)]
    f = theano.function([x], [], updates=[(v, v - x * v) for v in many])
    call, shared = pure(f)
    _, new = jax.jit(call)([np.asarray(0.5, x.dtype)], [v.get_value() for v in shared])
    for v, value in zip(shared, new, strict=True):
        np.testing.assert_allclose(value, 0.5 * v.get_value())


def test_a_slice_that_a_call_has_taken_out_is_part_of_it():
    data, start = theano.shared(np.arange(9.)), T.iscalar("start")
    f = theano.function([start], data[start:start + 2].sum())
    assert f(3) == 7
    call, _ = pure(f)
    assert call([np.int32(4)], [data.get_value()])[0] == [9]
    with pytest.raises(NotImplementedError, match="cannot be part of another program: Subtensor"):
        jax.jit(call)([np.int32(4)], [data.get_value()])


def test_what_is_not_compiled_whole_is_refused():
    x = T.vector("x")
    call, _ = pure(theano.function([x], x[x.nonzero()]))
    with pytest.raises(NotImplementedError, match="cannot be part of another program: Nonzero"):
        jax.jit(call)([np.ones(2, x.dtype)], [])
