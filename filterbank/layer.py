"""The paper's first layer for Lasagne: filters over time and the largest output of each."""

from collections.abc import Callable

import numpy as np
from lasagne import init, nonlinearities
from lasagne.layers import Layer
from lasagne.utils import floatX
from pytensor.graph.basic import Variable

from filterbank.op import LargestWindow, check_fit
from filterbank.xla import Filters
from theano.tensor import constant

_NON_DECREASING = {nonlinearities.rectify, nonlinearities.linear,
                   nonlinearities.sigmoid, nonlinearities.tanh}
_HE_UNIFORM, _ZERO = init.HeUniform(), init.Constant(0.)


class TemporalFilterBankLayer(Layer):
    """A bank of filters over time, each followed by a maximum over some bands and all time.

    It replaces, for each entry of `filters`, a Conv2DLayer with filter_size=(1, length) and a
    MaxPool2DLayer with pool_size=(pool_bands, all time), and a ConcatLayer of them all. A
    nonlinearity that never decreases gives the same result after the maximum as before it. So the
    bank is one operation that keeps only each filter's largest output, in a fraction of the time
    and memory.

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
        Initialiser of each part's W (count, channels, 1, length). Filters are flipped, as in a
        Conv2DLayer.
    b : callable or None
        Initialiser of each part's b (count,); None for no biases.
    **kwargs
        Those of any Layer, such as name.

    Attributes
    ----------
    W, b : list of shared variables
        One for each part; without biases each b is a constant. `get_params` gives W, b, W, b ...

    Raises
    ------
    ValueError
        If filters do not fit into the input, or an argument is not as described above.

    Notes
    -----
    The output is (batch, sum of counts, bands // pool_bands, 1). If several windows are equally
    large, only one of them gets the gradient; Theano's pooling gives it to each. NaN counts as the
    largest. Initial values are drawn for the longest filters first, as in the paper's program.

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

    def __init__(
        self,
        incoming: Layer | tuple,
        filters: Filters,
        pool_bands: int = 4,
        nonlinearity: Callable | None = nonlinearities.rectify,
        W: Callable = _HE_UNIFORM,              # noqa: N803 (Lasagne's name)
        b: Callable | None = _ZERO,
        **kwargs: object,
    ) -> None:
        super().__init__(incoming, **kwargs)
        self.filters = [tuple(entry) for entry in filters]
        self.pool_bands = pool_bands
        self.nonlinearity = nonlinearities.linear if nonlinearity is None else nonlinearity
        self._check()

        channels = self.input_shape[1]
        drawn = {}
        for i in sorted(range(len(self.filters)), key=lambda i: -self.filters[i][0]):
            length, count = self.filters[i]
            weights = floatX(W((count, channels, 1, length)))
            drawn[i] = weights, floatX(np.zeros(count) if b is None else b((count,)))
        self.W, self.b = [], []
        for i in range(len(self.filters)):
            weights, biases = drawn[i]
            self.W.append(self.add_param(weights, weights.shape, name="W"))
            self.b.append(constant(biases) if b is None else
                          self.add_param(biases, biases.shape, name="b", regularizable=False))

    def _check(self) -> None:
        if len(self.input_shape) != 4 or None in self.input_shape[1:]:
            raise ValueError(
                f"The input's shape is {self.input_shape}; a filter bank takes (batch, channels, "
                "bands, frames), of which only the batch may be None.")
        if not self.filters:
            raise ValueError("filters is empty; at least one (length in frames, number of filters) "
                             "was expected.")
        for entry in self.filters:
            if len(entry) != 2 or any(int(number) != number or number < 1 for number in entry):
                raise ValueError(
                    f"filters has the entry {entry}; (length in frames, number of filters) was "
                    "expected, both whole numbers of at least 1.")
        _, _, bands, frames = self.input_shape
        check_fit(bands, frames, self.filters, self.pool_bands)
        known = self.nonlinearity in _NON_DECREASING or (
            isinstance(self.nonlinearity, nonlinearities.LeakyRectify)
            and self.nonlinearity.leakiness >= 0)
        if not known:
            name = getattr(self.nonlinearity, "__name__", self.nonlinearity)
            raise ValueError(
                f"nonlinearity={name} is not known never to decrease, so it cannot follow the "
                "maximum. If it never decreases, use nonlinearity=None and a NonlinearityLayer; "
                "otherwise use a Conv2DLayer and a MaxPool2DLayer for each entry of filters.")

    def get_output_shape_for(self, input_shape: tuple) -> tuple:
        """Return (batch, filters, groups of bands, 1), the shape of the output."""
        batch, _, bands, _ = input_shape
        return batch, sum(count for _, count in self.filters), bands // self.pool_bands, 1

    def get_output_for(
        self, input: Variable, **kwargs: object,    # noqa: A002 (Lasagne's name)
    ) -> Variable:
        """Return the largest outputs of the filters, after the nonlinearity.

        Parameters
        ----------
        input : variable
            (batch, channels, bands, frames).
        **kwargs
            Ignored, as in any Layer.

        Returns
        -------
        variable
            (batch, filters, groups of bands, 1).
        """
        parameters = [p for pair in zip(self.W, self.b, strict=True) for p in pair]
        value, _ = LargestWindow(self.pool_bands, tuple(self.filters))(input, *parameters)
        return self.nonlinearity(value).dimshuffle(0, 1, 2, "x")
