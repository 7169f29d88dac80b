"""Scalar Ops and types."""

from pytensor.scalar import *
from pytensor.scalar.basic import *
