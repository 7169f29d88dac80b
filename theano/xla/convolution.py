"""Convolution in Theano's conventions, as JAX functions.

sum(g * convolution(x, w)) is linear in g, in x and in w. Its derivatives are the convolution and
the gradients with respect to x and w: each of these three functions has the other two as its own
gradients. All take any number of spatial axes: rows and columns, a volume has one more.
"""

import functools
import itertools
import math
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax

# Bytes of patches to multiply at once: they should stay in a core's second-level cache.
CACHE = 2 ** 20
# Windows of up to so many taps are worth patches. Each tap makes the program longer.
MOST_TAPS = 25
# Into how many parts a batch is cut for the gradient of w: smaller products stay in the cache.
PARTS = 4


class Geometry(NamedTuple):
    """What a convolution is besides its arrays; the tuples have one entry for each spatial axis."""

    image: tuple
    window: tuple
    padding: tuple      # of (before, after)
    stride: tuple
    dilation: tuple
    groups: int

    @property
    def span(self):
        """Elements from the first tap of a window to its last."""
        axes = zip(self.window, self.dilation, strict=True)
        return [(taps - 1) * gap + 1 for taps, gap in axes]

    @property
    def out(self):
        """Sizes of the output."""
        axes = zip(self.image, self.padding, self.span, self.stride, strict=True)
        return [(size + before + after - span) // step + 1
                for size, (before, after), span, step in axes]


def padding(border_mode, span):
    """Zeros to add before and after each spatial axis.

    Parameters
    ----------
    border_mode : {'valid', 'half', 'full'}, int or tuple
        One int for all axes, or one entry for each axis: a name, an int, or a pair (before, after).
    span : list of int
        Size of the dilated filter along each spatial axis.

    Returns
    -------
    tuple of (int, int)
    """
    named = {"valid": [0] * len(span), "half": [n // 2 for n in span],
             "full": [n - 1 for n in span]}
    if isinstance(border_mode, str) and border_mode not in named:
        raise ValueError(f"border_mode={border_mode!r} is unknown; "
                         "choose 'valid', 'half', 'full' or numbers")
    if isinstance(border_mode, str):
        border_mode = named[border_mode]
    elif isinstance(border_mode, int):
        border_mode = [border_mode] * len(span)
    border_mode = [named[p][k] if isinstance(p, str) else p for k, p in enumerate(border_mode)]
    return tuple((p, p) if isinstance(p, int) else tuple(p) for p in border_mode)


def _geometry(x_shape, w_shape, border_mode="valid", subsample=(1, 1), filter_dilation=(1, 1),
              num_groups=1):
    """Return the Geometry of arrays that fit each other; anything else is a ValueError."""
    if x_shape[1] != w_shape[1] * num_groups or w_shape[0] % num_groups:
        raise ValueError(
            f"x {tuple(x_shape)} and w {tuple(w_shape)} do not fit with num_groups={num_groups}: "
            "x needs num_groups times w's channels, w a multiple of num_groups filters")
    geometry = Geometry(image=tuple(x_shape[2:]), window=tuple(w_shape[2:]), padding=(),
                        stride=tuple(subsample), dilation=tuple(filter_dilation), groups=num_groups)
    geometry = geometry._replace(padding=padding(border_mode, geometry.span))
    if min(geometry.out) < 1:
        raise ValueError(f"a filter that spans {tuple(geometry.span)} is larger than the image "
                         f"{geometry.image} with padding {geometry.padding}; "
                         "use a smaller filter or pad more")
    return geometry


def _require_output(g, geometry):
    if list(g.shape[2:]) != geometry.out:
        raise ValueError(
            f"the output's gradient has size {tuple(g.shape[2:])}, but filters {geometry.window} "
            f"give {tuple(geometry.out)} for images {geometry.image}")


def _correlate(x, w, geometry):
    space = "DHW"[-len(geometry.window):]
    return lax.conv_general_dilated(
        x, w, geometry.stride, geometry.padding, rhs_dilation=geometry.dilation,
        feature_group_count=geometry.groups,
        dimension_numbers=("NC" + space, "OI" + space, "NC" + space))


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _output(x, w, geometry):
    if _is_slow_in_xla(x, geometry):
        return _on_cpu(_output_from_patches, _correlate, x, w, geometry)
    if x.shape[1] == 1 < geometry.window[0]:
        return _on_cpu(_output_from_rows, _correlate, x, w, geometry)
    return _correlate(x, w, geometry)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _input_gradient(g, w, geometry):
    if _is_slow_in_xla(g, geometry):
        return _on_cpu(_input_from_patches, _input_from_xla, g, w, geometry)
    if w.shape[1] * geometry.groups == 1 < geometry.window[0]:
        return _on_cpu(_input_from_rows, _input_from_xla, g, w, geometry)
    return _input_from_xla(g, w, geometry)


@functools.partial(jax.custom_vjp, nondiff_argnums=(2,))
def _weight_gradient(g, x, geometry):
    # Measured on the CPU: XLA's own is much slower for groups of more than one channel.
    if _is_slow_in_xla(x, geometry) or x.shape[1] > geometry.groups > 1:
        return _on_cpu(_weights_from_patches, _weights_from_xla, g, x, geometry)
    return _on_cpu(_weights_from_parts, _weights_from_xla, g, x, geometry)


def _is_slow_in_xla(x, geometry):
    """XLA's CPU convolutions of float64 are plain loops, 20 times slower than those of float32."""
    return x.dtype == jnp.float64 and math.prod(geometry.window) <= MOST_TAPS


def _on_cpu(there, elsewhere, a, b, geometry):
    return lax.platform_dependent(a, b, cpu=functools.partial(there, geometry=geometry),
                                  default=functools.partial(elsewhere, geometry=geometry))


def _input_from_xla(g, w, geometry):
    # XLA takes an axis with 2 taps, stride 2 and one zero before the image for one of groups. Where
    # it also swaps image and window (more taps than outputs along the other axes), it ends the
    # process: "Window dimensions do not match RHS shape" (jaxlib 0.10.2 and 0.12.0.1; its
    # conv_operand_swapper.cc). So this zero counts as a part of the image, and is cut off again.
    axes = zip(geometry.window, geometry.stride, geometry.padding, strict=True)
    zeros = [int(taps == step == 2 and before == 1) for taps, step, (before, _) in axes]
    wider = geometry._replace(
        image=[n + zero for n, zero in zip(geometry.image, zeros, strict=True)],
        padding=[(p - zero, q) for (p, q), zero in zip(geometry.padding, zeros, strict=True)])
    x = jax.ShapeDtypeStruct((g.shape[0], w.shape[1] * geometry.groups, *wider.image), g.dtype)
    found = jax.linear_transpose(lambda x: _correlate(x, w, wider), x)(g)[0]
    return found[(..., *(slice(zero, None) for zero in zeros))]


def _weights_from_xla(g, x, geometry):
    # Where g is larger than x, as in mode 'full', XLA would take g for the image and x for the
    # window, and fall back to plain loops on the CPU: 1.3 s in place of 0.1 s. So the zeros are put
    # around x here.
    ends = [(*pair, 0) for pair in geometry.padding]
    x = lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), (0, 0, 0), *ends])
    geometry = geometry._replace(image=tuple(x.shape[2:]), padding=((0, 0),) * len(ends))
    w = jax.ShapeDtypeStruct((g.shape[1], x.shape[1] // geometry.groups, *geometry.window), g.dtype)
    return jax.linear_transpose(lambda w: _correlate(x, w, geometry), w)(g)[0]


def _output_from_rows(x, w, geometry):
    """See `_correlate`: the rows under a window as channels, of which Eigen likes several."""
    ends = [(*geometry.padding[0], 0), *[(0, 0, 0)] * (x.ndim - 3)]
    x = lax.pad(x, jnp.zeros((), x.dtype), [(0, 0, 0), (0, 0, 0), *ends])
    step, gap, size = geometry.stride[0], geometry.dilation[0], geometry.out[0]
    rows = [lax.slice_in_dim(x, at * gap, at * gap + (size - 1) * step + 1, step, axis=2)
            for at in range(geometry.window[0])]
    of_columns = Geometry(*[(one, *axes[1:]) for one, axes in zip(
        (size, 1, (0, 0), 1, 1), geometry[:-1], strict=True)], groups=1)
    return _correlate(jnp.concatenate(rows, axis=1), w.swapaxes(1, 2), of_columns)


def _input_from_rows(g, w, geometry):
    x = jax.ShapeDtypeStruct((len(g), 1, *geometry.image), g.dtype)
    return jax.linear_transpose(lambda x: _output_from_rows(x, w, geometry), x)(g)[0]


def _weights_from_parts(g, x, geometry):
    cuts = [len(x) * part // PARTS for part in range(1, PARTS)] if len(x) >= PARTS else []
    parts = zip(jnp.split(g, cuts), jnp.split(x, cuts), strict=True)
    return sum(_weights_from_xla(*part, geometry) for part in parts)


# ---- by products of matrices, some rows of one example at a time ----
# Channels are the last axis of images here because XLA's CPU convolutions keep images so in memory.

def _output_from_patches(x, w, geometry):
    """See `_correlate`."""
    groups = geometry.groups
    if groups > 1:
        one = functools.partial(_output_from_patches, geometry=geometry._replace(groups=1))
        y = jax.vmap(one, (1, 0), 1)(_in_groups(x, groups, 1), _in_groups(w, groups, 0))
        return y.reshape(len(x), len(w), *geometry.out)

    rows, firsts = _blocks(x, geometry)
    w = jnp.moveaxis(w, (0, 1), (-1, -2)).reshape(-1, len(w))        # (taps * channels, filters)

    def example(x):
        x, size = _framed(x, rows * len(firsts), geometry), (-1, rows, *geometry.out[1:])
        y = lax.map(lambda first: (w.T @ _patches(x, first, rows, geometry)).reshape(size), firsts)
        return jnp.concatenate(y, axis=1)[:, :geometry.out[0]]

    return lax.map(example, jnp.moveaxis(x, 1, -1))


def _input_from_patches(g, w, geometry):
    """See `_input_gradient`: turned filters' output for g, with zeros between its elements."""
    w = jnp.flip(_in_groups(w, geometry.groups, 0), range(3, w.ndim + 1)).swapaxes(1, 2)
    w = w.reshape(-1, *w.shape[2:])
    between = [(0, 0, step - 1) for step in geometry.stride]
    g = lax.pad(g, jnp.zeros((), g.dtype), [(0, 0, 0), (0, 0, 0), *between])
    axes = zip(geometry.image, geometry.padding, geometry.span, g.shape[2:], strict=True)
    padding = tuple((span - 1 - before, size + before - found)
                    for size, (before, _), span, found in axes)
    return _output_from_patches(g, w, geometry._replace(
        image=tuple(g.shape[2:]), padding=padding, stride=(1,) * len(padding)))


def _weights_from_patches(g, x, geometry):
    """See `_weight_gradient`: XLA's convolution with windows as large as the image is slow."""
    groups = geometry.groups
    if groups > 1:
        one = functools.partial(_weights_from_patches, geometry=geometry._replace(groups=1))
        w = jax.vmap(one, in_axes=1)(_in_groups(g, groups, 1), _in_groups(x, groups, 1))
        return w.reshape(g.shape[1], *w.shape[2:])

    rows, firsts = _blocks(x, geometry)
    channels, filters = x.shape[1], g.shape[1]
    beyond = rows * len(firsts) - geometry.out[0]   # rows that the last block has too many: zeros

    def add_example(total, example):
        g, x = example      # g: (*out, filters), x: (*image, channels)
        x = _framed(x, rows * len(firsts), geometry)
        g = jnp.pad(g, [(0, beyond), *[(0, 0)] * (g.ndim - 1)])

        def add_rows(total, first):
            g_rows = lax.dynamic_slice_in_dim(g, first, rows)
            return total + _patches(x, first, rows, geometry) @ g_rows.reshape(-1, filters), None

        return lax.scan(add_rows, total, firsts)

    total = jnp.zeros((math.prod(geometry.window) * channels, filters), x.dtype)
    total, _ = lax.scan(add_example, total, (jnp.moveaxis(g, 1, -1), jnp.moveaxis(x, 1, -1)))
    return jnp.moveaxis(total.reshape(*geometry.window, channels, filters), (-1, -2), (0, 1))


def _in_groups(array, groups, axis):
    before, size, after = array.shape[:axis], array.shape[axis], array.shape[axis + 1:]
    return array.reshape(*before, groups, size // groups, *after)


def _blocks(x, geometry):
    """How many rows of the output have patches that fit the cache; each such block's first row."""
    row = math.prod([*geometry.window, x.shape[1], *geometry.out[1:]]) * x.dtype.itemsize
    count = -(-geometry.out[0] // max(1, CACHE // row))
    rows = -(-geometry.out[0] // count)
    return rows, rows * jnp.arange(count)


def _framed(x, rows, geometry):
    """Make (channels, *space) of one (*image, channels), with the zeros that `rows` rows see."""
    sizes = rows, *geometry.out[1:]
    axes = zip(geometry.padding, sizes, geometry.stride, geometry.span, geometry.image, strict=True)
    ends = [(before, (size - 1) * step + span - before - image, 0)
            for (before, _), size, step, span, image in axes]
    return jnp.moveaxis(lax.pad(x, jnp.zeros((), x.dtype), [*ends, (0, 0, 0)]), -1, 0)


def _patches(x, first, rows, geometry):
    """Make (taps * channels, positions) of what `rows` rows' windows see of (channels, *space)."""
    (step, *_), (span, *_) = geometry.stride, geometry.span
    part = lax.dynamic_slice_in_dim(x, first * step, (rows - 1) * step + span, axis=1)
    seen = [_under_tap(part, tap, [rows, *geometry.out[1:]], geometry)
            for tap in itertools.product(*map(range, geometry.window))]
    return jnp.stack(seen).reshape(len(seen) * len(x), -1)


def _under_tap(x, tap, sizes, geometry):
    """Cut out what `tap` of the window sees of x at output positions up to `sizes`."""
    axes = zip(tap, geometry.dilation, sizes, geometry.stride, strict=True)
    return x[(slice(None), *(slice(at * gap, at * gap + (size - 1) * step + 1, step)
                             for at, gap, size, step in axes))]


def _and_inputs(function):
    return lambda a, b, geometry: (function(a, b, geometry), (a, b))


_output.defvjp(_and_inputs(_output), lambda geometry, saved, g: (
    _input_gradient(g, saved[1], geometry), _weight_gradient(g, saved[0], geometry)))
_input_gradient.defvjp(_and_inputs(_input_gradient), lambda geometry, saved, x: (
    _output(x, saved[1], geometry), _weight_gradient(saved[0], x, geometry)))
_weight_gradient.defvjp(_and_inputs(_weight_gradient), lambda geometry, saved, w: (
    _output(saved[1], w, geometry), _input_gradient(saved[0], w, geometry)))


def _promoted(*arrays):
    dtype = jnp.result_type(*arrays)
    return [jnp.asarray(a, dtype) for a in arrays]


def _flipped(w, flip):
    return jnp.flip(w, range(2, w.ndim)) if flip else w


def conv2d(x, w, border_mode="valid", subsample=(1, 1), filter_dilation=(1, 1), num_groups=1,
           filter_flip=True):
    """Convolve images with filters.

    Parameters
    ----------
    x : array, (batch, channels, rows, columns)
    w : array, (filters, channels / num_groups, rows, columns)
    border_mode : {'valid', 'half', 'full'}, int or tuple
        See `padding`.
    subsample, filter_dilation : tuple of int
        Step of the output and distance of a filter's taps.
    num_groups : int
        Groups of channels that do not see each other.
    filter_flip : bool
        True is a convolution, False a correlation.

    Raises
    ------
    ValueError
        The shapes do not fit, or the filter is larger than the padded image.
    """
    x, w = _promoted(x, w)
    geometry = _geometry(x.shape, w.shape, border_mode, subsample, filter_dilation, num_groups)
    return _output(x, _flipped(w, filter_flip), geometry)


def conv2d_cropped(x, w, *ends, filter_flip=True, **options):
    """Compute nothing but a part of `conv2d`, with the same options.

    Parameters
    ----------
    ends : int
        First row and end row of the part, then of the columns.
    """
    x, w = _promoted(x, w)
    whole = _geometry(x.shape, w.shape, **options)
    frame = []
    for size, first, end, (before, _), step, span, image in zip(
            whole.out, ends[::2], ends[1::2], whole.padding, whole.stride, whole.span, whole.image,
            strict=True):
        part = range(size)[int(first):int(end)]
        before -= part.start * step
        frame.append((before, (len(part) - 1) * step + span - image - before))
    return _output(x, _flipped(w, filter_flip), whole._replace(padding=tuple(frame)))


def conv2d_grad_wrt_inputs(g, w, size, border_mode="valid", subsample=(1, 1),
                           filter_dilation=(1, 1), num_groups=1, filter_flip=True):
    """Return the gradient of sum(g * conv2d(x, w)) for x, also known as transposed convolution.

    Parameters
    ----------
    g : array, (batch, filters, output rows, output columns)
    size : tuple of int
        Rows and columns of x: more than one size of x gives g's size if the stride is not 1.

    The others, and what is raised, as for `conv2d`.
    """
    g, w = _promoted(g, w)
    x_shape = g.shape[0], w.shape[1] * num_groups, *size
    geometry = _geometry(x_shape, w.shape, border_mode, subsample, filter_dilation, num_groups)
    _require_output(g, geometry)
    return _input_gradient(g, _flipped(w, filter_flip), geometry)


def conv2d_grad_wrt_weights(x, g, size, border_mode="valid", subsample=(1, 1),
                            filter_dilation=(1, 1), num_groups=1, filter_flip=True):
    """Return the gradient of sum(g * conv2d(x, w)) for w.

    Parameters
    ----------
    g : array, (batch, filters, output rows, output columns)
    size : tuple of int
        Rows and columns of w.

    The others, and what is raised, as for `conv2d`.
    """
    x, g = _promoted(x, g)
    w_shape = g.shape[1], x.shape[1] // num_groups, *size
    geometry = _geometry(x.shape, w_shape, border_mode, subsample, filter_dilation, num_groups)
    _require_output(g, geometry)
    return _flipped(_weight_gradient(g, x, geometry), filter_flip)
