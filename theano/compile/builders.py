"""Ops made of graphs."""

import functools
import itertools

from pytensor.compile import builders
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.gradient import DisconnectedType
from pytensor.graph.basic import Variable
from pytensor.graph.traversal import ancestors


class OpFromGraph(builders.OpFromGraph):
    """PyTensor's, whose derivatives may be given as in Theano.

    Shared variables of the graph need not be among the inputs. A function set as `op.grad` counts
    as `grad_overrides`.

    Parameters
    ----------
    inputs, outputs : list of Variable
    inline : bool
    grad_overrides, lop_overrides, rop_overrides : optional
        The gradients of the inputs, from inputs and gradients of the outputs; from inputs, outputs
        and gradients of the outputs; the derivatives of the outputs, from inputs and their
        derivatives. Each is a function of these lists that gives a list, an OpFromGraph of all of
        them, a variable of NullType or DisconnectedType, or a list of such, or of "default", with
        one for each derivative.
    """

    def __init__(self, inputs, outputs, inline=False, lop_overrides="default",
                 grad_overrides="default", rop_overrides="default", **settings):
        if "default" not in (lop_overrides, grad_overrides):
            raise ValueError("OpFromGraph: give lop_overrides or grad_overrides, not both")
        self.shared = [v for v in ancestors(outputs, inputs)
                       if isinstance(v, SharedVariable) and v not in inputs]
        super().__init__([*inputs, *self.shared], outputs, inline=inline, **settings)
        self.lop, self.rop = lop_overrides, rop_overrides
        if grad_overrides != "default":
            self.grad = grad_overrides

    def __call__(self, *inputs, **settings):
        """Apply it to the inputs, with the shared variables put in."""
        missing = self.shared if len(inputs) + len(self.shared) == len(self.inner_inputs) else []
        return super().__call__(*inputs, *missing, **settings)

    def connection_pattern(self, node):
        """Tell which outputs depend on which inputs: on none whose gradient is disconnected."""
        given = vars(self).get("grad", self.lop)
        given = given if isinstance(given, list | tuple) else [given] * len(self.inner_inputs)
        cut = [isinstance(getattr(one, "type", None), DisconnectedType) for one in given]
        return [[False] * len(row) if k < len(cut) and cut[k] else row
                for k, row in enumerate(super().connection_pattern(node))]

    def pullback(self, inputs, outputs, cotangents):
        """Return the gradients of the inputs."""
        usual = functools.cache(functools.partial(super().pullback, inputs, outputs, cotangents))
        count = len(inputs) - len(self.shared)
        given, parts = self.lop, (inputs[:count], outputs, cotangents)
        if "grad" in vars(self):
            given, parts = self.grad, (inputs[:count], cotangents)
        if isinstance(given, str):
            return usual()
        return [*overridden(given, parts, count, usual), *(v.zeros_like() for v in inputs[count:])]

    def pushforward(self, inputs, outputs, tangents):
        """Return the derivatives of the outputs."""
        usual = functools.cache(functools.partial(super().pushforward, inputs, outputs, tangents))
        count = len(inputs) - len(self.shared)
        given = [None if isinstance(t.type, DisconnectedType) else t for t in tangents[:count]]
        return overridden(self.rop, (inputs[:count], given), len(outputs), usual)


def overridden(override, parts, count, usual):
    """Return `count` derivatives as an override gives them; see `OpFromGraph`.

    Parameters
    ----------
    parts : tuple of list of Variable
        What they are computed from.
    usual : callable
        Gives what stands where the override is "default".
    """
    if isinstance(override, str):
        return usual()
    if isinstance(override, list | tuple):
        if len(override) != count:
            raise ValueError(f"OpFromGraph: {len(override)} overrides for {count} derivatives")
        return [usual()[k] if isinstance(one, str) else overridden(one, parts, 1, usual)[0]
                for k, one in enumerate(override)]
    if isinstance(override, Variable):
        return [override] * count
    if isinstance(override, builders.OpFromGraph):
        return override(*itertools.chain(*parts), return_list=True)
    found = override(*parts)
    return list(found) if isinstance(found, list | tuple) else [found]
