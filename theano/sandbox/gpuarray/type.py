"""See `theano.gpuarray.type`."""

from theano.gpuarray.type import GpuArray_unpickler, GpuArraySharedVariable, GpuArrayType
