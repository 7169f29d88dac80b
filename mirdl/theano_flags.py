"""Theano's flags, as the original was run."""

import os
import sys
import warnings
from functools import lru_cache

from mirdl.errors import UserError

PUBLISHED = "mode=FAST_RUN,device=cpu,floatX=float32"


@lru_cache(1)       # what applies is said once
def start_theano() -> None:
    """Import theano, in float32 on the CPU unless THEANO_FLAGS says otherwise.

    Theano's own default is float64. Where that applies, a line says so.

    Raises
    ------
    UserError
        For a flag that Theano refuses, floatX=float16, or a GPU that is forced and not there.
    """
    imported = "theano" in sys.modules
    if not imported:
        os.environ.setdefault("THEANO_FLAGS", PUBLISHED)
    try:
        import theano
    except (ValueError, RuntimeError) as error:
        raise UserError(str(error)) from error
    # it names our call, not the network that is slow
    warnings.simplefilter("default", theano.link.function.SlowPath)
    if theano.config.floatX == "float16":
        raise UserError("floatX=float16 is not supported: expected float32 (as in the paper) or "
                        "float64 in THEANO_FLAGS")
    if theano.config.floatX == "float64":
        reason = ("theano was imported before" if imported else
                  "THEANO_FLAGS has floatX=float64, or no floatX")
        print(f"Training in float64, as {reason}. floatX=float32 is what the paper used and about "
              f"twice as fast: THEANO_FLAGS={PUBLISHED}", flush=True)
