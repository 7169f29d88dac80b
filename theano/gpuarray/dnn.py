"""cuDNN's functions by Theano's names: those of `theano.tensor`, which XLA gives to cuDNN.

What only tunes cuDNN is accepted.
"""

from theano.tensor.nnet import abstract_conv, bn
from theano.tensor.signal import pool


def dnn_present(context_name=None):
    """Return True: these functions are there on every device."""
    return True


dnn_present.msg = ""
dnn_available = dnn_present


def dnn_conv(img, kerns, border_mode="valid", subsample=1, conv_mode="conv", direction_hint=None,
             workmem=None, algo=None, precision=None, dilation=1, num_groups=1):
    """Convolve as `theano.tensor.nnet.conv2d` or `conv3d`; conv_mode='cross' is a correlation."""
    return abstract_conv.convolved(img.ndim - 2, img, kerns, border_mode, subsample,
                                   conv_mode == "conv", dilation, num_groups)


dnn_conv3d = dnn_conv


class GpuDnnConv:
    """cuDNN's convolution, by which scripts ask for shapes."""

    @staticmethod
    def get_out_shape(ishape, kshape, border_mode, subsample, dilation=None):
        """Return the output's shape; see `abstract_conv.get_conv_output_shape`."""
        return abstract_conv.get_conv_output_shape(ishape, kshape, border_mode, subsample, dilation)


def dnn_gradweight(img, topgrad, kerns_shp, border_mode="valid", subsample=1, conv_mode="conv"):
    """Return the gradient of `dnn_conv` for its filters, of shape `kerns_shp`."""
    return abstract_conv.conv2d_grad_wrt_weights(
        img, topgrad, kerns_shp, None, border_mode, subsample, conv_mode == "conv")


def dnn_gradinput(kerns, topgrad, img_shp, border_mode="valid", subsample=1, conv_mode="conv"):
    """Return the gradient of `dnn_conv` for its images, of shape `img_shp`."""
    return abstract_conv.conv2d_grad_wrt_inputs(
        topgrad, kerns, img_shp, None, border_mode, subsample, conv_mode == "conv")


def dnn_pool(img, ws, stride=None, mode="max", pad=None):
    """Pool whole windows as `pool_2d` or `pool_3d`; mode 'average' is 'average_inc_pad'."""
    axes = len(ws) if isinstance(ws, list | tuple) else img.ndim - 2
    return pool.pooled(axes, img, ws, True, (1,) * axes if stride is None else stride,
                       (0,) * axes if pad is None else pad,
                       "average_inc_pad" if mode == "average" else mode)


def dnn_batch_normalization_train(inputs, gamma, beta, mode="per-activation", epsilon=1e-4,
                                  running_average_factor=0.1, running_mean=None, running_var=None):
    """See `theano.tensor.nnet.bn.batch_normalization_train`; `mode` are its axes."""
    return bn.batch_normalization_train(inputs, gamma, beta, mode, epsilon, running_average_factor,
                                        running_mean, running_var)


def dnn_batch_normalization_test(inputs, gamma, beta, mean, var, mode="per-activation",
                                 epsilon=1e-4):
    """See `theano.tensor.nnet.bn.batch_normalization_test`; `mode` are its axes."""
    return bn.batch_normalization_test(inputs, gamma, beta, mean, var, mode, epsilon)
