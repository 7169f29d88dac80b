"""Small functions that scripts import from here."""

from pytensor.graph.utils import MethodNotDefined  # noqa: I001 (names stand side by side)
from pytensor.utils import (difference, flatten, from_return_values, hash_from_code,
                            to_return_values, uniq)


def hashtype(self):
    """Return a hash that all objects of a class share, for Ops without settings."""
    return hash(type(self))


class scratchpad:
    """Attributes of any name; so those of Theano's pickles are read whose class is not here."""
