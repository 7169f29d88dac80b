"""Random streams: distributions, seeds, updates."""

import numpy as np
import pytest
from graphs import value

import theano
import theano.tensor as T
from theano.sandbox.rng_mrg import MRG_RandomStreams
from theano.tensor.shared_randomstreams import RandomStreams

COUNT = 20000


@pytest.fixture(params=[MRG_RandomStreams, RandomStreams])
def stream(request):
    return request.param(7)


@pytest.mark.parametrize("draw, mean, std", [
    (lambda s: s.uniform((COUNT,)), 0.5, np.sqrt(1 / 12)),
    (lambda s: s.uniform((COUNT,), low=-1, high=3), 1, np.sqrt(16 / 12)),
    (lambda s: s.normal((COUNT,), avg=2., std=0.5), 2, 0.5),
    (lambda s: s.truncated_normal((COUNT,)), 0, 1),
    (lambda s: s.truncated_normal((COUNT,), avg=-1, std=2), -1, 2),
    (lambda s: s.normal((COUNT,), std=2., truncate=True), 0, 2 * 0.8796),
    (lambda s: s.binomial((COUNT,), p=0.3), 0.3, np.sqrt(0.21)),
    (lambda s: s.binomial((COUNT,), n=5, p=0.3), 1.5, np.sqrt(1.05)),
    (lambda s: s.random_integers((COUNT,), 1, 6), 3.5, np.sqrt(35 / 12)),
    (lambda s: s.choice(COUNT, p=[0.2, 0.3, 0.5]), 1.3, np.sqrt(0.61)),
])
def test_distributions(stream, draw, mean, std):
    values = theano.function([], draw(stream))()
    assert values.shape == (COUNT,)
    assert abs(values.mean() - mean) < 5 * std / np.sqrt(COUNT)
    assert abs(values.std() - std) < 0.03 * std


def test_dtypes(stream):
    assert theano.function([], stream.uniform((2,), dtype="float32"))().dtype == "float32"
    assert theano.function([], stream.normal((2,)))().dtype == theano.config.floatX
    assert stream.truncated_normal((2,)).dtype == theano.config.floatX
    assert theano.function([], stream.binomial((2,), p=0.5))().dtype == "int64"
    assert theano.function([], stream.binomial((2,), p=0.5, dtype="int8"))().dtype == "int8"


def test_uniform_is_never_0(stream):
    """float16 has 1,024 steps from 0 to 1: the least one is drawn as often as any other."""
    values = theano.function([], stream.uniform((COUNT,), dtype="float16"))()
    assert 0 < values.min() < 0.001 and values.max() < 1


def test_multinomial(stream):
    p = np.array([[0.1, 0.2, 0.7], [1., 0, 0]])
    counts = theano.function([], stream.multinomial(pvals=p, n=1000))()
    assert counts.shape == (2, 3) and (counts.sum(1) == 1000).all()
    assert counts[1].tolist() == [1000, 0, 0]
    assert abs(counts[0] - 1000 * p[0]).max() < 80
    assert theano.function([], stream.multinomial((4,), pvals=[0.5, 0.5]))().shape == (4, 2)


def test_choice_without_replacement(stream):
    drawn = theano.function([], stream.choice(3, p=[[0.1, 0.2, 0.3, 0.4]] * 5, replace=False))()
    assert drawn.shape == (5, 3) and all(len(set(row)) == 3 for row in drawn)
    with pytest.raises(ValueError, match="4 of 3 classes without replacement"):
        theano.function([], stream.choice(4, a=3, replace=False))()
    if isinstance(stream, MRG_RandomStreams):       # the other chooses of two
        with pytest.raises(TypeError, match="choice: give a"):
            stream.choice(3)


def test_choice_of_a_shape_and_of_elements(stream):
    many, one, tens = theano.function([], [stream.choice((20, 30), a=5), stream.choice(None, a=5),
                                           stream.choice(20, a=[10, 20])])()
    assert many.shape == (20, 30) and set(many.ravel()) == set(range(5))
    assert one.shape == () and set(tens) == {10, 20}
    with pytest.raises(ValueError, match=r"size=\(2, 3\) for several rows"):
        stream.choice((2, 3), p=[[0.5, 0.5]] * 4)


def test_without_a_size_the_parameters_give_the_shape(stream):
    column, row = np.zeros((2, 1)), T.vector("row")
    draws = [stream.normal(avg=column, std=row), stream.uniform(high=row),
             stream.truncated_normal(avg=row), stream.binomial(p=0.5 + 0 * row, n=1000),
             stream.random_integers(high=10**6 + 0 * row), stream.uniform()]
    values = theano.function([row], draws)(np.ones(3, row.dtype))
    assert [v.shape for v in values] == [(2, 3), (3,), (3,), (3,), (3,), ()]
    assert all(len(set(v.ravel())) > 1 for v in values[:-1])
    assert draws[0].broadcastable == (False, False)


def test_what_streams_without_a_seed_draw():
    def first(stream):
        return theano.function([], stream.uniform((3,)))().tolist()

    assert first(RandomStreams()) != first(RandomStreams())
    assert first(MRG_RandomStreams()) == first(MRG_RandomStreams(12345))


def test_permutations(stream):
    drawn = theano.function([], stream.permutation((3,), n=6))()
    assert [sorted(row) for row in drawn] == [list(range(6))] * 3
    rows = np.arange(8.).reshape(2, 4)
    mixed = theano.function([], stream.shuffle_row_elements(T.constant(rows)))()
    np.testing.assert_array_equal(np.sort(mixed), rows)


def test_symbolic_sizes(stream):
    x = T.matrix("x")
    f = theano.function([x], stream.normal(x.shape, dtype=theano.config.floatX))
    assert f(np.zeros((2, 3), theano.config.floatX)).shape == (2, 3)
    g = theano.function([x], stream.uniform((x.shape[0], 4)))
    assert g(np.zeros((2, 3), theano.config.floatX)).shape == (2, 4)
    assert stream.uniform((1, x.shape[0])).broadcastable == (True, False)


def test_seeds_give_the_same_numbers_again(stream):
    draws = [stream.uniform((3,)), stream.uniform((3,))]
    f = theano.function([], draws)
    first = f()
    assert (first[0] != first[1]).all()
    assert (f()[0] != first[0]).all()
    again = type(stream)(7)
    np.testing.assert_array_equal(theano.function([], again.uniform((3,)))(), first[0])
    stream.seed(7)
    np.testing.assert_array_equal(f(), first)
    stream.seed(8)
    assert (f()[0] != first[0]).all()


def test_states_can_be_kept_and_put_back(stream):
    draw = stream.uniform((3,))
    f = theano.function([], draw)
    (state, _), = stream.updates()
    kept = state.get_value()
    first = f()
    state.set_value(kept)
    np.testing.assert_array_equal(f(), first)


@pytest.mark.parametrize("streams", [RandomStreams, MRG_RandomStreams])
def test_settings_and_distributions_of_streams(streams):
    cut = value(streams(1).normal((10000,), truncate=True, nstreams=5, target="gpu"))
    assert abs(cut.std() - .8796) < .02 and abs(cut).max() <= 2
    assert value(streams(1).normal((10,), avg=5, std=0, truncate=True)).tolist() == [5] * 10
    assert value(streams(1).uniform((3,), nstreams=2, target=None)).shape == (3,)
    counts = value(streams(1).poisson(size=(10000,), lam=2.))
    assert counts.dtype == "int64" and abs(counts.mean() - 2) < .1 and abs(counts.var() - 2) < .2
    means = value(streams(1).poisson(lam=np.array([0, 400.])))
    assert means[0] == 0 and 300 < means[1] < 500
    halves = RandomStreams(2)
    assert set(value(halves.choice((99,))).tolist()) == {0, 1}
    assert value(halves.choice()).shape == ()
    assert value(halves.multinomial((50,), n=9)).sum(axis=1).tolist() == [9] * 50
