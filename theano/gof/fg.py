"""Graphs between inputs and outputs: PyTensor's."""

from pytensor.graph.fg import FunctionGraph
from pytensor.graph.utils import InconsistencyError, MissingInputError
