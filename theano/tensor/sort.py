"""Sorting."""

from pytensor.tensor.sort import ArgSortOp, SortOp, argsort, sort

from theano.tensor.basic import argtopk, topk, topk_and_argtopk
