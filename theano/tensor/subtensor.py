"""Indexing."""

from pytensor.tensor.subtensor import (AdvancedIncSubtensor, AdvancedSubtensor, IncSubtensor,
                                       Subtensor, inc_subtensor, set_subtensor)
