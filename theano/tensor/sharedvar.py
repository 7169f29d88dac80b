"""Shared arrays."""

from theano.compile.sharedvalue import TensorSharedVariable, shared

ScalarSharedVariable = TensorSharedVariable
tensor_constructor = shared
