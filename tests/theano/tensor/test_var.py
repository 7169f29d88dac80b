"""Variables as Theano's programs see them."""

import numpy as np
import pytest
from graphs import value

import theano
import theano.tensor as T


def test_shared_variables_and_constants_are_no_tensor_variables():
    assert isinstance(T.vector(), T.TensorVariable)
    assert isinstance(T.vector() * 2, T.TensorVariable)
    assert not isinstance(theano.shared(np.zeros(2)), T.TensorVariable)
    assert not isinstance(T.constant(1.), T.TensorVariable)
    assert isinstance(T.constant(1.), T.TensorConstant)
    assert isinstance(theano.shared(1.), T.sharedvar.TensorSharedVariable)
    assert all(isinstance(v, theano.Variable) for v in (T.vector(), theano.shared(1.)))
    assert theano.Variable(T.dvector).type == T.dvector


def test_every_variable_is_there_but_a_comparison_is_undecided():
    v = T.vector()
    assert all(map(bool, (v, v.sum(), theano.shared(0.), T.constant(0.), v.shape)))
    for undecided in v > 0, T.eq(v, v), v[0] <= 1:
        with pytest.raises(TypeError, match="neither True nor False"):
            bool(undecided)


def test_the_variance_and_the_module_of_its_name():
    from theano.tensor.var import TensorVariable
    assert TensorVariable is T.TensorVariable and T.var(T.constant([1., 3.])).eval() == 1


def test_an_index_with_none_drops_dimensions_it_does_not_come_to():
    x = T.matrix("x")
    mask = T.alloc(1., x.shape[0], 1)       # of attention models, where none is given
    assert mask[:, None].ndim == (mask[:, None] * x).ndim == 2
    assert mask[:, None].broadcastable == (False, True)
    assert value(mask[:, None] * x, {x: np.eye(3)}).tolist() == np.eye(3).tolist()
    assert mask[None, :].ndim == 2 and mask[0, None].ndim == 1
    one = T.tensor("float64", (False, True, True))
    assert one[None, :].ndim == 2 and one[:, None, 0].ndim == 2


def test_an_index_with_none_keeps_all_other_dimensions(rng):
    x, mask, i = T.matrix("x"), T.col("mask"), T.lvector("i")
    assert x[:, None].ndim == x[None].ndim == 3
    assert mask[:, None, :].ndim == mask[..., None].ndim == mask[:, :, None].ndim == 3
    assert mask[:].ndim == mask[1:].ndim == 2 and mask[0].ndim == 1
    assert mask[i, None].ndim == 3      # Theano does not drop them where an index is an array
    T.verify_grad(lambda x: x[:, None] * x, [rng.rand(3, 2)], rng=rng)
