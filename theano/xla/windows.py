"""Windows of images as rows, as a JAX function."""

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
    planes = jnp.reshape(x, (-1, *x.shape[2:]))
    found = _along(2, _along(1, planes, shape[0], step[0]), shape[1], step[1])
    return found.reshape(-1, shape[0] * shape[1])


def _along(axis, x, window, step):
    """The windows along an axis, with their elements as a new last axis: copies, where a convolution would round."""
    span = max(0, (x.shape[axis] - window) // step + 1) * step
    before = (slice(None),) * axis
    return jnp.stack([x[*before, at:at + span:step] for at in range(window)], axis=-1)
