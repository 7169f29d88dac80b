"""Values that are known while JAX traces: shapes, and what is computed from them.

Under jit an array's shape is a tuple of plain integers, but whatever jnp computes from
them becomes a tracer, and a tracer can be no shape again. So nodes that see host values
alone are computed by PyTensor's own NumPy code, and their results stay on the host.
"""

import operator

import jax
import numpy as np
from pytensor.tensor.basic import Alloc
from pytensor.tensor.type import TensorType

from theano.ifelse import IfElse

HOST_TYPES = np.ndarray, np.generic, int, float, slice, type(None)


class DynamicShape(Exception):
    """A size or a slice depends on values, which a compiled function never sees."""


def is_dense(variable):
    """Tell whether it is an array. PyTensor's sparse matrices are TensorTypes with a format."""
    return isinstance(variable.type, TensorType) and not hasattr(variable.type, "format")


def is_host(value):
    """Tell whether a value is known while tracing."""
    return isinstance(value, HOST_TYPES)


MOST = 64       # elements of a matrix of shapes


def stays_on_host(node, inputs):
    """Tell whether a node may be computed on the host. An IfElse has no NumPy code.

    Only scalars, vectors and small matrices of integers can lead to a shape: Lasagne stacks shapes
    and takes the smallest.
    """
    if isinstance(node.op, IfElse) or not all(map(is_host, inputs)):
        return False
    ndim = max([getattr(out.type, "ndim", 0) for out in node.outputs], default=0)
    return ndim <= 1 or (ndim == 2 and not isinstance(node.op, Alloc)
                         and all(out.type.dtype.startswith("int") for out in node.outputs)
                         and all(np.size(x) <= MOST for x in inputs))


def compute(node, inputs):
    """Run `node` in NumPy: its outputs from its inputs, lists of host values."""
    storage = {v: [as_host(x, v)] for v, x in zip(node.inputs, inputs, strict=True)}
    storage.update((v, [None]) for v in node.outputs)
    node.op.prepare_node(node, storage, None, "py")
    node.op.make_py_thunk(node, storage, None, [])()
    return [as_host(storage[v][0], v) for v in node.outputs]


def as_host(value, variable):
    """Make of `value` what PyTensor's NumPy code expects for `variable`."""
    if is_dense(variable):
        return np.asarray(value, variable.type.dtype)
    if isinstance(variable.type, TensorType):
        return value
    dtype = getattr(variable.type, "dtype", None)
    if dtype in np.sctypeDict and not isinstance(value, slice | type(None)):
        return np.dtype(dtype).type(value)
    return value


def static(value):
    """Make an int of a value that XLA needs to know; a DynamicShape if only a run tells it."""
    if isinstance(value, jax.core.Tracer):
        raise DynamicShape
    return operator.index(np.asarray(value).item())


def static_shape(value):
    """Make a tuple of ints of a vector of sizes; see `static`."""
    if isinstance(value, jax.core.Tracer):
        raise DynamicShape
    return tuple(map(int, value))
