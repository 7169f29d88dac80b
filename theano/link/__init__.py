"""From PyTensor's graph to one compiled JAX function."""

from theano.link.linker import Linker

__all__ = ["Linker"]
