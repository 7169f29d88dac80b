"""Arrays of exactly the wanted dtype."""

import numpy as np
import pytensor


def _asarray(a, dtype, order=None):
    """Make an array of `dtype`, which may be 'floatX'."""
    return np.asarray(a, pytensor.config.floatX if dtype == "floatX" else dtype, order=order)
