"""Convolutions and their gradients, as variables of a graph.

The gradients are there for networks that go upwards (transposed convolution); `theano.grad` finds
those of `conv2d` by itself.
"""

import math

import jax.numpy as jnp
import numpy as np
import pytensor
import pytensor.tensor as pt
from pytensor.graph.basic import Variable
from pytensor.scalar import upcast

from theano.link.host import static_shape
from theano.xla import convolution
from theano.xla.op import apply, tensor_type


def conv2d(input, filters, input_shape=None, filter_shape=None, border_mode="valid",
           subsample=(1, 1), filter_flip=True, image_shape=None, filter_dilation=(1, 1),
           num_groups=1, unshared=False, **kwargs):
    """Convolve images with filters.

    Parameters
    ----------
    input : (batch, input channels, rows, columns)
    filters : (output channels, input channels / num_groups, filter rows, filter columns)
    input_shape, filter_shape, image_shape : tuple, optional
        Sizes, as far as known; checked by XLA, not needed.
    border_mode : {'valid', 'full', 'half'}, int, or (int or pair, int or pair)
        Zeros around the image.
    subsample, filter_dilation : pair of int
    filter_flip : bool
        True for a convolution, False for a correlation.
    num_groups : int

    Returns
    -------
    (batch, output channels, output rows, output columns)
    """
    return convolved(2, input, filters, border_mode, subsample, filter_flip, filter_dilation,
                     num_groups, unshared)


def conv3d(input, filters, input_shape=None, filter_shape=None, border_mode="valid",
           subsample=(1, 1, 1), filter_flip=True, filter_dilation=(1, 1, 1), num_groups=1):
    """Convolve volumes with filters; as `conv2d`, with one axis more."""
    return convolved(3, input, filters, border_mode, subsample, filter_flip, filter_dilation,
                     num_groups)


def convolved(axes, input, filters, border_mode, subsample, filter_flip, filter_dilation,
              num_groups, unshared=False):
    """Convolve over the last `axes` dimensions."""
    input, filters = arrays(axes, unshared, input=input, filters=filters)
    batch, channels = input.type.broadcastable[0], filters.type.broadcastable[0]
    kind = tensor_type(input.dtype, (batch, channels, *(False,) * axes))
    return apply(convolution.conv2d, input, filters, types=[kind], **settings(
        axes, border_mode, subsample, filter_flip, filter_dilation, num_groups))


def conv2d_grad_wrt_inputs(output_grad, filters, input_shape, filter_shape=None,
                           border_mode="valid", subsample=1, filter_flip=True, filter_dilation=1,
                           num_groups=1, unshared=False):
    """Return the gradient of `conv2d` with respect to its input.

    Parameters
    ----------
    output_grad : (batch, output channels, output rows, output columns)
    filters : (output channels, input channels / num_groups, filter rows, filter columns)
    input_shape : tuple of four, or vector
        Shape of the input; its last two entries are needed, and may be symbolic.
    """
    return gradient(filters.ndim - 2, _to_inputs, output_grad, filters, input_shape, border_mode,
                    subsample, filter_flip, filter_dilation, num_groups, unshared)


def conv2d_grad_wrt_weights(input, output_grad, filter_shape, input_shape=None,
                            border_mode="valid", subsample=1, filter_flip=True, filter_dilation=1,
                            num_groups=1, unshared=False):
    """Return the gradient of `conv2d` with respect to its filters, of shape `filter_shape`."""
    return gradient(input.ndim - 2, _to_weights, input, output_grad, filter_shape, border_mode,
                    subsample, filter_flip, filter_dilation, num_groups, unshared)


# The same with one axis more, by the number of the arrays' dimensions.
conv3d_grad_wrt_inputs = conv2d_grad_wrt_inputs
conv3d_grad_wrt_weights = conv2d_grad_wrt_weights


def separable_conv2d(input, depthwise_filters, pointwise_filters, num_channels, input_shape=None,
                     depthwise_filter_shape=None, pointwise_filter_shape=None, border_mode="valid",
                     subsample=1, filter_flip=True, filter_dilation=1):
    """Convolve each channel by itself, then mix the channels by another convolution.

    Parameters
    ----------
    input : (batch, num_channels, rows, columns)
    depthwise_filters : (depthwise channels, 1, filter rows, filter columns)
    pointwise_filters : (output channels, depthwise channels, 1, 1)

    The others, which are for the first of the two, as for `conv2d`.
    """
    axes = input.ndim - 2
    found = convolved(axes, input, depthwise_filters, border_mode, subsample, filter_flip,
                      filter_dilation, num_channels)
    return convolved(axes, found, pointwise_filters, "valid", 1, filter_flip, 1, 1)


separable_conv3d = separable_conv2d     # with one axis more


def causal_conv1d(input, filters, filter_shape, input_shape=None, subsample=1, filter_flip=True,
                  filter_dilation=1, num_groups=1, unshared=False):
    """Convolve signals with filters that see no later sample.

    Parameters
    ----------
    input : (batch, channels, samples)
    filters : (output channels, channels / num_groups, filter samples)
    filter_shape : tuple of three
        The filters' shape; its last entry is needed.

    Returns
    -------
    (batch, output channels, samples)
    """
    before = (filter_shape[2] - 1) * filter_dilation
    found = conv2d(input.dimshuffle(0, 1, 2, "x"), filters.dimshuffle(0, 1, 2, "x"), None, None,
                   ((before, 0), (0, 0)), (subsample, 1), filter_flip, None, (filter_dilation, 1),
                   num_groups, unshared)
    return found.flatten(3)


def conv2d_transpose(input, filters, output_shape, filter_shape=None, border_mode="valid",
                     input_dilation=(1, 1), filter_flip=True, filter_dilation=(1, 1),
                     num_groups=1, unshared=False):
    """Transposed convolution: `conv2d_grad_wrt_inputs` as a layer of a network.

    `output_shape` is the shape of what comes out, `input_dilation` the stride by which it grows.
    """
    return conv2d_grad_wrt_inputs(input, filters, output_shape, filter_shape, border_mode,
                                  input_dilation, filter_flip, filter_dilation, num_groups,
                                  unshared)


def gradient(axes, function, first, second, shape, border_mode, subsample, filter_flip,
             filter_dilation, num_groups, unshared=False):
    """Return a gradient of a convolution; only the last `axes` entries of `shape` count."""
    first, second = arrays(axes, unshared, first=first, second=second)
    if isinstance(shape, list | tuple):
        shape = pt.stack([pt.as_tensor_variable(n) for n in shape[-axes:]])
    size = pt.as_tensor_variable(shape)[-axes:].astype("int64")
    kind = tensor_type(first.dtype, (False,) * (axes + 2))
    return apply(function, first, second, size, types=[kind], **settings(
        axes, border_mode, subsample, filter_flip, filter_dilation, num_groups))


def _to_inputs(g, w, size, **settings):
    return convolution.conv2d_grad_wrt_inputs(g, w, static_shape(size), **settings)


def _to_weights(x, g, size, **settings):
    return convolution.conv2d_grad_wrt_weights(x, g, static_shape(size), **settings)


class _Conv:
    """Theano's Ops are made from settings, then called with variables."""

    def __init__(self, imshp=None, kshp=None, border_mode="valid", subsample=1,
                 filter_flip=True, filter_dilation=1, num_groups=1, unshared=False):
        self.settings = {"border_mode": border_mode, "subsample": subsample or 1,
                         "filter_flip": filter_flip, "filter_dilation": filter_dilation or 1,
                         "num_groups": num_groups}
        refuse(unshared)


class AbstractConv2d(_Conv):
    """`conv2d` as an object."""

    def __call__(self, img, kern):
        """Convolve."""
        return convolved(img.ndim - 2, img, kern, **self.settings)


class AbstractConv2d_gradInputs(_Conv):
    """`conv2d_grad_wrt_inputs` as an object; `shape` is that of the rows and columns."""

    def __call__(self, kern, topgrad, shape):
        """Return the gradient of the images."""
        return conv2d_grad_wrt_inputs(topgrad, kern, shape, **self.settings)


class AbstractConv2d_gradWeights(_Conv):
    """`conv2d_grad_wrt_weights` as an object; `shape` is that of the rows and columns."""

    def __call__(self, img, topgrad, shape):
        """Return the gradient of the filters."""
        return conv2d_grad_wrt_weights(img, topgrad, shape, **self.settings)


AbstractConv3d = AbstractConv2d
AbstractConv3d_gradInputs = AbstractConv2d_gradInputs
AbstractConv3d_gradWeights = AbstractConv2d_gradWeights


def get_conv_output_shape(image_shape, kernel_shape, border_mode, subsample, filter_dilation=None):
    """Shape of a convolution's output; sizes that are None stay None."""
    axes = len(image_shape) - 2
    dilation = filter_dilation or (1,) * axes
    spans = [None if n is None else (n - 1) * d + 1
             for n, d in zip(kernel_shape[2:], dilation, strict=True)]
    sizes = []
    for k, (size, span) in enumerate(zip(image_shape[2:], spans, strict=True)):
        if size is None or span is None:
            sizes.append(None)
            continue
        mode = border_mode if isinstance(border_mode, str | int) else (border_mode[k],)
        (before, after), = convolution.padding(hashable(mode), [span])
        sizes.append((size + before + after - span) // subsample[k] + 1)
    return (image_shape[0], kernel_shape[0], *sizes)


def bilinear_upsampling(input, ratio=None, frac_ratio=None, batch_size=None,
                        num_input_channels=None, use_1D_kernel=True):
    """Give images more rows and columns, by linear interpolation.

    Parameters
    ----------
    input : (batch, channels, rows, columns)
    ratio : int, or scalar variable
        How many times as many.
    frac_ratio : pair of int, or pair of such pairs, in place of `ratio`
        Numerator and denominator, for both axes or for each.
    """
    if (ratio is None) == (frac_ratio is None):
        raise ValueError("bilinear_upsampling: give either ratio or frac_ratio")
    if frac_ratio is None:
        frac_ratio = ratio, 1
    pairs = frac_ratio if isinstance(frac_ratio[0], list | tuple) else (frac_ratio, frac_ratio)
    input = pt.as_tensor_variable(input)
    known, variables = sizes(*zip(*pairs, strict=True), axes=2)
    if not input.dtype.startswith("float"):
        input = input.astype(pytensor.config.floatX)
    kind = tensor_type(input.dtype, (*input.type.broadcastable[:2], False, False))
    return apply(_upsampled, input, *variables, types=[kind], ratios=tuple(known))


def _upsampled(x, *variables, ratios):
    """Keep Theano's positions: the first pixel lies (ratio - 1) // 2 in, the last is repeated."""
    steps, strides = ratios or map(static_shape, variables)
    for axis, step, stride in zip((2, 3), steps, strides, strict=True):
        common = math.gcd(step, stride)
        step, stride = step // common, stride // common
        last = x.shape[axis] - 1
        where = np.arange(0, (last + 1) * step, stride) - (step - 1) // 2
        where = np.clip(where / step, 0, last)
        low = np.floor(where).astype(int)
        part = jnp.asarray(where - low, x.dtype)
        part = jnp.expand_dims(part, [k for k in range(4) if k != axis])
        x = (jnp.take(x, low, axis) * (1 - part)
             + jnp.take(x, np.minimum(low + 1, last), axis) * part)
    return x


def frac_bilinear_upsampling(input, frac_ratio):
    """See `bilinear_upsampling`."""
    return bilinear_upsampling(input, frac_ratio=frac_ratio)


def bilinear_kernel_2D(ratio, normalize=True):
    """Weights of bilinear interpolation: (2 ratio - 1, 2 ratio - 1)."""
    weights = bilinear_kernel_1D(ratio, normalize)
    return weights.dimshuffle(0, "x") * weights


def bilinear_kernel_1D(ratio, normalize=True):
    """Weights of linear interpolation between points `ratio` apart: (2 ratio - 1,)."""
    weights = pt.concatenate([pt.arange(1, ratio + 1), pt.arange(ratio - 1, 0, -1)])
    weights = weights.astype(pytensor.config.floatX)
    return weights / ratio if normalize else weights


def arrays(axes, unshared, **variables):
    """Give arrays of batch, channels and `axes` dimensions their common dtype; refuse others."""
    refuse(unshared)
    found = []
    for name, variable in variables.items():
        variable = pt.as_tensor_variable(variable)
        if variable.ndim != axes + 2:
            raise TypeError(f"conv{axes}d: {name} has {variable.ndim} dimensions and needs "
                            f"{axes + 2}: batch or output channels, channels, and {axes} of space")
        found.append(variable)
    dtype = upcast(*(v.dtype for v in found))   # in the graph: the gradients are in it, too
    return [variable.astype(dtype) for variable in found]


def refuse(unshared):
    """Refuse Theano's locally connected form, which is not implemented."""
    if unshared:
        raise NotImplementedError("theano.tensor.nnet.conv2d: unshared=True is not supported")


def settings(axes, border_mode, subsample, filter_flip, filter_dilation, num_groups):
    """Make the keyword arguments of theano.xla.convolution."""
    return {"border_mode": hashable(border_mode), "subsample": entries(subsample, axes),
            "filter_dilation": entries(filter_dilation, axes), "num_groups": int(num_groups),
            "filter_flip": bool(filter_flip)}


def sizes(*values, axes):
    """Make tuples, for settings, of sizes that are one int for all axes, or one for each.

    If any is a variable, make vectors of all, for inputs. Of the two lists returned one is empty.
    """
    parts = [v if isinstance(v, list | tuple) else [v] for v in values]
    if not any(isinstance(n, Variable) for part in parts for n in part):
        return [entries(v, axes) for v in values], []
    found = []
    for value, part in zip(values, parts, strict=True):
        if not isinstance(value, Variable) or value.ndim == 0:
            value = pt.stack(part * axes if len(part) == 1 else part)
        found.append(value.astype("int64"))
    return [], found


def entries(value, axes):
    """Make a tuple of one int for all axes, or of one for each."""
    several = tuple(int(v) for v in value) if isinstance(value, list | tuple) else ()
    return several or (int(value),) * axes


def hashable(border_mode):
    """Put tuples for lists in a border mode."""
    if isinstance(border_mode, list | tuple):
        return tuple(map(hashable, border_mode))
    return border_mode if isinstance(border_mode, str) else int(border_mode)
