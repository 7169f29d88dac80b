"""Rewriting of graphs inside graphs: the body of a loop, an OpFromGraph."""

from pytensor.compile.mode import optdb
from pytensor.graph.fg import FunctionGraph
from pytensor.graph.rewriting.basic import in2out

from theano.link.stable import stable_logarithms

FIRST = [stable_logarithms]     # for every graph


def register(name, removal):
    """Let a rewrite remove its Op from every graph that is compiled from now on."""
    removal = in2out(removal, name=name)
    optdb.register(name, removal, "removal", position=0.4)
    FIRST.append(removal)


def rewritten(inner):
    """Copy an Op's graph rewritten by `FIRST`."""
    inner = inner.unfreeze() if hasattr(inner, "unfreeze") else inner
    inner = FunctionGraph(inner.inputs, inner.outputs, clone=True)
    for rewriter in FIRST:
        rewriter.rewrite(inner)
    return inner
