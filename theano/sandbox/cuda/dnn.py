"""cuDNN: JAX calls it where it helps; there is nothing to be called directly."""


def dnn_available():
    """False: no layer that needs Theano's own cuDNN Ops can be used."""
    return False


dnn_available.msg = "Theano's cuDNN Ops are not part of this port; use theano.tensor.nnet"
