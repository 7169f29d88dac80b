"""Rewrites of one's own, and checks inside graphs, by the module's name that scripts import."""

from pytensor.raise_op import Assert, assert_op

from theano.compile.mode import optdb


def register_canonicalize(rewriter, *tags, name=None, **settings):
    """Register a rewrite; see `theano.compile.mode.Registry`. A tag alone gives a decorator."""
    if isinstance(rewriter, str):
        return lambda decorated: register_canonicalize(decorated, name=name)
    optdb.register(name or str(getattr(rewriter, "__name__", rewriter)), rewriter)
    return rewriter


register_specialize = register_stabilize = register_uncanonicalize = register_canonicalize
