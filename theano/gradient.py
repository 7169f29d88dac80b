"""Derivatives of graphs, and variables that change what the gradient sees."""

from pytensor.gradient import (  # noqa: I001 (names stand side by side)
    DisconnectedInputError, DisconnectedType, GradientError, NullTypeGradError, disconnected_grad,
    disconnected_type, grad, grad_clip, grad_not_implemented, grad_scale, grad_undefined, hessian,
    hessian_vector_product, jacobian, numeric_grad, pullback, pushforward, subgraph_grad,
    undefined_grad, verify_grad, zero_grad)
from pytensor.gradient import as_list_or_tuple as format_as


def Rop(f, wrt, eval_points):
    """Derive f in the direction `eval_points` of `wrt`: by `R_op`, or else by two gradients."""
    try:
        return pushforward(f, wrt, eval_points, use_op_pushforward=True)
    except NotImplementedError:
        return pushforward(f, wrt, eval_points)


def Lop(f, wrt, eval_points, consider_constant=None, disconnected_inputs="raise"):
    """Return the gradient of the sum of f times `eval_points`."""
    return pullback(f, wrt, eval_points, consider_constant=consider_constant,
                    disconnected_inputs=disconnected_inputs)


def consider_constant(x):
    """Return x, without a gradient."""
    return zero_grad(x)
