"""What pickles from GPUs name; see `theano.gpuarray.type`."""

from theano.gof.utils import scratchpad as CudaNdarrayType


def CudaNdarray_unpickler(value):
    """Return the NumPy array that was pickled for an array on a GPU."""
    return value
