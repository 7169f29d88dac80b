"""Convolution of videos, with time as the second axis."""

from theano.tensor.nnet import abstract_conv


def conv3d(signals, filters, signals_shape=None, filters_shape=None, border_mode="valid"):
    """Convolve videos with filters.

    Parameters
    ----------
    signals : (batch, time, channels, rows, columns)
    filters : (output channels, time, channels, rows, columns)
    border_mode : str, or one for each of time, rows and columns
        See `theano.tensor.nnet.conv3d`.

    Returns
    -------
    (batch, time, output channels, rows, columns)
    """
    channels_first = 0, 2, 1, 3, 4
    found = abstract_conv.conv3d(signals.dimshuffle(channels_first),
                                 filters.dimshuffle(channels_first), border_mode=border_mode)
    return found.dimshuffle(channels_first)
