"""A graph as a callable: what is compiled, what comes before and after, and what cannot be."""

import warnings

import jax
import numpy as np
from pytensor.raise_op import CheckAndRaise
from pytensor.scalar.basic import ScalarType
from pytensor.tensor.random.type import RandomType

from theano.ifelse import IfElse
from theano.link import bounds, moves, static
from theano.link.host import is_dense
from theano.link.program import NotTraceable, Program
from theano.link.xla import compiled


class SlowPath(UserWarning):
    """A function, or a part of it, runs slower than it might, for the cause that is named."""


class Function:
    """Computes a graph's outputs.

    Slices by integer inputs come first (`theano.link.static`), then the main part, which is
    compiled unless XLA cannot, then the moves (`theano.link.moves`). `order` lists the graph's
    nodes; `quick` compiles fast rather than to fast code.
    """

    def __init__(self, fgraph, order, quick):
        self.checks = [check for node in needed(fgraph.outputs, order, certain=True)
                       for check in checks(node)]
        self.order = [*order, *(v.owner for v, _, _ in self.checks
                                if v.owner and isinstance(v.owner.op, bounds.InBounds))]
        self.fgraph, self.quick = fgraph, quick
        self.name = fgraph.name or "a function"
        self.moves = moves.split(fgraph)
        moved = {move.output for move in self.moves}
        self.direct = [i for i in range(len(fgraph.outputs)) if i not in moved]
        given = set(fgraph.inputs)
        handed = {v: None for move in self.moves for v in move.inputs if v not in given}
        self.outputs = [*(fgraph.outputs[i] for i in self.direct), *handed]
        place = {v: i for i, v in enumerate([*fgraph.inputs, *self.outputs])}
        self.places = {move: [place[v] for v in move.inputs] for move in self.moves}
        self.calls = None
        self.slices, self.sizes = [], set()
        self.settle()

    def settle(self):
        """Make the main part, given the slices taken out and the inputs that are sizes."""
        inputs = [*self.fgraph.inputs, *(node.outputs[0] for node in self.slices)]
        outputs = [*self.outputs, *(v for v, _, _ in self.checks)]
        self.program = Program(inputs, outputs, needed(outputs, self.order, inputs))
        before = [node.outputs[0] for node in self.slices]
        self.before = Program(self.fgraph.inputs, before, needed(before, self.order))
        self.by_size = {}
        self.main = self.compiled
        strange = [v for v in [*self.fgraph.inputs, *outputs] if not is_array(v)]
        if strange:
            self.main = self.node_by_node
            self.announce("is not compiled but runs node by node. "
                          f"The cause is {strange[0]}, which is no array")

    def __call__(self, inputs):
        """Compute the outputs, as a list of arrays."""
        values = self.run_main(inputs)
        if self.checks:
            self.check(values[len(self.outputs):])
        if self.calls is None:
            self.calls = self.plan(inputs)
        return self.assembled(inputs, values, self.calls)

    def whole(self, inputs):
        """Compute the outputs where it is called: under somebody else's trace."""
        values = self.program(*inputs, *self.before(*inputs))
        calls = [self.call(moves.together([move]), [move]) for move in self.moves]
        return self.assembled(inputs, values, calls)

    def assembled(self, inputs, values, calls):
        """List the outputs, given the main part's `values` and the `calls` that do the moves."""
        outputs = [None] * len(self.fgraph.outputs)
        for i, value in zip(self.direct, values, strict=False):
            outputs[i] = value
        known = [*inputs, *values]
        for run, places, wanted in calls:
            for i, value in zip(wanted, run(*[known[place] for place in places]), strict=True):
                outputs[i] = value
        return outputs

    def run_main(self, inputs):
        """Compute the outputs of the main part, in the first way that works."""
        while True:
            arguments = [*inputs, *self.before(*inputs)] if self.slices else inputs
            try:
                return self.main(arguments)
            except NotTraceable as error:
                self.adapt(error, inputs)

    def compiled(self, arguments):
        """Run the main part, compiled for the values of those inputs that are sizes."""
        sizes = {i: arguments[i] for i in self.sizes}
        key = tuple(tuple(np.ravel(value)) for value in sizes.values())
        if key not in self.by_size:
            def run(*arguments):
                return self.program(*(sizes.get(i, x) for i, x in enumerate(arguments)))
            self.by_size[key] = compiled(run if sizes else self.program, self.quick,
                                         nodes=len(self.program.steps))
        return self.by_size[key](*arguments)

    def adapt(self, error, inputs):
        """Find another way for a node that XLA cannot compile."""
        node = error.node
        integers = static.integers_behind(node) if node in self.order else None
        places = {self.fgraph.inputs.index(v) for v in integers or ()}
        if any(np.size(inputs[place]) > static.LONGEST for place in places):
            places = set()
        if places and static.is_slice_of_input(node):
            self.slices.append(node)
            self.settle()
        elif not places <= self.sizes:
            self.sizes |= places
            self.settle()
            names = ", ".join(map(str, integers))
            self.announce(f"is compiled anew for each value of {names}, a size in {node.op}")
        elif self.main == self.node_by_node:
            raise NotImplementedError(f"{self.name} cannot be run: {error}") from error
        else:
            self.main = self.node_by_node
            self.announce(f"is not compiled but runs node by node. The cause is {error}")

    def node_by_node(self, arguments):
        """Run the main part, without compiling it as a whole."""
        return self.program(*arguments)

    def announce(self, what):
        """Say once that the function takes a slow path."""
        warnings.warn(f"{self.name} {what}.", SlowPath, stacklevel=7)

    def check(self, values):
        """Raise the error of the first check that fails."""
        for (_, error, message), value in zip(self.checks, jax.device_get(values), strict=True):
            if not value:
                raise error(message)

    def plan(self, inputs):
        """List the calls that do the moves, compiled."""
        def shape(move):
            return inputs[self.fgraph.update_mapping[move.output]].shape

        functions, calls = {}, []
        for batch in moves.batches(self.moves, shape):
            key = tuple((move.formula, shape(move)) for move in batch)
            if key not in functions:
                functions[key] = compiled(moves.together(batch), self.quick)
            calls.append(self.call(functions[key], batch))
        return calls

    def call(self, function, batch):
        """Return the call of `function` that does a batch: its arguments' places, its outputs."""
        places = [place for move in batch for place in self.places[move]]
        return function, places, [move.output for move in batch]


def is_array(variable):
    """Tell whether it is an array, a number or a generator's state. XLA knows of nothing else."""
    return is_dense(variable) or isinstance(variable.type, ScalarType | RandomType)


def checks(node):
    """List what has to be true for a node to be computed: (variable, exception, its message)."""
    if isinstance(node.op, CheckAndRaise):
        return [(v, node.op.exc_type, node.op.msg) for v in node.inputs[1:]]
    message = f"{node.op}: an index is out of bounds"
    return [(v, IndexError, message) for v in bounds.conditions(node)]


def needed(outputs, order, given=(), certain=False):
    """List the nodes of `order` that `outputs` need, with the variables `given` known.

    The `certain` ones are computed in any case: not those for a branch of an `ifelse` alone.
    """
    wanted, nodes = set(outputs).difference(given), []
    for node in reversed(order):
        if not wanted.isdisjoint(node.outputs):
            inputs = node.inputs[:1] if certain and isinstance(node.op, IfElse) else node.inputs
            wanted.update(v for v in inputs if v not in given)
            nodes.append(node)
    return nodes[::-1]
