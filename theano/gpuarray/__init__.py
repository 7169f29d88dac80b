"""Theano's second GPU backend by name: it runs on the device in use."""

from theano.gpuarray import basic_ops, blas, dnn
from theano.sandbox.cuda import use

pygpu_activated = True      # asked before the layers that need it: they work on a CPU, too
