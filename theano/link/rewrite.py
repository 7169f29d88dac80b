"""Rewriting of graphs inside graphs: the body of a loop, an OpFromGraph."""

from pytensor.graph.fg import FunctionGraph

from theano.link.stable import stable_logarithms


def rewritten(inner):
    """Copy an Op's graph so that logarithms do not overflow (`theano.link.stable`)."""
    inner = inner.unfreeze() if hasattr(inner, "unfreeze") else inner
    inner = FunctionGraph(inner.inputs, inner.outputs, clone=True)
    stable_logarithms.rewrite(inner)
    return inner
