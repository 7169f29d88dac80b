"""New values of shared variables, in the order in which they were given."""

from collections import OrderedDict

from pytensor.compile.sharedvalue import SharedVariable


class OrderedUpdates(OrderedDict):
    """A dict from shared variables to expressions; two are joined by +."""

    def __setitem__(self, key, value):
        """Set the new value of a shared variable; nothing else has one."""
        if not isinstance(key, SharedVariable):
            raise TypeError(f"updates are for shared variables, and {key!r} is none")
        super().__setitem__(key, value)

    def __add__(self, other):
        """Join two; they may not differ about a variable."""
        joined = OrderedUpdates(self)
        for key, value in other.items():
            if joined.setdefault(key, value) is not value:
                raise KeyError(f"two different updates for {key}")
        return joined

    def __radd__(self, other):
        """Join a dict and this one."""
        return OrderedUpdates(other) + self
