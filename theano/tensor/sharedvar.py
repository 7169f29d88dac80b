"""Shared arrays."""

from theano.compile.sharedvalue import SharedVariable, TensorSharedVariable, shared

ScalarSharedVariable = TensorSharedVariable
tensor_constructor = shared
