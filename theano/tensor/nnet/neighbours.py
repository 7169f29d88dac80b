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
    mode : {'valid', 'ignore_borders', 'wrap_centered', 'half', 'full'}
        'valid' wants the windows to fill the image, 'ignore_borders' leaves out what is left over.
        'wrap_centered' has a window around each step, as if the image went on from its other
        side. 'half' and 'full' are 'valid' with half a window, or a window less one, of zeros
        around the image.

    Returns
    -------
    (batch * channels * windows, window rows * window columns)
    """
    if mode not in windows.MODES:
        raise NotImplementedError(f"images2neibs: mode={mode!r} is unknown; choose one of "
                                  f"{', '.join(windows.MODES)}")
    ten4 = pt.as_tensor_variable(ten4)
    known, variables = sizes(neib_shape, neib_shape if neib_step is None else neib_step, axes=2)
    return apply(_to_rows, ten4, *variables, types=[tensor_type(ten4.dtype, (False, False))],
                 sizes=tuple(known), mode=mode)


def _to_rows(x, *variables, sizes, mode):
    return windows.to_rows(x, *(sizes or map(static_shape, variables)), mode)


def neibs2images(neibs, neib_shape, original_shape, mode="valid"):
    """Put windows that do not overlap back in their places, as `images2neibs` took them.

    With mode='ignore_borders' there are zeros where no window was.
    """
    if mode not in ("valid", "ignore_borders"):
        raise NotImplementedError(f"neibs2images: mode={mode!r}; choose valid or ignore_borders")
    neib_shape = [neib_shape[0], neib_shape[1]]     # a vector has no length to unpack
    (rows, columns), = sizes(neib_shape, axes=2)[0] or [neib_shape]
    batch, channels, height, width = (original_shape[k] for k in range(4))
    down, across = height // rows, width // columns
    blocks = pt.as_tensor_variable(neibs).reshape((batch, channels, down, across, rows, columns))
    seen = blocks.dimshuffle(0, 1, 2, 4, 3, 5).reshape(
        (batch, channels, down * rows, across * columns))
    if mode == "valid":
        return pt.specify_shape(seen, (batch, channels, height, width))
    zeros = pt.zeros((batch, channels, height, width), seen.dtype)
    return pt.set_subtensor(zeros[:, :, :down * rows, :across * columns], seen)
