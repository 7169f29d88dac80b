"""Theano's second GPU backend by name: what stands here runs on whatever device is in use."""

from theano.gpuarray import basic_ops, blas, dnn
from theano.sandbox.cuda import use

pygpu_activated = True      # asked before the layers that need it: they work on a CPU, too
