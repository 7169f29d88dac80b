"""Ops for variables of any type, and those made of Python functions."""

from pytensor.compile.ops import DeepCopyOp, FromFunctionOp, ViewOp, as_op, deep_copy_op, view_op
