"""Ops that work element by element or reduce."""

from pytensor.tensor import elemwise
from pytensor.tensor.elemwise import CAReduce, Elemwise
from pytensor.tensor.math import Prod, ProdWithoutZeros, Sum

from theano.gof.graph import Standing


class DimShuffle(metaclass=Standing):
    """Axes in another order; "x" stands for a new one, axes of size 1 may be left out."""

    of = elemwise.DimShuffle

    def __new__(cls, input_broadcastable, new_order, inplace=True):
        """Make PyTensor's, which asks for a keyword and the number of axes alone."""
        return elemwise.DimShuffle(input_ndim=len(input_broadcastable), new_order=new_order)
