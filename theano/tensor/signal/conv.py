"""Convolution of single images."""

import pytensor.tensor as pt

from theano.tensor.nnet.abstract_conv import conv2d as many


def conv2d(input, filters, image_shape=None, filter_shape=None, border_mode="valid",
           subsample=(1, 1), **kwargs):
    """Convolve each image with each filter.

    Parameters
    ----------
    input : (rows, columns) or (images, rows, columns)
    filters : (rows, columns) or (filters, rows, columns)

    Returns
    -------
    ([images,] [filters,] output rows, output columns)
    """
    input, filters = pt.as_tensor_variable(input), pt.as_tensor_variable(filters)
    images = input if input.ndim == 3 else input.dimshuffle("x", 0, 1)
    bank = filters if filters.ndim == 3 else filters.dimshuffle("x", 0, 1)
    output = many(images.dimshuffle(0, "x", 1, 2), bank.dimshuffle(0, "x", 1, 2),
                  border_mode=border_mode, subsample=subsample)
    output = output if filters.ndim == 3 else output[:, 0]
    return output if input.ndim == 3 else output[0]
