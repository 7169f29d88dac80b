"""Tensors: Theano's names. Those that no module here defines are PyTensor's."""

import difflib  # noqa: I001 (names stand side by side)

import pytensor.tensor as _pytensor

from theano.compile.sharedvalue import TensorSharedVariable, shared
from theano.gradient import Lop, Rop, grad, hessian, jacobian, numeric_grad, verify_grad
from theano.tensor import (axes, basic, blas, elemwise, extra_ops, inplace, nlinalg, nnet, opt,
                           sharedvar, shared_randomstreams, signal, slinalg, subtensor, type)
from theano.tensor.axes import (all, any, argmax, argmin, cumprod, cumsum, max, max_and_argmax,
                                mean, min, prod, std, sum)
from theano.tensor.basic import (Tensor, addbroadcast, all_dtypes, argtopk, as_tensor_variable,
                                 batched_dot, batched_tensordot, complex_dtypes,
                                 consider_constant, default, discrete_dtypes, extract_constant,
                                 flatten, float_dtypes, hashtype, int_dtypes, integer_dtypes, norm,
                                 patternbroadcast, split, stack, to_one_hot, tile, topk,
                                 topk_and_argtopk, uint_dtypes, unbroadcast, upcast)
from theano.tensor.elemwise import CAReduce, DimShuffle, Elemwise
from theano.tensor.extra_ops import fill_diagonal, fill_diagonal_offset
from theano.tensor.sort import argsort, sort
from theano.tensor.subtensor import Subtensor
from theano.tensor.type import *  # noqa: F403 (all of its names)
from theano.tensor.var import TensorConstant, TensorVariable, _tensor_py_operators

var = axes.var      # the variance, as in Theano: the module has the same name
TensorType = basic.TensorType       # that of theano.tensor.type, PyTensor's, is for pickles

_RENAMED = {"abs_": "abs", "absolute": "abs", "inv": "reciprocal", "not_": "invert",
            "logical_not": "invert",
            "get_scalar_constant_value": "get_underlying_scalar_constant_value"}

__all__ = [name for name in {*dir(_pytensor), *globals(), *_RENAMED} if name[0] != "_"]


def __getattr__(name):
    """Hand on what PyTensor has."""
    for source in (_pytensor, _pytensor.basic, _pytensor.math, _pytensor.subtensor):
        if hasattr(source, _RENAMED.get(name, name)):
            return getattr(source, _RENAMED.get(name, name))
    close = difflib.get_close_matches(name, __all__, 1)
    hint = f"; did you mean '{close[0]}'?" if close else ""
    raise AttributeError(f"theano.tensor has no '{name}'{hint}")
