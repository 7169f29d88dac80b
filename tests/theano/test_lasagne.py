"""Networks of Lasagne 0.1 build, compile and learn."""

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


def test_a_network_learns(rng):
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


def test_adam_of_lasagne_runs():
    w = theano.shared(np.array([1., -2.]))
    step = theano.function([], (w ** 2).sum(), updates=lasagne.updates.adam((w ** 2).sum(), [w],
                                                                            learning_rate=0.1))
    losses = [float(step()) for _ in range(50)]
    assert losses[-1] < 0.01 * losses[0]


def test_a_recurrent_classifier_trains_until_its_loss_is_zero(rng):
    x, t = T.ftensor3("x"), T.ivector("t")
    w, u, v = (theano.shared((rng.randn(*shape) * .5).astype("float32"))
               for shape in ((2, 8), (8, 8), (8, 2)))
    states, _ = theano.scan(lambda x, h: T.tanh(x.dot(w) + h.dot(u)),
                            sequences=x.dimshuffle(1, 0, 2),
                            outputs_info=T.zeros((x.shape[0], 8), "float32"))
    p = T.nnet.softmax(states.dimshuffle(1, 0, 2).reshape((-1, 8)).dot(v))
    p = p.reshape((x.shape[0], x.shape[1], 2)).reshape((-1, 2))     # as Lasagne's ReshapeLayer
    loss = T.nnet.categorical_crossentropy(p, t).mean()
    updates = lasagne.updates.adam(loss, [w, u, v], 3)
    step = theano.function([x, t], loss, updates=updates)
    labels = np.array([0, 1, 1, 0], "int32")
    sequences = np.zeros((4, 5, 2), "float32")
    sequences[np.arange(4), :, labels] = 1
    losses = [float(step(sequences, np.repeat(labels, 5))) for _ in range(40)]
    assert losses[0] > .1 and losses[-1] == 0 and np.isfinite(losses).all()
