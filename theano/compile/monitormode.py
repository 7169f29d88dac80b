"""Theano's mode that calls functions of one's own before and after each node: PyTensor's own, which uses no JAX."""

from pytensor.compile.debug.monitormode import MonitorMode
