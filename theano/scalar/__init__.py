"""Scalar Ops and types."""

from pytensor.scalar import *  # noqa: F403 (all of its names)

from theano.scalar.basic import *  # noqa: F403 (all of its names)
