"""Shared variables: their values live on the device, and are seen as NumPy arrays."""

import jax.numpy as jnp
import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.compile.sharedvalue import shared as pytensor_shared
from pytensor.graph.basic import Variable
from pytensor.tensor import sharedvar
from pytensor.tensor.type import TensorType

from theano.link.linker import Cell
from theano.xla.op import apply


class TensorSharedVariable(sharedvar.TensorSharedVariable):
    """A shared array.

    After the first call of a function that uses it, its value is a JAX array, which is replaced at
    each update and never changed.
    """

    def get_value(self, borrow=False, return_internal_type=False):
        """Copy the value to a NumPy array, or return it as it is, with `return_internal_type`."""
        value = self.container.storage[0]
        return value if return_internal_type else np.array(value, self.type.dtype)

    def set_value(self, new_value, borrow=False):
        """Give it a new value, which is copied; it goes to the device at the next call."""
        # A plain number has no dtype of its own, and takes the variable's.
        self.container.value = np.array(new_value) if hasattr(new_value, "dtype") else new_value

    def __setstate__(self, state):
        """Take the state of a pickle, which may be Theano's, from a CPU or a GPU."""
        kind = state["type"]
        if not hasattr(kind, "shape"):      # which PyTensor's types have
            [value] = state["container"].storage
            state = vars(shared(value, state["name"], broadcastable=kind.broadcastable))
        vars(self).update(state)

    def zero(self, borrow=False):
        """Fill it with zeros."""
        self.set_value(np.zeros_like(self.get_value()))

    @property
    def default_update(self):
        """What every function that uses the variable sets it to, unless told otherwise."""
        return self._default_update

    @default_update.setter
    def default_update(self, value):
        self._default_update = (
            None if value is None else self.type.filter_variable(widened(value, self.type, True)))


def widened(value, kind, exactly=False):
    """Fit a new value to a variable of type `kind`.

    It may have dimensions of size 1 that the variable does not promise and, unless it has to be of
    the type exactly, other known sizes.
    """
    if not (isinstance(value, Variable) and isinstance(kind, TensorType)
            and kind.is_super(value.type)):
        return value
    fits = value.type == kind if exactly else kind.in_same_class(value.type)
    return value if fits else apply(jnp.asarray, value, types=[kind])


def shared(value, name=None, strict=False, allow_downcast=None, borrow=False,
           broadcastable=None, target=None):
    """Make a variable with a value that functions share, use and update.

    Parameters
    ----------
    value : ndarray, number, or any object
        The first value, which is copied. Objects that are no numbers give a variable of
        generic type.
    name : str, optional
    strict, allow_downcast : bool
        How strictly later values are held to the type; see PyTensor's `shared`.
    borrow, target
        Accepted; the device has its own copy in any case.
    broadcastable : tuple of bool, optional
        Which dimensions are always of size 1; none by default.
    """
    if isinstance(value, Variable):
        raise TypeError(f"a shared variable needs a value, and {value} is symbolic; "
                        "compute it first: shared(expression.eval())")
    if not isinstance(value, np.ndarray | np.generic | int | float | complex):
        return pytensor_shared(value, name=name, strict=strict, allow_downcast=allow_downcast)
    value = np.array(value)
    if broadcastable is None:
        broadcastable = (False,) * value.ndim
    kind = TensorType(value.dtype, shape=tuple(1 if one else None for one in broadcastable))
    cell = Cell(kind, [kind.filter(value, strict, allow_downcast)], strict=strict,
                allow_downcast=allow_downcast, name=name)
    return TensorSharedVariable(kind, None, None, container=cell, name=name)
