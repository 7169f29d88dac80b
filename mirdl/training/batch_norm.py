"""Batch normalisation: Lasagne's own from its release 0.2 on, otherwise the layer here."""

from collections.abc import Callable
from typing import Any

import lasagne
from lasagne.init import Constant
from lasagne.layers import Layer
from lasagne.nonlinearities import identity

import theano
import theano.tensor as T


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
        axes = [axis for axis in range(input.ndim) if axis != 1]
        pattern = ["x" if axis in axes else 0 for axis in range(input.ndim)]
        if deterministic:
            mean, inv_std = self.mean, self.inv_std
        else:
            # in the input's own precision, which is enough for this and twice as fast as float64
            own = {"dtype": input.dtype, "acc_dtype": input.dtype}
            mean = input.mean(axes, **own)
            variance = T.sqr(input - mean.dimshuffle(pattern)).mean(axes, **own)
            inv_std = 1 / T.sqrt(variance + self.epsilon)
            mean, inv_std = (self._averaged(*pair) for pair in (
                (self.mean, mean), (self.inv_std, inv_std)))
        scaled = (input - mean.dimshuffle(pattern)) * (self.gamma * inv_std).dimshuffle(pattern)
        return self.nonlinearity(scaled + self.beta.dimshuffle(pattern))

    def _averaged(self, average: theano.compile.SharedVariable,
                  value: theano.Variable) -> theano.Variable:
        """Give `value`, and let a training step update its running average."""
        # a clone, so that only functions in which this output occurs update the average
        running = theano.clone(average, share_inputs=False)
        running.default_update = (1 - self.alpha) * running + self.alpha * value
        return value + 0 * running


def _batch_norm(layer: Layer) -> BatchNormLayer:
    """Normalise the output of `layer`, before its nonlinearity."""
    nonlinearity, layer.nonlinearity = layer.nonlinearity, identity
    if layer.b is not None:
        del layer.params[layer.b]
        layer.b = None
    return BatchNormLayer(layer, nonlinearity=nonlinearity)


batch_norm = getattr(lasagne.layers, "batch_norm", _batch_norm)
