"""Pooling and convolution of images."""

from theano.tensor.signal import conv, downsample, pool
