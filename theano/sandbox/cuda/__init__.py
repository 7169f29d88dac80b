"""Theano's first GPU backend, by the names that scripts ask for: JAX runs on GPUs by itself."""

import warnings

from theano import device

cuda_available = False
cuda_enabled = False        # arrays need no conversion, on a GPU either


def use(name, *settings, **more):
    """Nothing: THEANO_FLAGS has chosen the device when Theano was imported. A warning if it is of another kind."""
    found = device.in_use().platform
    if name.startswith(device.GPU) != (found in device.GPU):
        warnings.warn(f"theano.sandbox.cuda.use({name!r}) comes too late, {found} is in use; set THEANO_FLAGS=device={name} "
                      "before Theano is imported", stacklevel=2)
