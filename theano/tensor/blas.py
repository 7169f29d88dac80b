"""Products of matrices by BLAS's names: PyTensor's."""

from pytensor.tensor import blas as _blas

from theano.tensor.basic import batched_dot, batched_tensordot


def __getattr__(name):
    return getattr(_blas, name)
