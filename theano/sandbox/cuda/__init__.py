"""Theano's first GPU backend, which has no counterpart here: JAX runs on GPUs by itself."""

cuda_available = False
cuda_enabled = False
