"""Batch normalisation: Lasagne's own from its release 0.2 on, otherwise the layer here."""

from collections.abc import Callable
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import lasagne
from jax import lax
from lasagne.init import Constant
from lasagne.layers import Layer
from lasagne.nonlinearities import identity

import theano
from theano.xla.op import apply


class BatchNormLayer(Layer):
    """Normalise each channel over the batch, its bands and its frames.

    S. Ioffe and C. Szegedy, 'Batch Normalization', ICML 2015, with the arguments that Lasagne 0.2
    has. In training mean and variance are the batch's; a test takes their running averages.

    Parameters
    ----------
    incoming : Layer
        Gives (batch, channels, ...).
    epsilon : float
        Added to the variance.
    alpha : float
        How much of a batch goes into the running averages.
    nonlinearity : callable
        Of the output.

    Attributes
    ----------
    beta, gamma : shared variable
        (channels,), offset and scale, learnt.
    mean, inv_std : shared variable
        (channels,), the running averages.
    """

    def __init__(self, incoming: Layer, epsilon: float = 1e-4, alpha: float = 0.1,
                 nonlinearity: Callable = identity, **kwargs: Any) -> None:  # noqa: ANN401 (Layer's)
        super().__init__(incoming, **kwargs)
        self.epsilon, self.alpha, self.nonlinearity = epsilon, alpha, nonlinearity
        channels = self.input_shape[1:2]
        self.beta = self.add_param(Constant(0), channels, "beta", regularizable=False)
        self.gamma = self.add_param(Constant(1), channels, "gamma")
        self.mean, self.inv_std = (
            self.add_param(Constant(value), channels, name, trainable=False, regularizable=False)
            for value, name in ((0, "mean"), (1, "inv_std")))

    def get_output_for(self, input: theano.Variable, deterministic: bool = False,  # noqa: A002 (Lasagne's name)
                       **kwargs: Any) -> theano.Variable:  # noqa: ANN401
        """Normalise `input`; by the running averages if `deterministic`."""
        if deterministic:
            pattern = ["x", 0] + ["x"] * (input.ndim - 2)
            mean, inv_std, gamma, beta = (parameter.dimshuffle(pattern) for parameter in (
                self.mean, self.inv_std, self.gamma, self.beta))
            return self.nonlinearity((input - mean) * (gamma * inv_std) + beta)
        # clones, so that only functions in which this output occurs update the averages
        averages = [theano.clone(each, share_inputs=False) for each in (self.mean, self.inv_std)]
        normalised, *found = apply(
            normalise, input, self.gamma, self.beta + 0 * sum(averages), epsilon=self.epsilon,
            types=[input.type, self.mean.type, self.inv_std.type])
        for average, value in zip(averages, found, strict=True):
            average.default_update = (1 - self.alpha) * average + self.alpha * value
        return self.nonlinearity(normalised)


# The gradient is written out: it takes four sums over all of x, and fast ones. PyTensor's gradient
# of the same formula takes about ten, which were half of vgg's training step.

@partial(jax.custom_vjp, nondiff_argnums=(3,))
def normalise(x: jax.Array, gamma: jax.Array, beta: jax.Array,
              epsilon: float) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Normalise each channel of a batch, then scale and shift it.

    Parameters
    ----------
    x : (batch, channels, ...)
    gamma, beta : (channels,)
        Scale and offset.
    epsilon : float
        Added to the variance.

    Returns
    -------
    normalised : as x
    mean, inv_std : (channels,)
        The batch's; they pass no gradient on.
    """
    return _with_its_inputs(x, gamma, beta, epsilon)[0]


def _with_its_inputs(x: jax.Array, gamma: jax.Array, beta: jax.Array, epsilon: float) -> tuple:
    mean = _mean(x)
    inv_std = 1 / jnp.sqrt(_mean(jnp.square(x - _along(mean, x))) + epsilon)
    normalised = (x - _along(mean, x)) * _along(gamma * inv_std, x) + _along(beta, x)
    return (normalised, mean, inv_std), (x, gamma, mean, inv_std)


def _gradients(_epsilon: float, saved: tuple, cotangents: tuple) -> tuple:
    x, gamma, mean, inv_std = saved
    g, *_ = cotangents
    standard = (x - _along(mean, x)) * _along(inv_std, x)
    of_beta, of_gamma = _mean(g), _mean(g * standard)
    of_x = g - _along(of_beta, x) - standard * _along(of_gamma, x)
    count = x.size // x.shape[1]
    return of_x * _along(gamma * inv_std, x), count * of_gamma, count * of_beta


normalise.defvjp(_with_its_inputs, _gradients)


def _along(channels: jax.Array, x: jax.Array) -> jax.Array:
    return channels.reshape(-1, *[1] * (x.ndim - 2))


def _mean(x: jax.Array) -> jax.Array:
    """Average over all axes but the channels'."""
    def by_product(x: jax.Array) -> jax.Array:
        # XLA's own sums over these axes take a CPU twice as long
        rows = jnp.moveaxis(x, 1, -1).reshape(-1, x.shape[1])
        return jnp.full(len(rows), 1 / len(rows), x.dtype) @ rows
    axes = [axis for axis in range(x.ndim) if axis != 1]
    return lax.platform_dependent(x, cpu=by_product, default=lambda x: x.mean(axes))


def _batch_norm(layer: Layer) -> BatchNormLayer:
    """Normalise the output of `layer`, before its nonlinearity."""
    nonlinearity, layer.nonlinearity = layer.nonlinearity, identity
    if layer.b is not None:
        del layer.params[layer.b]
        layer.b = None
    return BatchNormLayer(layer, nonlinearity=nonlinearity)


batch_norm = getattr(lasagne.layers, "batch_norm", _batch_norm)
