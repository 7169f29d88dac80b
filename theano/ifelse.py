"""A value chosen by a condition."""

try:
    from pytensor.conditional.op import IfElse, LazyIfElse, ifelse
except ImportError:                 # PyTensor 3.0
    from pytensor.ifelse import IfElse, ifelse
    LazyIfElse = None
