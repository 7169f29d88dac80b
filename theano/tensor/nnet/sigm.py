"""Sigmoids, by the module's name that scripts import."""

from theano.tensor.nnet.activations import hard_sigmoid, sigmoid, softplus, ultra_fast_sigmoid
