"""Linear algebra."""

from pytensor.tensor import diag, trace  # noqa: I001 (names stand side by side)
from pytensor.tensor import linalg
from pytensor.tensor.linalg import (det, eig, eigh, lstsq, matrix_dot, matrix_power, norm, pinv, qr,
                                    svd, tensorinv, tensorsolve)
from pytensor.tensor.linalg import inv as matrix_inverse

alloc_diag = extract_diag = diag


def __getattr__(name):
    return getattr(linalg, name)
