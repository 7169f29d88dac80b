"""Convolution and pooling as JAX functions, with Theano's gradients."""
