"""Theano's API, on PyTensor's graphs and JAX's compiler."""

# ruff: noqa: E402, I001 (settings come before what reads them; names stand side by side)
from theano import configdefaults

config = configdefaults.load()

import pytensor
import pytensor.link.jax.dispatch  # sets JAX's x64 by floatX: before `device`, which settles it

from theano import device

device.use(config)

from theano import (compile, configparser, gof, gpuarray, gradient, ifelse, printing, sandbox,
                    scalar, tensor)
from theano.compile import (In, Mode, OpFromGraph, Out, Param, SharedVariable, as_op, function,
                            shared)
from theano.configparser import change_flags
from theano.gof import Apply, Constant, Op, Type, Variable, generic
from theano.gradient import Lop, Rop, grad, subgraph_grad
from theano.misc.safe_asarray import _asarray
from theano.printing import pp, pprint
from theano.scan_module import foldl, foldr, map, reduce, scan
from theano.scan_module.scan_utils import clone
from theano.tensor import dot
from theano.updates import OrderedUpdates

# The release whose API this is; scripts ask for it.
__version__ = "1.0.5"

# Variable.eval() is PyTensor's, and uses PyTensor's default mode.
pytensor.config.mode = compile.get_mode(None)
