"""Ops made of graphs."""

from pytensor.compile import builders


class OpFromGraph(builders.OpFromGraph):
    """PyTensor's; as in Theano, a function set as `op.grad`, or given as `grad_overrides`, is its gradient.

    It gets lists of the inputs and of the outputs' gradients, and gives the inputs' gradients.
    """

    def __init__(self, inputs, outputs, inline=False, grad_overrides="default", **settings):
        super().__init__(inputs, outputs, inline=inline, **settings)
        if grad_overrides != "default":
            self.grad = grad_overrides

    def pullback(self, inputs, outputs, cotangents):
        if "grad" in vars(self):
            return self.grad(inputs, cotangents)
        return super().pullback(inputs, outputs, cotangents)
