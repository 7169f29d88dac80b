"""Without the packages of requirements-export.txt: these run wherever the quick tests do."""

import jax
import jax.export
import lasagne
import numpy as np
import pytest
from jax.extend.core import jaxpr_as_fun
from lasagne.layers import Conv1DLayer, Conv2DLayer, MaxPool2DLayer, Pool2DLayer, ReshapeLayer

import theano
import theano.tensor as T
from mirdl.export.plain import traced
from theano.link.pure import pure

SHAPE = 1, 7, 9
# Those that jax2onnx has been seen to convert for any number of chunks, in test_network.py.
CONVERTED = {
    "abs", "add", "broadcast_in_dim", "concatenate", "conv_general_dilated", "convert_element_type",
    "div", "dot_general", "exp", "gather", "max", "mul", "reduce_max", "reduce_sum", "reshape",
    "rev", "scatter", "slice", "squeeze", "stop_gradient", "sub", "transpose"}
NETWORKS = {
    "valid": lambda data: Conv2DLayer(data, 3, (4, 2)),
    "same, then few rows": lambda data: Conv2DLayer(Conv2DLayer(data, 3, 3, pad="same"), 2, (1, 5)),
    "full, strided": lambda data: Conv2DLayer(data, 3, (4, 2), stride=(2, 3), pad="full"),
    "large": lambda data: Conv2DLayer(data, 3, (6, 7), pad=(1, 2)),
    "over time alone": lambda data: Conv1DLayer(ReshapeLayer(data, ([0], [2], [3])), 3, 4),
    "pooled": lambda data: Pool2DLayer(MaxPool2DLayer(data, 3, stride=2, pad=1), 2,
                                       mode="average_inc_pad")}


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_layers_of_lasagne_become_operations_that_can_be_converted(network):
    lasagne.random.set_rng(np.random.RandomState(0))
    one = T.TensorType("float32", (True, False, False, False))("x")
    output = network(lasagne.layers.InputLayer((None, *SHAPE), one))
    call, shared = pure(theano.function([one], lasagne.layers.get_output(output)))
    weights = [variable.get_value() for variable in shared]

    def function(x):
        [answer], _ = call([x[None]], weights)
        return answer[0]

    trace = traced(function, [SHAPE])
    assert {step.primitive.name for step in trace.jaxpr.eqns} <= CONVERTED
    given = [jax.ShapeDtypeStruct(each.shape, each.dtype) for each in trace.in_avals]
    expected = jax.jit(function)
    anywhere = jax.export.export(jax.jit(jaxpr_as_fun(trace)), platforms=["cpu", "cuda"])(*given)
    for chunks in (1, 7):
        x = np.random.RandomState(chunks).normal(size=(chunks, *SHAPE)).astype(np.float32)
        [found] = anywhere.call(x)
        np.testing.assert_allclose(found, np.stack([*map(expected, x)]), rtol=1e-5, atol=1e-5)
