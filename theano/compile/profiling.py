"""How long the parts of a function take: PyTensor's."""

from pytensor.compile.debug.profiling import ProfileStats
