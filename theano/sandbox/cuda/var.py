"""What pickles from GPUs name; see `theano.gpuarray.type`."""

from theano.compile.sharedvalue import TensorSharedVariable as CudaNdarraySharedVariable
