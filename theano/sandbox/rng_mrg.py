"""Random numbers by the name of Theano's fast generator."""

from theano.tensor.random import Streams


class MRG_RandomStreams(Streams):
    """See `theano.tensor.random`; `use_cuda` is accepted."""

    def __init__(self, seed=12345, use_cuda=None):
        super().__init__(seed)
