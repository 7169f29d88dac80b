"""Indices out of range: XLA silently takes the nearest element, or drops what is written there."""

import jax
import jax.numpy as jnp
import numpy as np
from pytensor.graph.basic import Apply, Constant
from pytensor.graph.op import Op
from pytensor.tensor.subtensor import indices_from_subtensor
from pytensor.tensor.type import TensorType

from theano.link.host import is_host


class InBounds(Op):
    """From the array and the entries of an indexing Op: whether it indexes within the array."""

    def __init__(self, idx_list):
        self.idx_list = idx_list

    def make_node(self, x, *entries):
        """Apply it."""
        return Apply(self, [x, *entries], [TensorType("bool", ())()])

    def value(self, x, *entries):
        """Return a bool, or one that XLA computes."""
        return in_bounds(indices_from_subtensor(entries, self.idx_list), np.shape(x))

    def perform(self, node, inputs, output_storage):
        """Compute it in NumPy."""
        output_storage[0][0] = np.asarray(self.value(*inputs))


def in_bounds(index, shape):
    """Tell whether an index's integers fit the shape; one that is known not to is an IndexError."""
    inside, axis = np.True_, 0
    for entry in index:
        if getattr(entry, "dtype", None) == "bool":
            axis += entry.ndim
            continue
        if not isinstance(entry, slice):
            size = shape[axis]
            entry = np.asarray(entry, "int64") if is_host(entry) else jnp.asarray(entry, "int64")
            fits = ((entry >= -size) & (entry < size)).all()
            if not isinstance(fits, jax.core.Tracer) and not fits:
                raise IndexError(f"index {entry} is out of bounds for axis {axis} with size {size}")
            inside = inside & fits
        axis += 1
    return inside


def conditions(node):
    """List the variable that says whether a node indexes within its array, unless that is known."""
    if not hasattr(node.op, "idx_list"):
        return []
    x, *entries = node.inputs
    if hasattr(node.op, "set_instead_of_inc"):
        entries = entries[1:]       # after what is written
    known = all(isinstance(entries[k], Constant) for k in node.op.idx_list if isinstance(k, int))
    return [] if known else [InBounds(node.op.idx_list)(x, *entries)]
