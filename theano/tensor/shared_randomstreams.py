"""Random numbers by the name of Theano's NumPy generators."""

import numpy as np

from theano.compile.sharedvalue import TensorSharedVariable
from theano.link.linker import Cell
from theano.tensor.random import KEY, Streams


class RandomStateSharedVariable(TensorSharedVariable):
    """The state of a random variable that `RandomStreams` has made."""


class RandomStreams(Streams):
    """See `theano.tensor.random`; without a seed every one gives other numbers."""

    def __init__(self, seed=None):
        super().__init__(np.random.SeedSequence().entropy if seed is None else seed)

    def _new_state(self):
        return RandomStateSharedVariable(KEY, None, None, container=Cell(KEY, [self._new_key()]))

    def choice(self, size=None, a=2, replace=True, p=None, ndim=None, dtype="int64"):
        """See `Streams.choice`; without a size one element."""
        return super().choice(size, a, replace, p, ndim, dtype)

    def multinomial(self, size=None, n=1, pvals=(0.5, 0.5), ndim=None, dtype="int64"):
        """See `Streams.multinomial`; the default is a coin."""
        return super().multinomial(size, n, pvals, ndim, dtype)
