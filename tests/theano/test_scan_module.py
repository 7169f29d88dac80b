"""theano.map, theano.reduce, folds, and copies of graphs."""

import numpy as np
import pytest
from graphs import value

import theano
import theano.tensor as T

x = T.dvector("x")


def test_map_reduce_fold():
    squares, _ = theano.map(lambda v: v ** 2, x)
    total, _ = theano.reduce(lambda v, s: s + v, x, T.constant(np.array(0.)))
    left, _ = theano.foldl(lambda v, s: s * 2 + v, x, T.constant(np.array(0.)))
    right, _ = theano.foldr(lambda v, s: s * 2 + v, x, T.constant(np.array(0.)))
    found = theano.function([x], [squares, total, left, right])([1., 2., 3.])
    assert found[0].tolist() == [1, 4, 9]
    assert [float(v) for v in found[1:]] == [6, 11, 17]


def test_a_copy_of_a_shared_variable_shares_its_value():
    """As in the batch normalisation of Lasagne 0.2 in training."""
    mean = theano.shared(np.full(3, 4, "float32"))
    running = theano.clone(mean, share_inputs=False)
    running.default_update = running * np.float32(.5)
    f = theano.function([], running + 0 * mean)
    assert running is not mean and f().tolist() == [4, 4, 4]
    assert mean.get_value().tolist() == [2] * 3
    assert theano.function([], mean + 0)().tolist() == mean.get_value().tolist() == [2, 2, 2]
    mean.set_value(np.ones(3, "float32"))
    assert f().tolist() == [1, 1, 1]
    x = T.vector("x")
    copy, same = theano.clone(x * 2, share_inputs=False), theano.clone(x * 2)
    assert x in theano.gof.graph.inputs([same]) and x not in theano.gof.graph.inputs([copy])


def test_clone_replaces_variables():
    x, y, wide = T.fvector("x"), T.fvector("y"), T.dvector("wide")
    assert value(theano.clone(x * 2, replace={x: y}, strict=False), {y: [3]}) == 6
    assert theano.clone([x * 2], {x: wide}, strict=False)[0].dtype == "float64"
    with pytest.raises(TypeError):
        theano.clone(x * 2, {x: wide})
