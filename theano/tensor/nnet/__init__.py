"""Neural networks: activations, losses, convolution and normalisation."""

# ruff: noqa: I001 (names stand side by side)
from theano.tensor.nnet import abstract_conv, bn, conv, conv3d2d, crop, nnet, sigm
from theano.tensor.nnet.abstract_conv import (conv2d, conv2d_grad_wrt_inputs, conv2d_transpose,
                                              conv3d, conv3d_grad_wrt_inputs, separable_conv2d,
                                              separable_conv3d)
from theano.tensor.nnet.bn import (batch_normalization, batch_normalization_test,
                                   batch_normalization_train)
from theano.tensor.nnet.neighbours import images2neibs, neibs2images
from theano.tensor.nnet.nnet import *  # noqa: F403 (all of its names)
