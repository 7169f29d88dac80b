"""Moves of arrays to a GPU and back: XLA does them."""

from theano.tensor.basic import as_tensor_variable as as_gpuarray_variable


def gpu_contiguous(x):
    """Return x itself."""
    return x


gpu_from_host = host_from_gpu = gpu_contiguous
