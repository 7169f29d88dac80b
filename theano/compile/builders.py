"""Ops made of graphs."""

from pytensor.compile import builders
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.traversal import ancestors


class OpFromGraph(builders.OpFromGraph):
    """PyTensor's; as in Theano, a function set as `op.grad`, or given as `grad_overrides`, is its gradient.

    It gets lists of the inputs and of the outputs' gradients, and gives the inputs' gradients. Shared variables of the
    graph need not be among the inputs.
    """

    def __init__(self, inputs, outputs, inline=False, grad_overrides="default", **settings):
        self.shared = [v for v in ancestors(outputs, inputs) if isinstance(v, SharedVariable) and v not in inputs]
        super().__init__([*inputs, *self.shared], outputs, inline=inline, **settings)
        if grad_overrides != "default":
            self.grad = grad_overrides

    def __call__(self, *inputs, **settings):
        missing = self.shared if len(inputs) + len(self.shared) == len(self.inner_inputs) else []
        return super().__call__(*inputs, *missing, **settings)

    def pullback(self, inputs, outputs, cotangents):
        if "grad" in vars(self):
            count = len(inputs) - len(self.shared)
            return [*self.grad(inputs[:count], cotangents), *(v.zeros_like() for v in inputs[count:])]
        return super().pullback(inputs, outputs, cotangents)
