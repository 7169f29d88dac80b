"""Theano's slow mode that checks itself: PyTensor's own, which uses no JAX."""

from pytensor.compile.debug.debugmode import DebugMode
