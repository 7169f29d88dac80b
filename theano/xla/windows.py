"""Windows of images as rows, as a JAX function."""

import jax
import jax.numpy as jnp


def to_rows(x, shape, step, exact):
    """x: (batch, channels, rows, columns) -> (batch * channels * windows, elements of a window).

    Raises
    ------
    ValueError
        If `exact`, and the windows do not fill the image.
    """
    if exact and any((n - w) % s for n, w, s in zip(x.shape[2:], shape, step)):
        raise ValueError(f"images2neibs: windows of {shape} in steps of {step} do not fill images "
                         f"of {x.shape[2:]}; use mode='ignore_borders'")
    planes = jnp.reshape(x, (-1, 1, *x.shape[2:]))
    found = jax.lax.conv_general_dilated_patches(planes, shape, step, "VALID")
    return jnp.moveaxis(found, 1, -1).reshape(-1, shape[0] * shape[1])
