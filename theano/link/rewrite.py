"""Rewriting of graphs inside graphs: the body of a loop."""

from pytensor.graph.fg import FunctionGraph


def rewritten(inner):
    """A copy of a loop's graph."""
    inner = inner.unfreeze() if hasattr(inner, "unfreeze") else inner
    return FunctionGraph(inner.inputs, inner.outputs, clone=True)
