"""Batch normalisation."""

import pytensor.tensor as pt


def axes_of(x, axes):
    """Return the axes to normalise: 'per-activation' is the first, 'spatial' all but the second."""
    if axes == "per-activation":
        return (0,)
    if axes == "spatial":
        return (0, *range(2, x.ndim))
    if isinstance(axes, str):
        raise ValueError(f"axes={axes!r}; give 'per-activation', 'spatial' or a tuple of ints")
    return tuple(int(axis) % x.ndim for axis in axes)


def fitted(parameter, x, axes):
    """Let a parameter broadcast over `axes`; it has x's dimensions, or those that are kept."""
    parameter = pt.as_tensor_variable(parameter)
    if parameter.ndim == x.ndim:
        return pt.specify_broadcastable(parameter, *axes)
    kept = iter(range(parameter.ndim))
    return parameter.dimshuffle(*("x" if axis in axes else next(kept) for axis in range(x.ndim)))


def batch_normalization_train(inputs, gamma, beta, axes="per-activation", epsilon=1e-4,
                              running_average_factor=0.1, running_mean=None, running_var=None):
    """Normalise a batch by its own mean and variance.

    Parameters
    ----------
    inputs : (batch, ...)
    gamma, beta : scale and shift, of the shape of `inputs` with size 1 in `axes`
    axes : {'per-activation', 'spatial'} or tuple of int
    epsilon : float
        Added to the variance.
    running_average_factor : float
        Weight of this batch in the new running averages.
    running_mean, running_var : as gamma, optional

    Returns
    -------
    list
        The normalised batch, its mean, one over its standard deviation, and, if given, the new
        running mean and variance (the variance that is fit for a sample), all but the first with
        the dimensions that gamma has.
    """
    inputs, gamma = pt.as_tensor_variable(inputs), pt.as_tensor_variable(gamma)
    axes = axes_of(inputs, axes)
    kept = range(inputs.ndim) if gamma.ndim == inputs.ndim else [
        axis for axis in range(inputs.ndim) if axis not in axes]
    gamma, beta = fitted(gamma, inputs, axes), fitted(beta, inputs, axes)
    mean = inputs.mean(axes, keepdims=True)
    variance = inputs.var(axes, keepdims=True)
    scale = 1 / pt.sqrt(variance + epsilon)
    results = [mean, scale]
    keep = 1 - running_average_factor
    if running_mean is not None:
        results.append(fitted(running_mean, inputs, axes) * keep + mean * running_average_factor)
    if running_var is not None:
        count = pt.prod([inputs.shape[axis] for axis in axes]).astype(inputs.dtype)
        unbiased = variance * count / (count - 1)
        results.append(fitted(running_var, inputs, axes) * keep + unbiased * running_average_factor)
    return [(inputs - mean) * (gamma * scale) + beta, *(v.dimshuffle(*kept) for v in results)]


def batch_normalization_test(inputs, gamma, beta, mean, var, axes="per-activation", epsilon=1e-4):
    """Normalise by a given mean and variance; see `batch_normalization_train`."""
    inputs = pt.as_tensor_variable(inputs)
    axes = axes_of(inputs, axes)
    gamma, beta, mean, var = (fitted(v, inputs, axes) for v in (gamma, beta, mean, var))
    return (inputs - mean) * gamma / pt.sqrt(var + epsilon) + beta


def batch_normalization(inputs, gamma, beta, mean, std, mode="low_mem"):
    """Return (inputs - mean) gamma / std + beta, all broadcasting against `inputs`."""
    if mode not in ("low_mem", "high_mem"):
        raise ValueError(f"mode={mode!r}; give 'low_mem' or 'high_mem', XLA computes both alike")
    return (inputs - mean) * (gamma / std) + beta
