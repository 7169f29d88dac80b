"""Compilation modes: how much of the graph is rewritten before JAX gets it."""

import warnings

import pytensor
from pytensor.compile import mode as pytensor_mode
from pytensor.compile.maker import FunctionMaker
from pytensor.graph.rewriting.db import RewriteDatabaseQuery

import theano
from theano.gof.opt import OpRemove
from theano.link import Linker
from theano.link.rewrite import register


class Maker(FunctionMaker):
    """PyTensor's maker, without the steps that JAX's arrays, which never change, do not need.

    Their time would grow with the square of the number of shared variables.
    """

    @staticmethod
    def prepare_fgraph(inputs, outputs, additional_outputs, fgraph, mode, profile):
        """Rewrite, without copies of outputs that are inputs, too."""
        with pytensor.config.change_flags(mode=mode):
            mode.optimizer(fgraph)

    @staticmethod
    def check_unused_inputs(inputs, outputs, on_unused_input):
        """Left to `theano.compile.function.check_unused`."""


# Rewrites that look through all factors of sums, or for special matrices: seconds in large graphs.
SLOW = ("local_second_to_alloc", "local_greedy_distributor", "dot_diag_to_elemwise",
        "selection_dot_to_indexing", "orthogonal_dot_transpose_to_eye",
        "useless_symmetric_transpose")
# Equal parts merge, and expressions that overflow are replaced; what else Theano rewrote for speed
# is XLA's job. FAST_COMPILE replaces logarithms of probabilities (`theano.link.stable`) only.
FEW = RewriteDatabaseQuery(include=["merge", "stable_logarithms", "removal"])
DEFAULT = FEW.including("stabilize").excluding(*SLOW)


class Mode(pytensor_mode.Mode):
    """A linker, ours by default, and the rewrites that come before it; see PyTensor."""

    def __init__(self, linker=None, optimizer="default", db=None):
        super().__init__(Linker() if linker is None else linker,
                         DEFAULT if optimizer == "default" else optimizer, db)

    @property
    def function_maker(self):
        """The class that makes functions in this mode."""
        return Maker if isinstance(self.linker, Linker) else FunctionMaker


class Registry:
    """Where programs register rewrites, by Theano's name for it.

    Those that remove an Op are applied to all graphs: such an Op may have no other meaning, or not
    be computable. Of others, which Theano had for speed, a warning tells that they are not.
    """

    def __getitem__(self, stage):
        """Return itself, at any stage."""
        return self

    def register(self, name, rewriter, *where, **settings):
        """Take a rewrite."""
        if isinstance(rewriter, OpRemove):
            register(name, rewriter)
        else:
            warnings.warn(f"the optimisation {name!r} is not applied: XLA has its own",
                          stacklevel=3)


optdb = Registry()

FAST_RUN = Mode()
FAST_COMPILE = Mode(Linker(quick=True), FEW)

MODES = {"FAST_RUN": FAST_RUN, "JAX": FAST_RUN, "Mode": FAST_RUN, "FAST_COMPILE": FAST_COMPILE}


def get_mode(mode):
    """Return a mode by its name; None is the configured one. Those for debugging are PyTensor's."""
    if mode is None:
        mode = theano.config.mode
    if not isinstance(mode, str):
        return mode
    try:
        return MODES[mode] if mode in MODES else pytensor_mode.get_mode(mode)
    except Exception as error:
        raise ValueError(f"mode={mode!r} is unknown; choose one of {', '.join(MODES)}, "
                         "DebugMode, NanGuardMode") from error


def get_default_mode():
    """Return the mode that `theano.config.mode` names."""
    return get_mode(None)
