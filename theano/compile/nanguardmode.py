"""The mode that stops at the first NaN: PyTensor's own, which uses no JAX."""

from pytensor.compile.debug.nanguardmode import NanGuardMode
