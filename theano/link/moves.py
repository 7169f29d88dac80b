"""Updates of shared variables, taken out of the compiled graph.

XLA compiles a kernel for each parameter's update, 5 ms each: a network with 700 parameters would
spend most of its compile time there. But most updates are the same formula on arrays of the same
few shapes. So they are divided into batches that are alike, and one batch is compiled.
"""

from collections import defaultdict
from dataclasses import dataclass

from theano.link.formulas import Formula

WORTHWHILE = 100    # updates
MOST_CALLS = 32     # of one compiled batch: a call takes some 10 us, a kernel 5 ms to compile


@dataclass(eq=False)
class Move:
    """One update by a formula."""

    formula: Formula
    inputs: list
    output: int         # which of the graph's outputs it computes


def split(fgraph):
    """List the moves of a graph; none if it is not worthwhile."""
    nodes = [(i, fgraph.outputs[i].owner) for i in fgraph.update_mapping or ()]
    moves = [Move(node.op, node.inputs, i) for i, node in nodes
             if node is not None and isinstance(node.op, Formula)]
    return moves if len(moves) >= WORTHWHILE else []


def batches(moves, shape_of):
    """Divide moves into batches, most of which are alike.

    Parameters
    ----------
    moves : list of Move
    shape_of : callable
        The shape of what a move computes.

    Returns
    -------
    list of list of Move
        In equal batches the moves at each place have the same formula and the same shape.
    """
    alike = defaultdict(list)
    for move in moves:
        alike[move.formula, shape_of(move)].append(move)
    by_calls, rest = defaultdict(list), []
    for group in alike.values():
        size = -(-len(group) // MOST_CALLS)
        calls = len(group) // size
        by_calls[calls].append((group, size))
        rest += group[calls * size:]
    divided = [[move for group, size in groups for move in group[k * size:(k + 1) * size]]
               for calls, groups in by_calls.items() for k in range(calls)]
    return [batch for batch in (*divided, rest) if batch]


def together(batch):
    """Make one function of a batch: of the inputs of all moves, one after the other."""
    def run(*inputs):
        inputs = iter(inputs)
        return [move.formula.function(*(next(inputs) for _ in move.inputs)) for move in batch]
    return run
