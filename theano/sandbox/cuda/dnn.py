"""cuDNN's convolution and pooling by Theano's names: those of `theano.tensor`, for which XLA calls cuDNN on a GPU."""

from theano import device
from theano.tensor.nnet import abstract_conv
from theano.tensor.signal import pool


def dnn_available():
    """Is a GPU in use?"""
    return device.in_use().platform in device.GPU


dnn_available.msg = "cuDNN needs a GPU, and none is in use; set THEANO_FLAGS=device=gpu"


def dnn_conv(img, kerns, border_mode="valid", subsample=(1, 1), conv_mode="conv", direction_hint=None, workmem=None,
             algo=None, precision=None):
    """`theano.tensor.nnet.conv2d`; conv_mode='cross' is a correlation. What tunes cuDNN is accepted."""
    return abstract_conv.conv2d(img, kerns, border_mode=border_mode, subsample=subsample, filter_flip=conv_mode == "conv")


def dnn_pool(img, ws, stride=(1, 1), mode="max", pad=(0, 0)):
    """`theano.tensor.signal.pool.pool_2d` of whole windows; mode 'average' is 'average_inc_pad'."""
    return pool.pool_2d(img, ws, True, stride, pad, "average_inc_pad" if mode == "average" else mode)
