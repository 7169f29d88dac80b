"""What Theano's own tests compare convolution and pooling with, in place of Ops that are not here.

Theano had its C code for the correlations; here they are written with NumPy alone. The gradients
of pooling are what `theano.grad` finds: the tests compare them with differences.
"""

import numpy as np

import theano
import theano.tensor as T
from theano.compile.ops import as_op
from theano.tensor.signal.pool import Pool


class CorrMM:
    """A correlation: from settings, then from images and filters, to maps."""

    def __init__(self, border_mode="valid", subsample=(1, 1), filter_dilation=(1, 1)):
        self.mode, self.strides, self.dilations = border_mode, subsample, filter_dilation

    def windows(self, images, filters):
        """Give the zeros around the images, the sizes of the maps, the places of filter elements.

        `images` and `filters` are the shapes without batch and channels.
        """
        spans = [(n - 1) * d + 1 for n, d in zip(filters, self.dilations, strict=True)]
        around = {"valid": [0 for _ in spans], "full": [n - 1 for n in spans],
                  "half": [n // 2 for n in spans]}.get(self.mode, self.mode)
        sizes = [(n + 2 * zeros - span) // stride + 1
                 for n, zeros, span, stride in zip(images, around, spans, self.strides,
                                                   strict=True)]
        places = {}
        for element in np.ndindex(*filters):
            axes = zip(element, self.dilations, sizes, self.strides, strict=True)
            places[element] = (..., *(slice(k * d, k * d + size * stride, stride)
                                      for k, d, size, stride in axes))
        return around, sizes, places

    def padded(self, images, around):
        """Put the zeros around the images, and enough behind for every slice to be whole."""
        return np.pad(images, [(0, 0), (0, 0), *((n, n + max(self.strides)) for n in around)])

    def forward(self, images, filters):
        """Return the maps."""
        around, sizes, places = self.windows(images.shape[2:], filters.shape[2:])
        images = self.padded(images, around)
        maps = np.zeros((len(images), len(filters), *sizes), images.dtype)
        for element, place in places.items():
            maps += np.einsum("bc...,oc->bo...", images[place], filters[(..., *element)])
        return maps

    def to_weights(self, images, maps, shape):
        """Return the gradient of the filters."""
        around, _, places = self.windows(images.shape[2:], shape)
        images = self.padded(images, around)
        filters = np.zeros((maps.shape[1], images.shape[1], *shape), images.dtype)
        for element, place in places.items():
            filters[(..., *element)] = np.einsum(
                "bcs,bos->oc", flat(images[place]), flat(maps))
        return filters

    def to_inputs(self, filters, maps, shape):
        """Return the gradient of the images."""
        around, _, places = self.windows(shape, filters.shape[2:])
        images = self.padded(np.zeros((len(maps), filters.shape[1], *shape), maps.dtype), around)
        for element, place in places.items():
            images[place] += np.einsum("bo...,oc->bc...", maps, filters[(..., *element)])
        inside = zip(around, shape, strict=True)
        return images[(..., *(slice(zeros, zeros + n) for zeros, n in inside))]

    def __call__(self, images, filters):
        return self.op(self.forward, images, filters)

    def op(self, function, first, second, shape=None):
        """Put a NumPy function into a graph."""
        first, second = map(T.as_tensor_variable, (first, second))
        settings = () if shape is None else (tuple(map(int, shape)),)
        kind = theano.tensor.TensorType(first.dtype, (False,) * first.ndim)
        return as_op([first.type, second.type], [kind])(
            lambda one, two: function(one, two, *settings).astype(first.dtype))(first, second)


def flat(images):
    """Join the axes of space."""
    return images.reshape(*images.shape[:2], -1)


class CorrMMGradWeights(CorrMM):
    """The gradient of its filters."""

    def __call__(self, images, maps, shape):
        return self.op(self.to_weights, images, maps, shape)


class CorrMMGradInputs(CorrMM):
    """The gradient of its images."""

    def __call__(self, filters, maps, shape):
        return self.op(self.to_inputs, filters, maps, shape)


class MaxPoolGrad:
    """The gradient of pooling: from settings, then from images, maxima and their gradient."""

    def __init__(self, ignore_border, mode="max", ndim=2):
        self.pool = Pool(ignore_border, mode, ndim)

    def __call__(self, images, maxima, gradient, ws, stride=None, pad=None):
        pooled = self.pool(images, ws, stride, pad)
        return theano.grad(None, images, known_grads={pooled: gradient})


class AveragePoolGrad(MaxPoolGrad):
    """The same for sums and averages, for which no maxima are given."""

    def __call__(self, images, gradient, ws, stride=None, pad=None):
        return super().__call__(images, None, gradient, ws, stride, pad)


class DownsampleFactorMaxGradGrad(MaxPoolGrad):
    """The gradient of that for `gradient`."""

    def __call__(self, images, maxima, along, ws, stride=None, pad=None):
        gradient = T.zeros_like(maxima)
        found = super().__call__(images, maxima, gradient, ws, stride, pad)
        return theano.grad(None, gradient, known_grads={found: along})
