"""Types of tensors, and the functions that make variables of them."""

from pytensor import config  # noqa: I001 (names stand side by side)
from pytensor.tensor.type import (TensorType, bcol, bmatrix, brow, bscalar, btensor3, btensor4,
                                  bvector, ccol, cmatrix, crow, cscalar, ctensor3, ctensor4,
                                  cvector, dcol, dmatrix, drow, dscalar, dtensor3, dtensor4,
                                  dtensor5, dvector, fcol, fmatrix, frow, fscalar, ftensor3,
                                  ftensor4, ftensor5, fvector, icol, imatrix, irow, iscalar,
                                  itensor3, itensor4, itensor5, ivector, lcol, lmatrix, lrow,
                                  lscalar, ltensor3, ltensor4, ltensor5, lvector, wcol, wmatrix,
                                  wrow, wscalar, wtensor3, wtensor4, wvector, zcol, zmatrix,
                                  zrow, zscalar, ztensor3, ztensor4, zvector)

PREFIXES = {"b": "int8", "w": "int16", "i": "int32", "l": "int64", "f": "float32",
            "d": "float64", "c": "complex64", "z": "complex128"}
BROADCASTABLE = {"scalar": (), "vector": (False,), "row": (True, False), "col": (False, True),
                 "matrix": (False, False), "tensor3": (False,) * 3, "tensor4": (False,) * 4,
                 "tensor5": (False,) * 5, "tensor6": (False,) * 6, "tensor7": (False,) * 7}


def tensor(dtype, broadcastable, name=None):
    """Make a variable for arrays of `dtype`, with size 1 where `broadcastable` says so."""
    return TensorType(dtype, tuple(map(bool, broadcastable)))(name)


def _one(kind):
    def constructor(name=None, dtype=None):
        return tensor(dtype or config.floatX, BROADCASTABLE[kind], name)
    constructor.__doc__ = f"A {kind} variable; `dtype` is floatX unless given."
    return constructor


def _several(constructor):
    def constructors(*names):
        names = names[0] if len(names) == 1 else names
        if isinstance(names, int):
            return constructor() if names == 1 else [constructor() for _ in range(names)]
        return constructor(*names) if len(names) == 1 else [constructor(n) for n in names]
    constructors.__doc__ = "Several variables: names, one string of letters, or how many."
    return constructors


scalar, vector, row, col, matrix, tensor3, tensor4, tensor5, tensor6, tensor7 = map(
    _one, BROADCASTABLE)
scalars, vectors, rows, cols, matrices, tensor3s, tensor4s, tensor5s = map(
    _several, (scalar, vector, row, col, matrix, tensor3, tensor4, tensor5))

PLURALS = {"scalar": "scalars", "vector": "vectors", "row": "rows", "col": "cols",
           "matrix": "matrices", "tensor3": "tensor3s", "tensor4": "tensor4s"}
for _letter, _dtype in PREFIXES.items():
    for _kind, _plural in PLURALS.items():
        globals()[_letter + _plural] = _several(TensorType(_dtype, BROADCASTABLE[_kind]))
