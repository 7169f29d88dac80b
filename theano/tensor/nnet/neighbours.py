"""Images as rows of their windows, and back."""

import pytensor.tensor as pt

from theano.link.host import static_shape
from theano.tensor.nnet.abstract_conv import sizes
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
    known, variables = sizes(neib_shape, neib_shape if neib_step is None else neib_step, axes=2)
    return apply(_to_rows, ten4, *variables, types=[tensor_type(ten4.dtype, (False, False))],
                 sizes=tuple(known), exact=mode == "valid")


def _to_rows(x, *variables, sizes, exact):
    return windows.to_rows(x, *(sizes or map(static_shape, variables)), exact)


def neibs2images(neibs, neib_shape, original_shape, mode="valid"):
    """Put windows that do not overlap back in their places, as `images2neibs` took them."""
    neib_shape = [neib_shape[0], neib_shape[1]]     # a vector has no length to unpack
    (rows, columns), = sizes(neib_shape, axes=2)[0] or [neib_shape]
    batch, channels, height, width = original_shape
    blocks = neibs.reshape((batch, channels, height // rows, width // columns, rows, columns))
    return blocks.dimshuffle(0, 1, 2, 4, 3, 5).reshape((batch, channels, height, width))
