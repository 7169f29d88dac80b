"""theano.scan against NumPy loops."""

import numpy as np
import pytest

import theano
import theano.tensor as T
from theano.link.function import SlowPath
from theano.scan_module import until

x, m = T.dvector("x"), T.dmatrix("m")


def test_a_recurrence_and_its_gradient(rng):
    w = np.array([[0.5, -0.2], [0.1, 0.3]])

    def states(values, w):
        h, found = np.zeros(2), []
        for v in values:
            h = np.tanh(v + h @ w)
            found.append(h)
        return np.array(found)

    def symbolic(m):
        found, updates = theano.scan(lambda v, h: T.tanh(v + T.dot(h, w)), sequences=m,
                                     outputs_info=T.zeros(2, dtype="float64"))
        assert not updates
        return found

    values = np.random.RandomState(0).randn(5, 2)
    f = theano.function([m], symbolic(m))
    np.testing.assert_allclose(f(values), states(values, w))
    assert f(values[:3]).shape == (3, 2)
    T.verify_grad(symbolic, [values], rng=rng)


def test_go_backwards_several_taps_and_other_outputs():
    def step(v, before, last, scale):
        return last * scale + before + v, v * 2

    (fib, doubled), _ = theano.scan(
        step, sequences=x, non_sequences=T.constant(np.array(1.)), go_backwards=True,
        outputs_info=[dict(initial=T.constant(np.array([0., 1.])), taps=[-2, -1]), None])
    found = theano.function([x], [fib, doubled])([1., 0., 2.])
    expected, (a, b) = [], (0., 1.)
    for v in (2., 0., 1.):
        a, b = b, b + a + v
        expected.append(b)
    assert found[0].tolist() == expected
    assert found[1].tolist() == [4, 0, 2]


@pytest.mark.parametrize("kept", [1, 3])
def test_the_last_values_of_a_loop_stand_in_order(kept):
    """Only those that are asked for are kept; they are written in a circle."""
    (states, doubled), _ = theano.scan(
        lambda v, third, last: (2 * third + last + v, 2 * v), sequences=x,
        outputs_info=[dict(initial=T.constant(np.array([1., 2., 3.])), taps=[-3, -1]), None])
    f = theano.function([x], [states[-kept:], doubled[-kept:]])
    for steps in range(kept, kept + 5):
        values, expected = np.arange(1., steps + 1), [1., 2., 3.]
        for v in values:
            expected.append(2 * expected[-3] + expected[-1] + v)
        found = f(values)
        assert found[0].tolist() == expected[3:][-kept:]
        assert found[1].tolist() == (2 * values)[-kept:].tolist()


@pytest.mark.parametrize("part", [np.s_[-3:], np.s_[-3:-1]])
def test_the_last_values_of_fewer_steps_are_as_many_as_there_were(part):
    doubled, _ = theano.scan(lambda v: 2 * v, sequences=x)
    f = theano.function([x], doubled[part])
    for count in range(5):
        values = np.arange(1., count + 1)
        assert f(values).tolist() == (2 * values)[part].tolist()


def test_the_last_values_of_loops_of_different_lengths():
    lengths = T.ivector()
    sums, _ = theano.scan(lambda n, x: theano.scan(lambda v: v + 1, x, n_steps=n)[0][-3:].sum(),
                          lengths, non_sequences=x)
    f = theano.function([lengths, x], sums)
    assert f([1, 2, 3, 5], np.arange(5.)).tolist() == [1, 3, 6, 12]


def test_gradient_through_several_taps(rng):
    def series(start):
        found, _ = theano.scan(lambda a, b: a * b + b, n_steps=4,
                               outputs_info=[dict(initial=start, taps=[-2, -1])])
        return found[-1]
    T.verify_grad(series, [np.array([0.5, 0.7])], rng=rng)


def test_truncate_gradient():
    def gradient(steps):
        found, _ = theano.scan(lambda v, s: s * v, sequences=x,
                               outputs_info=T.constant(np.array(1.)), truncate_gradient=steps)
        return theano.function([x], T.grad(found[-1], x))([2., 3., 5.])
    assert gradient(-1).tolist() == [15, 10, 6]
    assert gradient(1).tolist() == [0, 0, 6]


def test_until():
    powers, _ = theano.scan(lambda p: (p * 2, until(p * 2 > 50)),
                            outputs_info=T.constant(np.array(1.)), n_steps=100)
    f = theano.function([], powers)
    assert f().tolist() == [2, 4, 8, 16, 32, 64]
    limit = T.dscalar()
    powers, _ = theano.scan(lambda p, limit: (p * 2, until(p * 2 > limit)), n_steps=100,
                            outputs_info=T.constant(np.array(1.)), non_sequences=limit)
    f = theano.function([limit], powers)
    with pytest.warns(UserWarning, match="Scan"):
        assert f(3.).tolist() == [2, 4]
    assert f(9.).tolist() == [2, 4, 8, 16]


def test_the_number_of_steps_is_an_input():
    k = T.iscalar("k")
    powers, _ = theano.scan(lambda p, a: p * a, outputs_info=T.ones_like(x), non_sequences=x,
                            n_steps=k)
    f = theano.function([x, k], [powers[-1], T.grad(powers[-1].sum(), x)])
    with pytest.warns(UserWarning, match="compiled anew for each value of k"):
        value, gradient = f([1., 2.], 3)
    assert value.tolist() == [1, 8] and gradient.tolist() == [3, 12]
    assert f([1., 2.], 2)[0].tolist() == [1, 4]


@pytest.mark.filterwarnings("ignore::theano.link.function.SlowPath")
def test_until_in_a_loop_over_rows():
    """Vectors known before the call stay with NumPy's code; rows do not."""
    k = T.iscalar("k")
    (sums, doubled), _ = theano.scan(
        lambda v, before, last: ([before + last + v, 2 * v], until(v[0] < 0)), sequences=m,
        outputs_info=[dict(initial=T.constant(np.array([[0., 0.], [1., 2.]])), taps=[-2, -1]),
                      None], n_steps=k)
    f = theano.function([m, k], [sums, doubled])
    for third, steps in ((-1., 4), (1., 4), (1., 2), (1., 3)):
        values, expected = np.array([[1., 1.], [2., 0.], [third, 3.], [5., 5.]]), [[0, 0], [1, 2]]
        for v in values[:3 if third < 0 else steps]:
            expected.append(np.add(expected[-2], expected[-1]) + v)
        found = f(values, steps)
        np.testing.assert_array_equal(found[0], expected[2:])
        np.testing.assert_array_equal(found[1], 2 * values[:len(expected) - 2])


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_steps_that_see_values():
    numbers = theano.shared(np.array([1., 2, 3]))
    parts, _ = theano.scan(lambda k, v: v[:k].sum(), T.arange(numbers.shape[0]),
                           non_sequences=numbers)
    f = theano.function([], [parts, T.grad(parts.sum(), numbers)])
    with pytest.warns(SlowPath, match="not compiled.*Subtensor"):
        found = f()
    assert found[0].tolist() == [0, 1, 3] and found[1].tolist() == [2, 1, 0]

    @theano.as_op(itypes=[T.dscalar], otypes=[T.dscalar])
    def doubled(v):
        return np.asarray(2 * v)

    sums, _ = theano.scan(lambda v, total: (total + doubled(v), until(total > 5)), x,
                          T.constant(np.array(0.)))
    f = theano.function([x], sums)
    with pytest.warns(SlowPath, match="JAX has no version"):
        assert f([1., 2, 3, 4]).tolist() == [2, 6, 12]
    assert f([]).tolist() == []


def test_no_steps():
    doubled, _ = theano.scan(lambda v: v * 2, m)
    product, _ = theano.scan(lambda v, p: v.sum() * p, m, T.constant(np.array(1.)))
    f = theano.function([m], [doubled, product, T.grad(doubled.sum() + product.sum(), m)])
    assert [found.shape for found in f(np.zeros((0, 2)))] == [(0, 2), (0,), (0, 2)]
    assert f(np.ones((2, 2)))[1].tolist() == [2, 4]


def test_more_steps_than_the_sequence_has():
    doubled, _ = theano.scan(lambda v: v * 2, sequences=x, n_steps=3)
    f = theano.function([x], doubled)
    assert f([1., 2., 3., 4.]).tolist() == [2, 4, 6]
    with pytest.raises(ValueError, match="3 steps, but sequences of length 2"):
        f([1., 2.])


def test_random_numbers_inside_a_loop_are_new_at_each_step_and_call():
    rng = T.shared_randomstreams.RandomStreams(1)
    draws, updates = theano.scan(lambda: rng.uniform((2,)), n_steps=3)
    f = theano.function([], draws, updates=updates)
    first, second = f(), f()
    assert len(np.unique(first)) == 6
    assert (first != second).all()
