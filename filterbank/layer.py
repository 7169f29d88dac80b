"""The paper's first layer for Lasagne: filters over time and the largest output of each."""

import numpy as np
import theano.tensor as T
from lasagne import init, nonlinearities
from lasagne.layers import Layer
from lasagne.utils import floatX

from filterbank.op import LargestWindow

_NON_DECREASING = {nonlinearities.rectify, nonlinearities.linear, nonlinearities.sigmoid, nonlinearities.tanh}


class TemporalFilterBankLayer(Layer):
    """A bank of filters over time, each followed by a maximum over some bands and all time.

    Computes what a Conv2DLayer with filter_size=(1, length) for each entry of `filters`, a
    MaxPool2DLayer with pool_size=(pool_bands, all time) on each, and a ConcatLayer of them compute.
    A nonlinearity that never decreases may as well follow the maximum; so the bank is one operation
    that keeps only each filter's largest output, at a fraction of the time and memory.

    Parameters
    ----------
    incoming : Layer or tuple
        Of shape (batch, channels, bands, frames).
    filters : list of (int, int)
        Length in frames and number of filters of each part of the bank, in the order of the output.
        Lengths may repeat.
    pool_bands : int
        Neighbouring bands that share one maximum. Bands left over at the end are ignored.
    nonlinearity : callable or None
        rectify, linear, sigmoid, tanh or a LeakyRectify. Any other that never decreases can follow
        as a NonlinearityLayer, on a bank with nonlinearity=None.
    W : callable
        Initialiser for each part's W (count, channels, 1, length). True convolution: filters are
        flipped, as Conv2DLayer flips them.
    b : callable or None
        Initialiser for each part's b (count,); None for no biases.
    **kwargs
        As any Layer has them: name.

    Attributes
    ----------
    W, b : list of shared variables
        One per part; without biases b are constants. `get_params` gives them in turn: W, b, W, b ...

    Raises
    ------
    ValueError
        If filters do not fit into the input, or an argument is none of the above.

    Notes
    -----
    The output is (batch, sum of counts, bands // pool_bands, 1). Among windows that are equally
    large one alone gets the gradient, where Theano's pooling gives it to each of them; NaN counts as
    the largest. Initial values are drawn for the longest filters first, as the paper's program did.

    References
    ----------
    J. Pons and X. Serra, "Designing efficient architectures for modeling temporal features with
    convolutional neural networks", ICASSP 2017, section 3.

    Examples
    --------
    >>> from lasagne.layers import InputLayer
    >>> spectrograms = InputLayer((None, 1, 40, 250))
    >>> bank = TemporalFilterBankLayer(spectrograms, filters=[(6, 5), (41, 5)])
    >>> bank.output_shape
    (None, 10, 10, 1)
    """

    def __init__(self, incoming, filters, pool_bands=4, nonlinearity=nonlinearities.rectify,
                 W=init.HeUniform(), b=init.Constant(0.), **kwargs):
        super().__init__(incoming, **kwargs)
        self.filters = [tuple(entry) for entry in filters]
        self.pool_bands = pool_bands
        self.nonlinearity = nonlinearities.linear if nonlinearity is None else nonlinearity
        self._check()

        channels = self.input_shape[1]
        drawn = {}
        for i in sorted(range(len(self.filters)), key=lambda i: -self.filters[i][0]):
            length, count = self.filters[i]
            drawn[i] = floatX(W((count, channels, 1, length))), floatX(np.zeros(count) if b is None else b((count,)))
        self.W, self.b = [], []
        for i in range(len(self.filters)):
            weights, biases = drawn[i]
            self.W.append(self.add_param(weights, weights.shape, name="W"))
            self.b.append(T.constant(biases) if b is None else
                          self.add_param(biases, biases.shape, name="b", regularizable=False))

    def _check(self):
        if len(self.input_shape) != 4 or None in self.input_shape[1:]:
            raise ValueError(f"The input's shape is {self.input_shape}; a filter bank takes (batch, channels, bands, "
                             "frames), of which only the batch may be None.")
        _, _, bands, frames = self.input_shape
        for entry in self.filters:
            if len(entry) != 2 or any(int(number) != number or number < 1 for number in entry):
                raise ValueError(f"filters has the entry {entry}; (length in frames, number of filters) was expected, "
                                 "both whole and at least 1.")
            if entry[0] > frames:
                raise ValueError(f"A filter of {entry[0]} frames does not fit into an input of {frames} frames: "
                                 "give longer inputs or shorter filters.")
        if not self.filters:
            raise ValueError("filters is empty; at least one (length in frames, number of filters) was expected.")
        if not 1 <= self.pool_bands <= bands:
            raise ValueError(f"pool_bands={self.pool_bands}; 1 to {bands}, the bands of the input, was expected.")
        known = self.nonlinearity in _NON_DECREASING or (
            isinstance(self.nonlinearity, nonlinearities.LeakyRectify) and self.nonlinearity.leakiness >= 0)
        if not known:
            name = getattr(self.nonlinearity, "__name__", self.nonlinearity)
            raise ValueError(
                f"nonlinearity={name} is not known never to decrease, so it may not trade places with the maximum. "
                "If it never decreases, take nonlinearity=None and add a NonlinearityLayer; otherwise a Conv2DLayer "
                "and a MaxPool2DLayer for each entry of filters.")

    def get_output_shape_for(self, input_shape):
        """(batch, filters, groups of bands, 1)."""
        return input_shape[0], sum(count for _, count in self.filters), input_shape[2] // self.pool_bands, 1

    def get_output_for(self, input, **kwargs):
        """The largest outputs (batch, filters, groups of bands, 1) of `input` (batch, channels, bands, frames)."""
        parameters = [p for pair in zip(self.W, self.b) for p in pair]
        value, _ = LargestWindow(self.pool_bands, tuple(self.filters))(input, *parameters)
        return self.nonlinearity(value).dimshuffle(0, 1, 2, "x")
