"""Checks inside graphs, by the module's name that scripts import."""

from pytensor.raise_op import Assert, assert_op
