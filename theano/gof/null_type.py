"""The type of gradients that do not exist: PyTensor's."""

from pytensor.graph.null_type import NullType, null_type
