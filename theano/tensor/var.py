"""Variables as Theano's programs see them: `if not x`, `x[:, None]`, and classes for isinstance.

In Theano, a shared variable or a constant is no TensorVariable.
"""

import functools
import sys

import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant
from pytensor.scalar.basic import LogicalComparison
from pytensor.tensor import variable
from pytensor.tensor.elemwise import Elemwise
from pytensor.tensor.variable import TensorConstant

_tensor_py_operators = variable._tensor_py_operators


def _is_there(x):
    """Return True: `if not x` asks whether a variable is given. A comparison has no answer yet."""
    op = x.owner.op if x.owner else None
    if isinstance(op, Elemwise) and isinstance(op.scalar_op, LogicalComparison):
        raise TypeError("a comparison of variables is neither True nor False before it is "
                        "computed; use theano.tensor.switch in place of 'if'")
    return True


# PyTensor's raises for all variables; many a script has `if not input`.
_tensor_py_operators.__bool__ = _is_there


def _dropping(getitem):
    """Make x[index] Theano's: with None and without `...` the index drops what it does not come to.

    It does so if all of those dimensions are broadcastable. PyTensor's own code keeps them.
    """
    @functools.wraps(getitem)
    def indexed(x, index):
        entries = index if isinstance(index, tuple) else (index,)
        if (any(entry is None for entry in entries) and all(map(_is_plain, entries))
                and not sys._getframe(1).f_globals["__name__"].startswith("pytensor.")):
            come_to = sum(entry is not None for entry in entries)
            if come_to < x.ndim and all(x.type.broadcastable[come_to:]):
                x = x.dimshuffle(*range(come_to))
        return getitem(x, index)
    return indexed


def _is_plain(entry):
    """Tell whether an entry of an index is None, a slice or one integer."""
    return entry is None or isinstance(entry, slice | int | np.integer) or (
        getattr(entry, "ndim", None) == 0 and entry.dtype != "bool")


_tensor_py_operators.__getitem__ = _dropping(_tensor_py_operators.__getitem__)


class _ExpressionsOnly(type):
    """Lasagne's recurrent layers tell expressions from shared variables by their class."""

    def __instancecheck__(cls, instance):
        return (isinstance(instance, variable.TensorVariable)
                and not isinstance(instance, SharedVariable | Constant))


class TensorVariable(metaclass=_ExpressionsOnly):
    """An input or a computed tensor."""

    def __new__(cls, type, owner=None, index=None, name=None):
        """Make PyTensor's."""
        return variable.TensorVariable(type, owner, index, name)
