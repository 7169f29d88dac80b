"""Ops that work element by element or reduce."""

from pytensor.tensor.elemwise import CAReduce, DimShuffle, Elemwise
