"""Functions and what makes them: PyTensor's."""

from pytensor.compile.executor import Function
from pytensor.compile.maker import FunctionMaker
from pytensor.compile.rebuild import UnusedInputError
