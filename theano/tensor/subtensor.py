"""Indexing."""

from pytensor.tensor.subtensor import (  # noqa: I001 (names stand side by side)
    AdvancedIncSubtensor, AdvancedSubtensor, IncSubtensor, Subtensor, inc_subtensor, set_subtensor)
