"""Types of variables: PyTensor's."""

from pytensor.graph.type import Type
from pytensor.link.c.type import CType, generic

Generic = type(generic)
