"""Theano's first GPU backend, by the names that scripts ask for: JAX runs on GPUs by itself."""

import warnings

from theano import device

cuda_available = False
cuda_enabled = False        # arrays need no conversion, on a GPU either


def use(name, *settings, **more):
    """Warn if the device that THEANO_FLAGS chose, when Theano was imported, is of another kind."""
    found = device.in_use().platform
    if name.startswith(device.GPU) != (found in device.GPU):
        warnings.warn(f"theano.sandbox.cuda.use({name!r}) comes too late, {found} is in use; set "
                      f"THEANO_FLAGS=device={name} before Theano is imported", stacklevel=2)
