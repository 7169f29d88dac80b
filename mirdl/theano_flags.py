"""Theano's flags, as the original was run."""

import os

from mirdl.errors import UserError


def start_theano():
    """Import theano, in float32 on the CPU unless THEANO_FLAGS says otherwise (Theano's own default is float64).

    Raises
    ------
    UserError
        For a flag that Theano refuses, or a GPU that is forced and not there.
    """
    os.environ.setdefault("THEANO_FLAGS", "mode=FAST_RUN,device=cpu,floatX=float32")
    try:
        import theano  # noqa: F401 (for the flags that it reads)
    except (ValueError, RuntimeError) as error:
        raise UserError(str(error)) from error
