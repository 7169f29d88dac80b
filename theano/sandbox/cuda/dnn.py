"""cuDNN's functions by the names of Theano's first GPU backend; see `theano.gpuarray.dnn`."""

from theano import device  # noqa: I001 (names stand side by side)
from theano.gpuarray.dnn import (GpuDnnConv, dnn_batch_normalization_test,
                                 dnn_batch_normalization_train, dnn_conv, dnn_conv3d,
                                 dnn_gradinput, dnn_gradweight, dnn_pool)


def dnn_available():
    """Tell whether a GPU is in use."""
    return device.in_use().platform in device.GPU


dnn_available.msg = "cuDNN needs a GPU, and none is in use; set THEANO_FLAGS=device=gpu"
