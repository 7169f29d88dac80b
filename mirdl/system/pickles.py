"""Pickles that cannot run code: NumPy arrays of numbers and plain Python values, nothing else."""

import pickle
import pickletools

import numpy as np

from mirdl.system.whole_files import whole


def _empty_array(subtype, shape, kind):
    """What NumPy's _reconstruct is asked for in every pickled array; a file made by hand may ask it for any shape."""
    return np.empty(0, np.int8)


def _dtype(text, *_):
    """NumPy's own dtype of numbers, one for all, on which a pickle's state has no effect.

    Of a copy, which the pickle asks for, or of another byte order it would take any: objects that look like numbers, whose
    pointers then stand in the file, or items that are larger than what is there to be read.
    """
    dtype = np.dtype(text)
    if dtype.kind not in "biufc" or dtype.isbuiltin != 1:
        raise pickle.UnpicklingError(f"it holds values of the type {text}, which are no numbers of this machine")
    return dtype


# what an ndarray's pickle refers to (in the two homes of NumPy 1 and 2), and what we put for it; None: as it is
_ADMITTED = {("numpy", "ndarray"): object, ("numpy", "dtype"): _dtype} | {
    (home + module, name): ours
    for home in ("numpy.core.", "numpy._core.")
    for module, name, ours in (("multiarray", "_reconstruct", _empty_array), ("multiarray", "scalar", None),
                               ("numeric", "_frombuffer", None))}


class _Unpickler(pickle.Unpickler):

    def find_class(self, module, name):
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(f"it refers to {module}.{name}, which is neither a NumPy array nor a plain value")
        return _ADMITTED[module, name] or super().find_class(module, name)


def dump(value, path):
    """Pickle `value` to the file `path`, whole or not at all."""
    with whole(path, "wb") as file:
        pickle.dump(value, file, protocol=5)


def load(path):
    """What was pickled to the file `path`.

    Raises
    ------
    ValueError
        If the file is truncated, no pickle, or holds anything but NumPy arrays of numbers and plain Python values.
    OSError
        If it cannot be read.
    """
    with open(path, "rb") as file:
        try:
            _check_memo(file)
            file.seek(0)
            return _Unpickler(file).load()
        except OSError:
            raise
        except Exception as error:      # a broken pickle can raise nearly anything, MemoryError included
            raise ValueError(str(error) or type(error).__name__) from error


def _check_memo(file):
    """Refuse numbers of objects that the file cannot hold: the unpickler takes memory up to the highest one."""
    for opcode, number, place in pickletools.genops(file):
        if opcode.name.endswith("PUT") and number > place:
            raise ValueError(f"it numbers an object {number} after {place} bytes")
