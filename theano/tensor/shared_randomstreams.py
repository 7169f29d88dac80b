"""Random numbers by the name of Theano's NumPy generators."""

import numpy as np

from theano.tensor.random import Streams


class RandomStreams(Streams):
    """See `theano.tensor.random`; without a seed every one gives other numbers."""

    def __init__(self, seed=None):
        super().__init__(np.random.SeedSequence().entropy if seed is None else seed)
