"""A VGG-like network through Lasagne: a training step beside PyTorch, and beside JAX's own gradients.

python bench/convolution.py
conv 3x3 32, 32, max-pool 2x2, conv 64, 64, max-pool, dense 8; ReLU; stochastic gradient descent. Batch 50 of
1x40x250, float32; medians of alternating runs, after outputs and gradients were compared in float64, where rounding
does not decide which element of a pooling window is the largest.
"""

import os
import sys

os.environ.setdefault("THEANO_FLAGS", "floatX=float32")
sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]

import jax
import jax.numpy as jnp
import lasagne
import measure
import numpy as np
from lasagne.layers import Conv2DLayer, DenseLayer, InputLayer, MaxPool2DLayer

import theano
import theano.tensor as T

SHAPE, CLASSES, RATE = (50, 1, 40, 250), 8, .001


def batch():
    """Images and their classes."""
    rng = np.random.RandomState(0)
    return rng.standard_normal(SHAPE).astype(theano.config.floatX), rng.randint(0, CLASSES, SHAPE[0]).astype("int32")


def lasagne_network():
    """Functions `step` and `compare` (probabilities, then each parameter's gradient), and the parameters."""
    x, y = T.tensor4("x"), T.ivector("y")
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
    """The same of PyTorch, in the precision of x; its `values` are turned over, because Lasagne's filters are flipped."""
    import torch
    from torch import nn
    convs = [nn.Conv2d(w.shape[1], w.shape[0], 3, padding=1) for w in values[:-2:2]]
    (first, second, third, fourth), dense = convs, nn.Linear(*values[-2].shape)
    network = nn.Sequential(first, nn.ReLU(), second, nn.ReLU(), nn.MaxPool2d(2), third, nn.ReLU(), fourth, nn.ReLU(),
                            nn.MaxPool2d(2), nn.Flatten(), dense).to(torch.from_numpy(x).dtype)
    parameters = list(network.parameters())
    with torch.no_grad():
        for parameter, value in zip(parameters, values):
            parameter.copy_(torch.from_numpy(turned(value)))
    x, y = torch.from_numpy(x), torch.from_numpy(y).long()
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
    """A parameter of Lasagne as PyTorch has it, or the other way round."""
    return value[:, :, ::-1, ::-1].copy() if value.ndim == 4 else value.T.copy()


def difference():
    """Of probabilities and gradients from PyTorch's, in float64: the largest, relative to the largest number of its array."""
    with theano.config.change_flags(floatX="float64"):
        x, y = batch()
        _, ours, values = lasagne_network()
    _, theirs = torch_network(values, x, y)
    (probabilities, *gradients), (expected, *turned_gradients) = ours(x, y), theirs()
    pairs = [(probabilities, expected), *zip(gradients, map(turned, turned_gradients))]
    return max(np.abs(one - other).max() / np.abs(other).max() for one, other in pairs)


def plain_jax_step(values, x, y):
    """The same as one writes it in JAX, with XLA's gradients."""
    def loss(parameters):
        h = x
        for layer, (w, b) in enumerate(zip(parameters[:-2:2], parameters[1:-2:2])):
            h = jax.nn.relu(jax.lax.conv_general_dilated(h, w, (1, 1), "SAME") + b[:, None, None])
            if layer % 2:
                h = jax.lax.reduce_window(h, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
        scores = jax.nn.log_softmax(h.reshape(len(x), -1) @ parameters[-2] + parameters[-1])
        return -scores[jnp.arange(len(y)), y].mean()

    step = jax.jit(lambda parameters: [p - RATE * g for p, g in zip(parameters, jax.grad(loss)(parameters))])
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
        print(f"\nProbabilities and gradients differ from PyTorch's by {difference():.1e} of the largest at most (float64).")
    except ImportError:
        print("\nPyTorch is not installed: no comparison with it.")
    times = measure.alternate(runs, seconds=10)
    peer = list(times)[-1]
    print(f"\n| form | step, s | times {peer}'s |\n| --- | --- | --- |")
    for form, seconds in times.items():
        print(f"| {form} | {seconds:.3f} | {seconds / times[peer]:.2f} |")


if __name__ == "__main__":
    main()
