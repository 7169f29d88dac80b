"""Pickles that cannot run code: NumPy arrays of numbers and plain Python values, nothing else."""

import os
import pickle
import pickletools
from typing import Any, BinaryIO

import numpy as np

from mirdl.system.whole_files import whole


def _empty_array(subtype: type, shape: tuple, kind: bytes) -> np.ndarray:
    """Stand in for NumPy's _reconstruct.

    Every pickled array calls it for an empty array, but a file made by hand may call it for any
    shape.
    """
    return np.empty(0, np.int8)


def _dtype(text: str, *_: object) -> np.dtype:
    """Return NumPy's own dtype of numbers, one for all, whose state a pickle cannot change.

    A pickle asks for a copy of a dtype and then sets its state. A copy, or a dtype of another byte
    order, accepts any state: objects that look like numbers and whose pointers come from the file,
    or items larger than what the file holds.

    Raises
    ------
    UnpicklingError
        If the type is not one of numbers.
    """
    dtype = np.dtype(text)
    if dtype.kind not in "biufc" or dtype.isbuiltin != 1:
        raise pickle.UnpicklingError(
            f"it holds values of the type {text}, which are not numbers of this machine")
    return dtype


# What an ndarray's pickle refers to, in the packages of NumPy 1 and 2, and what replaces it;
# None: NumPy's own.
_ADMITTED = {("numpy", "ndarray"): object, ("numpy", "dtype"): _dtype} | {
    (package + module, name): ours
    for package in ("numpy.core.", "numpy._core.")
    for module, name, ours in (("multiarray", "_reconstruct", _empty_array),
                               ("multiarray", "scalar", None),
                               ("numeric", "_frombuffer", None))}


class _Unpickler(pickle.Unpickler):

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in _ADMITTED:
            raise pickle.UnpicklingError(
                f"it refers to {module}.{name}, which is neither a NumPy array nor a plain value")
        return _ADMITTED[module, name] or super().find_class(module, name)


def dump(value: object, path: str | os.PathLike) -> None:
    """Pickle `value` to the file `path`, completely or not at all.

    Raises
    ------
    UserError
        If the file cannot be written.
    """
    with whole(path, "wb") as file:
        pickle.dump(value, file, protocol=5)


def load(path: str | os.PathLike) -> Any:       # noqa: ANN401 (whatever was pickled)
    """Load what was pickled to the file `path`.

    Raises
    ------
    ValueError
        If the file is truncated, is no pickle, or holds anything but NumPy arrays of numbers and
        plain Python values.
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
        except Exception as error:      # a broken pickle can raise anything, even MemoryError
            raise ValueError(str(error) or type(error).__name__) from error


def _check_memo(file: BinaryIO) -> None:
    """Refuse object numbers higher than the file can hold objects.

    The unpickler allocates memory up to the highest number.
    """
    for opcode, number, place in pickletools.genops(file):
        if opcode.name.endswith("PUT") and number > place:
            raise ValueError(f"it numbers an object {number} after {place} bytes")
