"""Sizes and slices that depend on a function's integer inputs.

`givens={x: data[index * size:(index + 1) * size]}` has a slice whose ends are known only when the
function is called, but then at once, before anything runs on the device. Such slices are taken out
of the compiled function. Where an integer input is a size (`T.zeros((n, 3))`), the function is
compiled for each value. A vector of integers may be a shape.
"""

from pytensor.compile.sharedvalue import SharedVariable
from pytensor.graph.basic import Constant
from pytensor.graph.traversal import ancestors
from pytensor.scan.op import Scan
from pytensor.tensor.basic import AllocEmpty, ARange, Eye
from pytensor.tensor.elemwise import DimShuffle, Elemwise
from pytensor.tensor.shape import Shape, Shape_i
from pytensor.tensor.subtensor import Subtensor
from pytensor.tensor.type import TensorType

LONGEST = 8     # entries of an input that may be a shape: of more it is data, labels for example


def sizes(node):
    """List the inputs of a node that XLA has to know while it compiles."""
    if isinstance(node.op, ARange | AllocEmpty | Eye):
        return node.inputs
    if isinstance(node.op, Scan):
        return [node.inputs[0], *node.op.outer_nitsot(node.inputs)]
    return [v for v in node.inputs[1:] if not getattr(v.type, "dtype", "").startswith("float")]


def integers_behind(node):
    """Find the function's integer inputs that a node's sizes depend on.

    None if there are none, or if the sizes depend on anything else that is no shape.
    """
    found = set()
    waiting = list(sizes(node))
    while waiting:
        variable = waiting.pop()
        if variable.owner is not None:
            if not isinstance(variable.owner.op, Shape | Shape_i):
                waiting += variable.owner.inputs
        elif is_integer_input(variable):
            found.add(variable)
        elif not isinstance(variable, Constant):
            return None
    return found or None


def is_integer_input(variable):
    """Tell whether it is an integer, or a vector of integers, given at each call."""
    kind = variable.type
    return (isinstance(kind, TensorType) and kind.ndim <= 1 and kind.dtype[0] in "iu"
            and not isinstance(variable, Constant | SharedVariable))


def is_slice_of_input(node):
    """Tell whether it is a slice of an array that is there before the run, but for a cast."""
    if not isinstance(node.op, Subtensor):
        return False
    return all(v.owner is None or isinstance(v.owner.op, Elemwise | DimShuffle)
               for v in ancestors([node.inputs[0]]))
