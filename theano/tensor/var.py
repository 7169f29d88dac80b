"""Classes for isinstance: in Theano, a shared variable or a constant is no TensorVariable."""

from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant
from pytensor.tensor import variable
from pytensor.tensor.variable import TensorConstant

_tensor_py_operators = variable._tensor_py_operators


class _ExpressionsOnly(type):
    """Lasagne's recurrent layers tell expressions from shared variables by their class."""

    def __instancecheck__(cls, instance):
        return (isinstance(instance, variable.TensorVariable)
                and not isinstance(instance, SharedVariable | Constant))


class TensorVariable(metaclass=_ExpressionsOnly):
    """An input or a computed tensor."""

    def __new__(cls, type, owner=None, index=None, name=None):
        return variable.TensorVariable(type, owner, index, name)
