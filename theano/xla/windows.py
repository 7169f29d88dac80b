"""Windows of images as rows, as a JAX function."""

import jax.numpy as jnp

MODES = "valid", "ignore_borders", "wrap_centered", "half", "full"


def to_rows(x, shape, step, mode):
    """Make (batch * channels * windows, elements of a window) of (batch, channels, rows, columns).

    Parameters
    ----------
    shape, step : tuple of int
        Size of a window, and step between windows, along rows and columns.
    mode : str
        See `theano.tensor.nnet.neighbours.images2neibs`.

    Raises
    ------
    TypeError
        The windows do not fit the image.
    """
    if min(*shape, *step) < 1:
        raise ValueError(f"images2neibs: windows of {shape} in steps of {step}; "
                         "both have to be 1 or more")
    if mode == "wrap_centered" and not all(w % 2 and w <= n
                                           for w, n in zip(shape, x.shape[2:], strict=True)):
        raise TypeError(f"images2neibs: mode='wrap_centered' needs windows of odd sizes that are "
                        f"no larger than the image, {x.shape[2:]}; these are {shape}")
    around = {"full": [w - 1 for w in shape]}.get(mode, [w // 2 for w in shape])
    planes = jnp.reshape(x, (-1, *x.shape[2:]))
    if mode in ("wrap_centered", "half", "full"):
        ends = [(0, 0), *((n, n) for n in around)]
        planes = jnp.pad(planes, ends, mode="wrap" if mode == "wrap_centered" else "constant")
    exact = mode in ("valid", "half", "full")
    if exact and any((n - w) % s for n, w, s in zip(planes.shape[1:], shape, step, strict=True)):
        raise TypeError(f"images2neibs: windows of {shape} in steps of {step} do not fill images "
                        f"of {x.shape[2:]} in mode={mode!r}; use mode='ignore_borders'")
    found = _along(2, _along(1, planes, shape[0], step[0]), shape[1], step[1])
    return found.reshape(-1, shape[0] * shape[1])


def _along(axis, x, window, step):
    """Copy the windows along an axis to a new last axis; a convolution would round them."""
    span = max(0, (x.shape[axis] - window) // step + 1) * step
    before = (slice(None),) * axis
    return jnp.stack([x[*before, at:at + span:step] for at in range(window)], axis=-1)
