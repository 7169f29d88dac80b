"""Setting and incrementing a box within an array."""

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np


@dataclass
class Block:
    """A box in an array, as an index of known ints and slices of step 1 or -1 picks one.

    `x.at[index].add(y)` would make a scatter of it, slow to compile, and where it adds to all of x
    and the result is turned over, XLA's simplifier ends the process (JAX 0.10 to 0.12).
    """

    start: list
    size: list
    dropped: list       # axes that an int picks from
    turned: list        # axes of step -1

    @classmethod
    def of(cls, index, shape):
        """Return the block that an index picks; None if it picks no block."""
        block = cls([0] * len(shape), list(shape), [], [])
        for axis, entry in enumerate(index):
            if isinstance(entry, slice) and entry.step in (None, 1, -1):
                places = range(*entry.indices(shape[axis]))
                block.start[axis], block.size[axis] = min(places, default=0), len(places)
                if entry.step == -1:
                    block.turned.append(axis)
            elif isinstance(entry, (int, np.integer)) and -shape[axis] <= entry < shape[axis]:
                block.start[axis], block.size[axis] = int(entry) % shape[axis], 1
                block.dropped.append(axis)
            else:
                return None
        return block

    def set(self, x, y):
        """Put y in the block's place in x."""
        return jax.lax.dynamic_update_slice(x, self.placed(y), self.start)

    def add(self, x, y):
        """Add y to the block in x."""
        there = jax.lax.dynamic_slice(x, self.start, self.size)
        return jax.lax.dynamic_update_slice(x, there + self.placed(y), self.start)

    def placed(self, y):
        """Give y the shape that it has in the block."""
        seen = [size for axis, size in enumerate(self.size) if axis not in self.dropped]
        return jnp.flip(jnp.broadcast_to(y, seen).reshape(self.size), self.turned)
