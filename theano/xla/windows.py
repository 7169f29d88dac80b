"""Windows of images as rows, as a JAX function."""

import jax.numpy as jnp


def to_rows(x, shape, step, exact):
    """Make (batch * channels * windows, elements of a window) of (batch, channels, rows, columns).

    If `exact`, windows that do not fill the image are a ValueError.
    """
    if exact and any((n - w) % s for n, w, s in zip(x.shape[2:], shape, step, strict=True)):
        raise ValueError(f"images2neibs: windows of {shape} in steps of {step} do not fill images "
                         f"of {x.shape[2:]}; use mode='ignore_borders'")
    planes = jnp.reshape(x, (-1, *x.shape[2:]))
    found = _along(2, _along(1, planes, shape[0], step[0]), shape[1], step[1])
    return found.reshape(-1, shape[0] * shape[1])


def _along(axis, x, window, step):
    """Copy the windows along an axis to a new last axis; a convolution would round them."""
    span = max(0, (x.shape[axis] - window) // step + 1) * step
    before = (slice(None),) * axis
    return jnp.stack([x[*before, at:at + span:step] for at in range(window)], axis=-1)
