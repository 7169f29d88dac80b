"""Masks as indices, x[mask], in place of PyTensor's rewrites of them for JAX.

Those put a mask of fewer dimensions than x beside the last of x's, and not beside the first.
"""

import pytensor.tensor as pt
from pytensor.compile.mode import optdb
from pytensor.graph.rewriting.basic import dfs_rewriter, node_rewriter
from pytensor.tensor.math import Sum
from pytensor.tensor.subtensor import AdvancedIncSubtensor, AdvancedSubtensor

PYTENSORS = "jax_boolean_indexing_set_or_inc", "jax_boolean_indexing_sum"


def beside(x, op, index):
    """Give the mask that alone is x's index x's dimensions; None if it is another index.

    The slices of x[:, mask] are in `op.idx_list`.
    """
    first, *rest = op.idx_list
    if (first != 0 or any(one != slice(None) for one in rest)
            or getattr(index[0].type, "dtype", None) != "bool"):
        return None
    mask = pt.specify_shape(index[0], [x.shape[k] for k in range(index[0].ndim)])
    return pt.shape_padright(mask, x.ndim - mask.ndim)


@node_rewriter([AdvancedIncSubtensor])
def masked_set(fgraph, node):
    """Rewrite x[mask] = y and x[mask] += y for one number y."""
    x, y, *index = node.inputs
    mask = None if y.ndim else beside(x, node.op, index)
    if mask is not None:
        new = y if node.op.set_instead_of_inc else x + y
        return [pt.where(mask, new, x).astype(node.outputs[0].dtype)]


@node_rewriter([Sum])
def masked_sum(fgraph, node):
    """Rewrite the sum of all of x[mask]."""
    picked = node.inputs[0].owner
    if node.outputs[0].ndim or not picked or not isinstance(picked.op, AdvancedSubtensor):
        return None
    x, *index = picked.inputs
    mask = beside(x, picked.op, index)
    if mask is not None:
        return [pt.sum(pt.where(mask, x, 0).astype(x.dtype), dtype=node.op.dtype,
                       acc_dtype=node.op.acc_dtype)]


for rewriter in masked_set, masked_sum:
    optdb.register(rewriter.__name__, dfs_rewriter(rewriter), "jax", position=100)
