"""The mode that calls one's own functions around each node: PyTensor's own, which uses no JAX."""

from pytensor.compile.debug.monitormode import MonitorMode
