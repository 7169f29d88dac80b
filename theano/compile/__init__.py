"""From graphs to functions."""

from pytensor.compile.io import SymbolicInput, SymbolicOutput
from pytensor.compile.rebuild import UnusedInputError
from pytensor.compile.sharedvalue import SharedVariable

from theano.compile import debugmode, function_module, monitormode, nanguardmode, ops, profiling
from theano.compile.builders import OpFromGraph
from theano.compile.debugmode import DebugMode
from theano.compile.function import function
from theano.compile.io import In, Out, Param
from theano.compile.mode import FAST_COMPILE, FAST_RUN, Mode, get_default_mode, get_mode, optdb
from theano.compile.monitormode import MonitorMode
from theano.compile.ops import ViewOp, as_op
from theano.compile.pfunc import pfunc, rebuild_collect_shared
from theano.compile.sharedvalue import shared
