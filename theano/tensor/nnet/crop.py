"""Convolutions of which only a part is wanted compute only that part.

Lasagne's pad='same' is a convolution in mode 'full', of whose output the middle is cut out. The
cut, and its gradient, move into the convolution here. Whatever else asks for the whole output still
gets it.
"""

import numpy as np
import pytensor.tensor as pt
from pytensor.graph.basic import Constant
from pytensor.graph.rewriting.basic import node_rewriter
from pytensor.tensor.basic import get_underlying_scalar_constant_value
from pytensor.tensor.rewriting.basic import register_stabilize
from pytensor.tensor.shape import Shape, Shape_i
from pytensor.tensor.subtensor import IncSubtensor, Subtensor, indices_from_subtensor

from theano.xla.convolution import conv2d, conv2d_cropped
from theano.xla.op import JaxOp, apply, vjp

START, END = pt.constant(0, dtype="int64"), pt.constant(np.iinfo("int64").max)


@register_stabilize("theano")
@node_rewriter([Subtensor])
def cropped_output(fgraph, node):
    """Rewrite conv2d(x, w)[:, :, first:end, first:end]."""
    whole = node.inputs[0].owner
    op = getattr(whole, "op", None)
    ends = ends_of(node.op, node.inputs[1:])
    if ends is None or not isinstance(op, JaxOp) or op.function is not conv2d:
        return None
    return [apply(conv2d_cropped, *whole.inputs, *ends, types=[node.outputs[0].type],
                  **dict(op.settings))]


@register_stabilize("theano")
@node_rewriter([JaxOp])
def cropped_gradient(fgraph, node):
    """Rewrite the gradient of conv2d from zeros[:, :, first:end, first:end] = g."""
    settings = dict(node.op.settings)
    if node.op.function is not vjp or settings["function"] is not conv2d:
        return None
    x, w, framed = node.inputs
    if not isinstance(getattr(framed.owner, "op", None), IncSubtensor):
        return None
    zeros, g, *entries = framed.owner.inputs
    ends = ends_of(framed.owner.op, entries)
    if ends is None or get_underlying_scalar_constant_value(zeros, raise_not_constant=False) != 0:
        return None
    settings.update(function=conv2d_cropped, count=2 + len(ends))
    return [apply(vjp, x, w, *ends, g, types=node.op.types, **settings)]


def ends_of(op, entries):
    """First and end row, first and end column, if an indexing Op takes such a box; else None.

    They have to be known before the function runs: constants, or computed from shapes.
    """
    index = indices_from_subtensor(entries, op.idx_list)
    if len(index) != 4 or not all(isinstance(one, slice) and one.step is None for one in index):
        return None
    if any(end is not None for entry in index[:2] for end in (entry.start, entry.stop)):
        return None
    ends = [default if end is None else end for entry in index[2:]
            for end, default in ((entry.start, START), (entry.stop, END))]
    return ends if all(map(is_known, ends)) else None


def is_known(end):
    """Tell whether it depends on nothing but shapes."""
    node = end.owner
    if node is None:
        return isinstance(end, Constant)
    return isinstance(node.op, Shape | Shape_i) or all(map(is_known, node.inputs))
