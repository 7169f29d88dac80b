"""Linear algebra."""

from pytensor.tensor import diag, trace  # noqa: I001 (names stand side by side)
from pytensor.tensor import linalg
from pytensor.tensor.linalg import (det, eig, matrix_dot, matrix_power, norm, pinv, svd, tensorinv,
                                    tensorsolve)
from pytensor.tensor.linalg import inv as matrix_inverse

alloc_diag = extract_diag = diag
lstsq = type(linalg.lstsq)      # in Theano the Op's class


def eigh(a, UPLO="L"):
    """Return eigenvalues and eigenvectors of a symmetric matrix, read from one triangle."""
    return linalg.eigh(a, lower=UPLO == "L")


def qr(a, mode="reduced"):
    """Return q and r, or r alone; PyTensor's default mode is another."""
    return linalg.qr(a, mode)


def __getattr__(name):
    return getattr(linalg, name)
