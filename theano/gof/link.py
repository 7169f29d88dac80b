"""What holds a shared variable's value, as Theano pickled it."""

from theano.gof.utils import scratchpad as Container
