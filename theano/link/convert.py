"""The JAX function for each of PyTensor's Ops.

PyTensor has them for most Ops (`jax_funcify`). Here stand those that have to keep shapes on
the host, and those that PyTensor lacks. The table is our own: PyTensor's stays as it is.
"""

import functools
import operator

import jax
import jax.numpy as jnp
import numpy as np
from pytensor.compile.ops import DeepCopyOp, ViewOp
from pytensor.link.jax.dispatch import jax_funcify
from pytensor.printing import Print
from pytensor.raise_op import CheckAndRaise
from pytensor.scalar import basic as scalar
from pytensor.tensor import basic as tensor
from pytensor.tensor import linalg, subtensor
from pytensor.tensor.blockwise import Blockwise
from pytensor.tensor.elemwise import CAReduce, Elemwise
from pytensor.tensor.extra_ops import CpuContiguous, SearchsortedOp, Unique
from pytensor.tensor.math import ProdWithoutZeros
from pytensor.tensor.shape import Reshape, Shape, Shape_i, SpecifyShape
from pytensor.tensor.type_other import MakeSlice

from theano import device
from theano.ifelse import IfElse
from theano.link.block import Block
from theano.link.bounds import InBounds, in_bounds
from theano.link.host import DynamicShape, static, static_shape


@functools.singledispatch
def convert(op, node):
    """Make the function of JAX arrays or host values that gives a node's output, or a tuple."""
    function = from_pytensor(op, node)
    return lambda *inputs: function(*map(plain, inputs))


def from_pytensor(op, node):
    """Return PyTensor's JAX function for an Op; a NotImplementedError if there is none."""
    try:
        return jax_funcify(op, node=node, storage_map=None)
    except AttributeError as error:     # jax.scipy lacks some of SciPy's, the Bessel functions
        raise NotImplementedError(f"JAX has no {op}") from error


@convert.register
def _(op: Blockwise, node):
    # Without batches it is its Op, which may need sizes on the host (`Eye`).
    return from_pytensor(op, node) if op.batch_ndim(node) else convert(op.core_op, node)


def plain(value):
    """Make an int of an integer known on the host: jnp wants the axes from PyTensor as ints."""
    if isinstance(value, np.ndarray) and value.ndim == 0 and value.dtype.kind in "iu":
        return int(value)
    return value


# Elementwise

VARIADIC = {scalar.Add: operator.add, scalar.Mul: operator.mul,
            scalar.AND: operator.and_, scalar.OR: operator.or_, scalar.XOR: operator.xor,
            scalar.Maximum: jnp.maximum, scalar.Minimum: jnp.minimum}
# PyTensor has none for these.
SCALAR = {scalar.Complex: jax.lax.complex,
          scalar.RoundHalfAwayFromZero: lambda x: jnp.trunc(x + jnp.copysign(0.5, x))}


@convert.register
def _(op: Elemwise, node):
    function = scalar_function(op.scalar_op, node)
    first = isinstance(op.scalar_op, scalar.Switch)     # its condition stays as it is
    wide = float_dtype([v.type.dtype for v in node.inputs[first:]], node.outputs[0].type.dtype)

    def elemwise(*inputs):
        op._check_runtime_broadcast(node, inputs)
        check_sizes(op, inputs)
        if wide:
            inputs = [*inputs[:first], *(jnp.asarray(x, wide) for x in inputs[first:])]
        return function(*inputs)

    return elemwise


def float_dtype(inputs, output):
    """Choose the dtype to compute in where integers become floats; None elsewhere.

    JAX would keep to the floats' width or take its own; NumPy takes the wider.
    """
    kinds = {np.dtype(dtype).kind for dtype in inputs}
    if "c" in kinds or not kinds & set("iub"):
        return None
    if "f" in kinds:
        return np.result_type(*inputs)
    return output if output.startswith("float") else None


def check_sizes(op, inputs):
    """Refuse arrays that do not broadcast."""
    shapes = {np.shape(x) for x in inputs}
    for sizes in zip(*shapes, strict=True):
        if len(set(sizes) - {1}) > 1:
            raise ValueError(f"{op}: its inputs have shapes "
                             f"{' and '.join(map(str, sorted(shapes)))}, which do not fit")


def scalar_function(op, node):
    """Return the jnp function for a scalar Op, applied elementwise."""
    binary = VARIADIC.get(type(op))
    if binary and len(node.inputs) > 1:
        return lambda *inputs: functools.reduce(binary, inputs)
    return SCALAR.get(type(op)) or from_pytensor(op, node)


@convert.register
def _(op: linalg.Eigh, node):
    if len(node.inputs) > 1:
        return from_pytensor(op, node)
    # One triangle counts, as the gradient has it. JAX takes the mean of both unless told.
    return lambda x: tuple(jnp.linalg.eigh(x, "L" if op.lower else "U", symmetrize_input=False))


# Sums, products, maxima

@convert.register
def _(op: CAReduce, node):
    if isinstance(op, ProdWithoutZeros):    # PyTensor's (3.0.7) uses a name that JAX lacks
        return lambda x: jnp.prod(jnp.where(x == 0, 1, x), op.axis, op.acc_dtype)
    reduce = jax_funcify(op, node=node)
    given, wanted = node.inputs[0].type.dtype, node.outputs[0].type.dtype
    # On a GPU, which is slow at float64, float32 stays float32, as in Theano.
    slow = given == wanted != "float16" and device.in_use().platform != "cpu"
    if given == op.acc_dtype or op.acc_dtype is None or slow:
        return reduce
    return lambda x: reduce(jnp.asarray(x, op.acc_dtype))


@convert.register
def _(op: Unique, node):
    raise NotImplementedError("PyTensor's (3.0.7) uses a name that JAX lacks")


# Shapes, and what needs one expression

for kind, made in {
        Shape: lambda op: lambda x: np.array(np.shape(x), "int64"),
        Shape_i: lambda op: lambda x: np.array(np.shape(x)[op.i], "int64"),
        Reshape: lambda op: lambda x, shape: jnp.reshape(x, static_shape(shape)),
        tensor.AllocEmpty: lambda op: lambda *sizes: jnp.zeros(tuple(map(static, sizes)), op.dtype),
        tensor.Eye: lambda op: lambda n, m, k: jnp.eye(static(n), static(m), static(k), op.dtype),
        tensor.MakeVector: lambda op: lambda *values: jnp.stack(
            [jnp.asarray(v, op.dtype) for v in values]),
        tensor.TensorFromScalar: lambda op: jnp.asarray,
        MakeSlice: lambda op: slice,
        InBounds: lambda op: op.value,
        # PyTensor's takes the sorter for the side.
        SearchsortedOp: lambda op: lambda x, v, *sorter: jnp.searchsorted(x, v, op.side, *sorter),
        # `theano.link.function` looks at the conditions. JAX arrays never change: no copies.
        **dict.fromkeys((CheckAndRaise, tensor.ScalarFromTensor, CpuContiguous, DeepCopyOp, ViewOp),
                        lambda op: lambda x, *conditions: x),
}.items():
    convert.register(kind)(lambda op, node, made=made: made(op))


@convert.register
def _(op: SpecifyShape, node):
    def specify_shape(x, *sizes):
        expected = [None if size is None else static(size) for size in sizes]
        if any(n not in (None, actual) for n, actual in zip(expected, x.shape, strict=True)):
            raise AssertionError(f"SpecifyShape: expected shape {tuple(expected)}, got {x.shape}")
        return x
    return specify_shape


@convert.register
def _(op: tensor.Alloc, node):
    def alloc(value, *sizes):
        sizes = tuple(map(static, sizes))
        op._check_runtime_broadcast(node, value, sizes)
        return jnp.broadcast_to(value, sizes)
    return alloc


@convert.register
def _(op: tensor.ARange, node):
    def arange(start, stop, step):
        if any(isinstance(v, jax.core.Tracer) for v in (start, stop, step)):
            raise DynamicShape
        return np.arange(start, stop, step, op.dtype)
    return arange


@convert.register
def _(op: tensor.Join, node):
    if hasattr(op, "axis"):
        return lambda *parts: jnp.concatenate(parts, op.axis)
    return lambda axis, *parts: jnp.concatenate(parts, static(axis))


@convert.register
def _(op: tensor.Split, node):
    def split(x, *where):
        axis = op.axis if hasattr(op, "axis") else static(where[0])
        ends = np.cumsum(static_shape(where[-1]))
        if ends[-1] != x.shape[axis]:
            raise ValueError(f"Split: the sizes add up to {ends[-1]}, "
                             f"axis {axis} of the input has {x.shape[axis]} elements")
        return tuple(jnp.split(x, ends[:-1], axis))
    return split


# Indexing

def indices(entries, idx_list):
    """Return the index of a Subtensor node, with the ends of slices as ints."""
    def static_entry(entry):
        if not isinstance(entry, slice):
            return entry
        return slice(*(None if end is None else static(end)
                       for end in (entry.start, entry.stop, entry.step)))
    return tuple(map(static_entry, subtensor.indices_from_subtensor(entries, idx_list)))


def _getitem(op, node):
    def getitem(x, *entries):
        index = indices(entries, op.idx_list)
        if len(index) == 1 and isinstance(index[0], slice) and not isinstance(x, jax.core.Tracer):
            return part(x, index[0])
        in_bounds(index, np.shape(x))
        return jnp.asarray(x)[index]
    return getitem


def part(x, which):
    """Return x[which], compiled once for each length and not for each place."""
    start, stop, step = which.indices(len(x))
    if step != 1 or isinstance(x, np.ndarray):
        return x[which]
    return _part(x, start, max(0, stop - start))


@functools.partial(jax.jit, static_argnums=2)
def _part(x, start, length):
    return jax.lax.dynamic_slice_in_dim(x, start, length)


def _setitem(op, node):
    def setitem(x, y, *entries):
        x, index = jnp.asarray(x), indices(entries, op.idx_list)
        in_bounds(index, x.shape)
        y, block = jnp.asarray(y, x.dtype), Block.of(map(plain, index), x.shape)
        if block:
            return block.set(x, y) if op.set_instead_of_inc else block.add(x, y)
        return x.at[index].set(y) if op.set_instead_of_inc else x.at[index].add(y)
    return setitem


# Not all versions of PyTensor have the Ops that end in 1.
for name in "Subtensor", "AdvancedSubtensor", "AdvancedSubtensor1":
    if hasattr(subtensor, name):
        convert.register(getattr(subtensor, name))(_getitem)
for name in "IncSubtensor", "AdvancedIncSubtensor", "AdvancedIncSubtensor1":
    if hasattr(subtensor, name):
        convert.register(getattr(subtensor, name))(_setitem)


# Choices and messages

@convert.register
def _(op: IfElse, node):
    n = op.n_outs
    return lambda condition, *both: chosen(condition, lambda: both[:n], lambda: both[n:])


def chosen(condition, yes, no):
    """Return what one of two functions gives, as the condition says."""
    if not isinstance(condition, jax.core.Tracer):
        return yes() if condition else no()
    try:
        return jax.lax.cond(condition, yes, no)
    except TypeError as error:
        raise DynamicShape from error   # other TypeErrors than for shapes come again, untraced


@convert.register
def _(op: Print, node):
    def show(x):
        jax.debug.callback(lambda value: op.global_fn(op, np.asarray(value)), x, ordered=True)
        return x
    return show
