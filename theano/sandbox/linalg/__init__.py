"""Linear algebra by its older names."""

from theano.sandbox.linalg import ops  # noqa: I001 (names stand side by side)
from theano.sandbox.linalg.ops import (alloc_diag, cholesky, det, diag, eig, eigh, eigvalsh,
                                       extract_diag, matrix_inverse, psd, solve, trace)
