"""A network of Lasagne 0.1 builds, compiles and learns."""

import lasagne
import numpy as np
from lasagne import layers

import theano
import theano.tensor as T


def network(x):
    image = layers.InputLayer((20, 1, 8, 30), x)
    branches = []
    for length in (3, 7):
        conv = layers.Conv2DLayer(image, 4, (1, length))
        pool = layers.MaxPool2DLayer(conv, (4, conv.output_shape[3]))
        branches.append(layers.FlattenLayer(pool))
    joined = layers.DropoutLayer(layers.ConcatLayer(branches), 0.2)
    return layers.DenseLayer(joined, 2, nonlinearity=lasagne.nonlinearities.softmax)


def test_a_network_learns():
    rng = np.random.RandomState(0)
    labels = rng.randint(0, 2, 20).astype("int32")
    images = rng.rand(20, 1, 8, 30).astype(theano.config.floatX)
    images[labels == 1, :, :, ::3] += 1  # class 1 has a period of three frames
    x, y = T.tensor4("x"), T.ivector("y")
    net = network(x)
    loss = lasagne.objectives.categorical_crossentropy(layers.get_output(net), y).mean()
    parameters = layers.get_all_params(net, trainable=True)
    rate = theano.shared(np.array(0.05, theano.config.floatX))
    updates = lasagne.updates.nesterov_momentum(loss, parameters, rate, 0.9)
    train = theano.function([x, y], loss, updates=updates)
    predict = theano.function([x], T.argmax(layers.get_output(net, deterministic=True), axis=1))

    first = train(images, labels)
    assert isinstance(first, np.ndarray) and first.dtype == theano.config.floatX
    for _ in range(60):
        train(images, labels)
    assert (predict(images) == labels).all()

    rate.set_value(0.0)
    before = layers.get_all_param_values(net)
    for parameter in updates:
        if parameter not in parameters and parameter is not rate:
            parameter.set_value(np.zeros_like(parameter.get_value()))
    train(images, labels)
    for old, new in zip(before, layers.get_all_param_values(net), strict=True):
        np.testing.assert_array_equal(old, new)
