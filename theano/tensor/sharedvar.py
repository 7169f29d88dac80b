"""Shared arrays."""

from theano.compile.sharedvalue import TensorSharedVariable, shared

tensor_constructor = shared
