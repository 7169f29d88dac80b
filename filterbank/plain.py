"""The filter bank as convolutions and maxima alone, which every converter of networks knows."""

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from filterbank.xla import grouped


def largest(
    x: jax.Array, *parameters: jax.Array, pool_bands: int,
) -> tuple[jax.Array, jax.Array]:
    """Find the largest output of every filter, and where it is; see `filterbank.xla.largest`."""
    weights, biases = parameters[::2], parameters[1::2]
    frames, groups = x.shape[3], x.shape[2] // pool_bands
    x = x[:, :, :groups * pool_bands]
    values, places = [], []
    lengths = np.repeat([w.shape[3] for w in weights], [len(w) for w in weights])
    for length in np.unique(lengths):       # filters of one length share a convolution
        w = jnp.concatenate([w[..., ::-1] for w in weights if w.shape[3] == length])
        y = lax.conv_general_dilated(x, w, (1, 1), "VALID",
                                     dimension_numbers=("NCHW", "OIHW", "NCHW"))
        windows = y.shape[3]
        y = grouped(y, pool_bands)
        values.append(y.max(axis=3))
        at = y.argmax(axis=3).astype(jnp.int32)
        places.append(at // windows * frames + at % windows)
    value, where = jnp.concatenate(values, axis=1), jnp.concatenate(places, axis=1)
    back = np.argsort(np.argsort(lengths, kind="stable"))
    if (np.diff(back) != 1).any():      # the lengths were not in order
        value, where = value[:, back], where[:, back]
    return value + jnp.concatenate(biases)[:, None], where
