"""Linear algebra that Theano took from SciPy."""

from pytensor.tensor import linalg
from pytensor.tensor.linalg import cholesky, eigvalsh, expm, kron, solve, solve_triangular


def solve_lower_triangular(a, b):
    """Solve a x = b for a lower triangular matrix."""
    return solve_triangular(a, b, lower=True)


def solve_upper_triangular(a, b):
    """Solve a x = b for an upper triangular matrix."""
    return solve_triangular(a, b, lower=False)


def __getattr__(name):
    return getattr(linalg, name)
