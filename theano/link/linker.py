"""The linker: a rewritten graph becomes functions that XLA compiles."""

import jax
import numpy as np
from pytensor.compile.sharedvalue import SharedVariable
from pytensor.link.basic import Container
from pytensor.link.jax.linker import JAXLinker

from theano.link import inner, loop, masks  # register OpFromGraph and Scan, and rewrites
from theano.link.function import Function
from theano.link.host import is_dense


class Cell(Container):
    """Where a value is kept, which may be a JAX array."""

    __deepcopy__ = None     # PyTensor's asserts NumPy's arrays; Python's own way does


class Linker(JAXLinker):
    """PyTensor's JAX linker, with shapes kept on the host and shared values on the device.

    Its outputs are NumPy arrays. `quick` compiles fast rather than to fast code.
    """

    # Ours to do: PyTensor turns shapes into an Op that NumPy cannot compute.
    incompatible_rewrites = (*JAXLinker.incompatible_rewrites, "jax_shape_parameter_as_tuple",
                             "jax_size_parameter_as_tuple", "fusion", "ShapeOpt", *masks.PYTENSORS)

    def __init__(self, quick=False):
        self.quick = quick
        super().__init__()

    def make_all(self, *storage, **more_storage):
        """See `pytensor.link.basic.JITLinker`."""
        run, inputs, *rest = super().make_all(*storage, **more_storage)
        pairs = zip(self.fgraph.inputs, inputs, strict=True)
        return run, [Cell(v, cell.storage) for v, cell in pairs], *rest

    def create_jitable_thunk(self, compute_map, order, input_storage, output_storage, storage_map):
        """See `pytensor.link.basic.JITLinker`; called by it."""
        fgraph = self.fgraph
        run = Function(fgraph, order, self.quick)
        cells = [storage_map[v] for v in fgraph.inputs]
        shared = [storage_map[v] for v in fgraph.inputs if is_shared_tensor(v)]
        updates = set(fgraph.update_mapping or ())
        returned = [(i, v.type.dtype if is_dense(v) else None)
                    for i, v in enumerate(fgraph.outputs) if i not in updates]

        def thunk():
            fresh = [cell for cell in shared if type(cell[0]) is np.ndarray]
            if fresh:  # once: the device's arrays replace them
                on_device = jax.device_put([cell[0] for cell in fresh])
                for cell, value in zip(fresh, on_device, strict=True):
                    cell[0] = value
            outputs = run([cell[0] for cell in cells])
            for i, dtype in returned:
                if dtype is not None:
                    outputs[i] = np.array(outputs[i], dtype)
            if not returned:
                # XLA may still be reading the caller's arrays.
                jax.block_until_ready(outputs)
            return outputs

        thunk.inputs = cells
        thunk.outputs = [storage_map[v] for v in fgraph.outputs]
        thunk.lazy = False
        return [thunk], order[:1], run


def is_shared_tensor(variable):
    """Tell whether it is a shared array, which lives on the device."""
    return isinstance(variable, SharedVariable) and is_dense(variable)
