"""Ops as Theano's programs write them, with `grad` and `R_op`, and maybe without `perform`."""

import inspect

from pytensor.gradient import DisconnectedType, disconnected_type
from pytensor.graph import op
from pytensor.graph.basic import Apply, Variable
from pytensor.graph.utils import MethodNotDefined


class _AnyOp(type(op.Op)):
    """isinstance(x, Op) holds for every Op of PyTensor."""

    def __instancecheck__(cls, instance):
        return cls.__subclasscheck__(type(instance))

    def __subclasscheck__(cls, subclass):
        return (op.Op if cls is Op else cls) in subclass.__mro__


class Op(op.Op, metaclass=_AnyOp):
    """PyTensor's, with Theano's methods."""

    def __init_subclass__(cls, **settings):
        """Let `infer_shape` take the node and the shapes, as of old."""
        super().__init_subclass__(**settings)
        own = vars(cls).get("infer_shape")
        if own and len(inspect.signature(own).parameters) == 3:
            cls.infer_shape = lambda self, fgraph, node, shapes: own(self, node, shapes)

    def perform(self, node, inputs, output_storage):
        """Compute the outputs; an Op without it can stand in a graph, but not be computed."""
        raise MethodNotDefined(f"{self} has no perform()")

    def grad(self, *arguments):
        """Return the inputs' gradients; an Op without it has none."""
        raise NotImplementedError(f"{self} has no such derivative")

    R_op = grad

    def L_op(self, inputs, outputs, output_grads):
        """Return the gradients of the inputs; the outputs are given, too."""
        return self.grad(inputs, output_grads)

    def pullback(self, inputs, outputs, cotangents):
        """Do `L_op` by PyTensor's name."""
        return self.L_op(inputs, outputs, cotangents)

    def pushforward(self, inputs, outputs, tangents):
        """Do `R_op` by PyTensor's name."""
        given = [None if isinstance(t.type, DisconnectedType) else t for t in tangents]
        return [disconnected_type() if t is None else t for t in self.R_op(inputs, given)]
