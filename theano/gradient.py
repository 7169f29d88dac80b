"""Derivatives of graphs, and variables that change what the gradient sees."""

from pytensor.gradient import (DisconnectedInputError, DisconnectedType, GradientError, Lop,
                               NullTypeGradError, Rop, disconnected_grad, grad, grad_clip,
                               grad_not_implemented, grad_scale, grad_undefined, hessian,
                               hessian_vector_product, jacobian, numeric_grad, subgraph_grad,
                               undefined_grad, verify_grad, zero_grad)


def consider_constant(x):
    """x, without gradient."""
    return zero_grad(x)


def format_as(use_list, use_tuple, outputs):
    """`outputs` as a list or a tuple, or its only element."""
    if use_list or use_tuple:
        return list(outputs) if use_list else tuple(outputs)
    return outputs[0] if isinstance(outputs, list | tuple) else outputs
