"""Windows of 3 s, each of which a network has made into numbers: spectrograms of few frames."""

from collections.abc import Callable

import numpy as np

from mirdl.frames import WINDOW, WINDOW_HOP
from mirdl.spectrograms.chunks import filled


def finished(found: np.ndarray | str, network: Callable | None) -> np.ndarray | str:
    """Send what was decoded with `frames.before_network` through a network, if there is one.

    Parameters
    ----------
    found : ndarray, Stored or str
        float32, (bands, frames), or why there is none.
    network : callable or None
        x: (1, 1, bands, WINDOW) -> (1, numbers).

    Returns
    -------
    ndarray or str
        As it is, or float32, (numbers, windows). A song shorter than a window is repeated.
    """
    if isinstance(found, str) or network is None:
        return found
    found = filled(np.asarray(found), WINDOW, "repeat")
    # one by one: another size of batch would be compiled anew, and change the last digits
    windows = [network(found[None, None, :, start:start + WINDOW])
               for start in range(0, found.shape[1] - WINDOW + 1, WINDOW_HOP)]
    return np.ascontiguousarray(np.concatenate(windows).T)
