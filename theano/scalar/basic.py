"""Scalar Ops and types, by the module's name that scripts import."""

from pytensor.scalar.basic import *  # noqa: F403 (all of its names)
