"""What pickles from GPUs name: arrays are read as NumPy's, shared variables as any other."""

from theano.compile.sharedvalue import TensorSharedVariable as GpuArraySharedVariable
from theano.gof.utils import scratchpad as GpuArrayType


def GpuArray_unpickler(value, context_name):
    """Return the NumPy array that was pickled for an array on a GPU."""
    return value
