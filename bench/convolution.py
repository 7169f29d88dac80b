"""A VGG-like network in Lasagne: a training step beside PyTorch, and beside JAX's own gradients.

python bench/convolution.py
conv 3x3 32, 32, max-pool 2x2, conv 64, 64, max-pool, dense 8; ReLU; stochastic gradient descent.
Batch 50 of 1x40x250, float32; medians of alternating runs. Before that, outputs and gradients are
compared in float64, where rounding does not decide which element of a pooling window is largest.
"""

import os
import sys

os.environ.setdefault("THEANO_FLAGS", "floatX=float32")
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import jax
import jax.numpy as jnp
import lasagne
import measure
import numpy as np
from lasagne.layers import Conv2DLayer, DenseLayer, InputLayer, MaxPool2DLayer

import theano
from theano import tensor

SHAPE, CLASSES, RATE = (50, 1, 40, 250), 8, .001


def batch():
    """Return images and their classes."""
    rng = np.random.RandomState(0)
    x = rng.standard_normal(SHAPE).astype(theano.config.floatX)
    return x, rng.randint(0, CLASSES, SHAPE[0]).astype("int32")


def lasagne_network():
    """Build and compile the network.

    Returns
    -------
    step : compiled function
        A training step.
    compare : compiled function
        Gives the probabilities, then each parameter's gradient.
    values : list of ndarray
        The parameters.
    """
    x, y = tensor.tensor4("x"), tensor.ivector("y")
    layer = InputLayer((None, *SHAPE[1:]), x)
    for filters in (32, 64):
        for _ in range(2):
            layer = Conv2DLayer(layer, filters, (3, 3), pad="same", W=lasagne.init.HeUniform())
        layer = MaxPool2DLayer(layer, (2, 2))
    layer = DenseLayer(layer, CLASSES, nonlinearity=lasagne.nonlinearities.softmax)
    probabilities = lasagne.layers.get_output(layer)
    loss = lasagne.objectives.categorical_crossentropy(probabilities, y).mean()
    parameters = lasagne.layers.get_all_params(layer)
    step = theano.function([x, y], loss, updates=lasagne.updates.sgd(loss, parameters, RATE))
    compare = theano.function([x, y], [probabilities, *theano.grad(loss, parameters)])
    return step, compare, [p.get_value() for p in parameters]


def torch_network(values, x, y):
    """Build the same in PyTorch, in the precision of x: functions `step` and `compare`."""
    import torch
    from torch import nn
    x, y = torch.from_numpy(x), torch.from_numpy(y).long()
    first, second, third, fourth = (
        nn.Conv2d(w.shape[1], w.shape[0], 3, padding=1) for w in values[:-2:2])
    network = nn.Sequential(
        first, nn.ReLU(), second, nn.ReLU(), nn.MaxPool2d(2),
        third, nn.ReLU(), fourth, nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(*values[-2].shape)).to(x.dtype)
    parameters = list(network.parameters())
    with torch.no_grad():
        for parameter, value in zip(parameters, values, strict=True):
            parameter.copy_(torch.from_numpy(turned(value)))
    optimizer = torch.optim.SGD(parameters, RATE)

    def backward():
        optimizer.zero_grad()
        logits = network(x)
        nn.functional.cross_entropy(logits, y).backward()
        return torch.softmax(logits, 1)

    def step():
        backward()
        optimizer.step()

    def compare():
        return [a.detach().numpy() for a in (backward(), *(p.grad for p in parameters))]
    return step, compare


def turned(value):
    """Turn a parameter of Lasagne into PyTorch's form, or the other way round.

    Lasagne flips the filters of a convolution, and its dense layer multiplies from the right.
    """
    return value[:, :, ::-1, ::-1].copy() if value.ndim == 4 else value.T.copy()


def difference():
    """Compare probabilities and gradients with PyTorch's, in float64.

    Returns
    -------
    float
        The largest difference, relative to the largest number of its array.
    """
    with theano.config.change_flags(floatX="float64"):
        x, y = batch()
        _, ours, values = lasagne_network()
    _, theirs = torch_network(values, x, y)
    (probabilities, *gradients), (expected, *expected_gradients) = ours(x, y), theirs()
    pairs = [(probabilities, expected),
             *zip(gradients, map(turned, expected_gradients), strict=True)]
    return max(np.abs(one - other).max() / np.abs(other).max() for one, other in pairs)


def plain_jax_step(values, x, y):
    """Write the same step in plain JAX, with its own gradients."""
    def loss(parameters):
        h = x
        convolutions = zip(parameters[:-2:2], parameters[1:-2:2], strict=True)
        for layer, (w, b) in enumerate(convolutions):
            h = jax.nn.relu(jax.lax.conv_general_dilated(h, w, (1, 1), "SAME") + b[:, None, None])
            if layer % 2:
                pool = 1, 1, 2, 2
                h = jax.lax.reduce_window(h, -jnp.inf, jax.lax.max, pool, pool, "VALID")
        scores = jax.nn.log_softmax(h.reshape(len(x), -1) @ parameters[-2] + parameters[-1])
        return -scores[jnp.arange(len(y)), y].mean()

    @jax.jit
    def step(parameters):
        gradients = jax.grad(loss)(parameters)
        return [p - RATE * g for p, g in zip(parameters, gradients, strict=True)]

    values = [jnp.asarray(value) for value in values]
    return lambda: jax.block_until_ready(step(values))


def main():
    """Print the differences, then a table of seconds and ratios."""
    print(measure.machine())
    x, y = batch()
    step, _, values = lasagne_network()
    runs = {"Lasagne": lambda: step(x, y), "plain JAX": plain_jax_step(values, x, y)}
    try:
        runs["PyTorch"], _ = torch_network(values, x, y)
        print("\nProbabilities and gradients differ from PyTorch's by at most "
              f"{difference():.1e} of the largest (float64).")
    except ImportError:
        print("\nPyTorch is not installed: no comparison with it.")
    times = measure.alternate(runs, seconds=10)
    peer = list(times)[-1]
    print(f"\n| form | step, s | times {peer}'s |\n| --- | --- | --- |")
    for form, seconds in times.items():
        print(f"| {form} | {seconds:.3f} | {seconds / times[peer]:.2f} |")


if __name__ == "__main__":
    main()
