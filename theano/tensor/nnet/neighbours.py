"""Images as rows of their windows, and back."""

import pytensor.tensor as pt

from theano.tensor.nnet.abstract_conv import entries
from theano.xla import windows
from theano.xla.op import apply, tensor_type


def images2neibs(ten4, neib_shape, neib_step=None, mode="valid"):
    """Each window of each image as a row.

    Parameters
    ----------
    ten4 : (batch, channels, rows, columns)
    neib_shape, neib_step : pair of int
        Size of a window, and step between windows (its size by default).
    mode : {'valid', 'ignore_borders'}
        'valid' wants the windows to fill the image; the other leaves out what is left over.

    Returns
    -------
    (batch * channels * windows, window rows * window columns)
    """
    if mode not in ("valid", "ignore_borders"):
        raise NotImplementedError(f"theano.tensor.nnet.neighbours: mode={mode!r} is not supported")
    ten4 = pt.as_tensor_variable(ten4)
    shape = entries(neib_shape, 2)
    return apply(windows.to_rows, ten4, types=[tensor_type(ten4.dtype, (False, False))],
                 shape=shape, step=entries(neib_step or shape, 2), exact=mode == "valid")


def neibs2images(neibs, neib_shape, original_shape, mode="valid"):
    """Put windows that do not overlap back in their places, as `images2neibs` took them."""
    rows, columns = entries(neib_shape, 2)
    batch, channels, height, width = original_shape
    blocks = neibs.reshape((batch, channels, height // rows, width // columns, rows, columns))
    return blocks.dimshuffle(0, 1, 2, 4, 3, 5).reshape((batch, channels, height, width))
