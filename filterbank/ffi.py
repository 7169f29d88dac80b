"""The kernels of cpu.py as XLA custom calls: compiled functions that XLA calls without Python.

XLA's typed foreign function interface hands over one address, that of an XLA_FFI_CallFrame. The
offsets below are those of the C header that JAX ships (xla/ffi/api/c_api.h in jax.ffi.include_dir()),
counted in words of eight bytes; XLA keeps them within a major version.

numba keeps the compiled functions on disk: beside this file or, if that is read-only, in the user's
cache directory (NUMBA_CACHE_DIR moves it).
"""

import hashlib
import sys
import threading
from pathlib import Path

import jax
import numpy as np
from numba import carray, cfunc, types
from numba.core import event

from filterbank import cpu, simd, threads
from filterbank.cpu import compiled, pointer

_EXTENSION, _STAGE, _ARGUMENTS, _RESULTS, _ATTRIBUTES = 1, 4, 9, 14, 20     # words of a call frame
_DATA, _RANK, _DIMS = 3, 4, 5                                               # words of a buffer
_METADATA, _EXECUTE = 1, 3                                                  # what extension and stage may be
_API_VERSION = 0 | 3 << 32                                                  # major 0, minor 3


# ---- reading a call frame ---------------------------------------------------------------------------

@compiled
def _words(address, count):
    return carray(pointer(address, np.int64(0)), count)


@compiled
def _address(frame, kind, i):
    """Where the numbers of argument or result i are."""
    return _words(_words(frame[kind], i + 1)[i], 6)[_DATA]


@compiled
def _shape(frame, kind, i):
    buffer = _words(_words(frame[kind], i + 1)[i], 6)
    return _words(buffer[_DIMS], buffer[_RANK])


@compiled
def _attribute(frame, i):
    """Number i of the call's integers, in the order of their names."""
    scalar = _words(_words(frame[_ATTRIBUTES], i + 1)[i], 2)
    return _words(scalar[1], 1)[0]


@compiled
def _filters(frame, kind, first, zero):
    """A FILTER record for every filter of W, b, W, b ... from argument or result `first` on."""
    end = frame[kind - 2]                                # how many there are, two words before them
    count = 0
    for i in range(first, end, 2):
        count += _shape(frame, kind, i)[0]
    filters = np.zeros(count, cpu.FILTER)
    f = 0
    for i in range(first, end, 2):
        weights, bias = _address(frame, kind, i), _address(frame, kind, i + 1)
        shape = _shape(frame, kind, i)
        for j in range(shape[0]):
            filters[f].length = shape[3]
            filters[f].weights = weights + j * shape[1] * shape[3] * cpu.itemsize(zero)
            filters[f].bias = bias + j * cpu.itemsize(zero)
            f += 1
    return filters


@compiled
def _job(frame, kind, i):
    """A JOB on the spectrograms that are argument or result i."""
    job = np.zeros(1, cpu.JOB)
    shape = _shape(frame, kind, i)
    job[0].x = _address(frame, kind, i)
    job[0].batch, job[0].channels, job[0].bands, job[0].frames = shape[0], shape[1], shape[2], shape[3]
    job[0].pool_bands = _attribute(frame, 0)
    return job


@compiled
def _frame(address):
    """The call frame if the kernel is to run, else nothing.

    XLA first asks for the version of the interface, and it calls at every stage of a program's life.
    """
    frame = _words(address, 22)
    if frame[_EXTENSION] != 0:
        extension = _words(frame[_EXTENSION], 4)
        if np.int32(extension[1]) == _METADATA:
            metadata = _words(extension[3], 4)
            metadata[3] = _API_VERSION
        return frame[:0]
    return frame if np.int32(frame[_STAGE]) == _EXECUTE else frame[:0]


# ---- handlers: XLA_FFI_Error *handler(XLA_FFI_CallFrame *) --------------------------------------------

# `sources` belongs to the key under which numba keeps a handler on disk: otherwise it would find one
# that was compiled from former kernels (it looks only at the file of the handler).

def _largest_handler(zero, sources):
    def handler(address):
        _ = sources
        frame = _frame(address)
        if len(frame):
            job, filters = _job(frame, _ARGUMENTS, 0), _filters(frame, _ARGUMENTS, 1, zero)
            job[0].value, job[0].where = _address(frame, _RESULTS, 0), _address(frame, _RESULTS, 1)
            cpu.largest(job, filters, zero, _attribute(frame, 1))
        return 0
    return handler


def _parameter_gradient_handler(zero, sources):
    def handler(address):
        _ = sources
        frame = _frame(address)
        if len(frame):
            job, filters = _job(frame, _ARGUMENTS, 0), _filters(frame, _RESULTS, 0, zero)
            job[0].value, job[0].where = _address(frame, _ARGUMENTS, 1), _address(frame, _ARGUMENTS, 2)
            cpu.parameter_gradient(job, filters, zero, _attribute(frame, 1))
        return 0
    return handler


def _input_gradient_handler(zero, sources):
    def handler(address):
        _ = sources
        frame = _frame(address)
        if len(frame):
            job, filters = _job(frame, _RESULTS, 0), _filters(frame, _ARGUMENTS, 2, zero)
            job[0].value, job[0].where = _address(frame, _ARGUMENTS, 0), _address(frame, _ARGUMENTS, 1)
            cpu.input_gradient(job, filters, zero, _attribute(frame, 1))
        return 0
    return handler


def _sources():
    """A digest of all that the kernels are compiled from."""
    digest = hashlib.sha256()
    for path in (simd.__file__, threads.__file__, cpu.__file__, __file__):
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()


class _Announcement(event.Listener):
    """Tells, once, that the kernels are being compiled: the first step would seem to hang."""

    told = False

    def on_start(self, event):
        if not self.told:
            print("Compiling the filter bank's kernels for this processor; later runs find them on disk ...",
                  file=sys.stderr, flush=True)
            _Announcement.told = True

    def on_end(self, event):
        pass


_targets, _targets_lock = {}, threading.Lock()


def _target(handler, dtype):
    """The name under which XLA finds the handler for numbers of this type; compiled at the first call."""
    name = f"{handler.__name__.removeprefix('_').removesuffix('_handler')}_{dtype}"
    with _targets_lock:
        if name not in _targets:
            function = handler(np.dtype(dtype).type(0), _sources())
            with event.install_listener("numba:compile", _Announcement()):
                try:
                    _targets[name] = cfunc("int64(int64)", cache=True)(function)
                except RuntimeError:                     # there is nowhere that numba may write
                    _targets[name] = cfunc("int64(int64)")(function)
            jax.ffi.register_ffi_target(f"filterbank_{name}", jax.ffi.pycapsule(_targets[name].address), "cpu")
    return f"filterbank_{name}"


def _call(handler, results, arguments, pool_bands):
    call = jax.ffi.ffi_call(_target(handler, arguments[0].dtype), results, vmap_method="sequential")
    return call(*arguments, pool_bands=np.int64(pool_bands), threads=np.int64(threads.count()))


# ---- what op.py calls, under JAX's trace --------------------------------------------------------------

def largest(x, *parameters, pool_bands):
    """See `filterbank.xla.largest`: the same on a CPU."""
    filters = sum(len(w) for w in parameters[::2])
    shape = len(x), filters, x.shape[2] // pool_bands
    results = jax.ShapeDtypeStruct(shape, x.dtype), jax.ShapeDtypeStruct(shape, np.int32)
    return _call(_largest_handler, results, (x, *parameters), pool_bands)


def parameter_gradient(x, gradient, where, filters, pool_bands):
    """See `filterbank.xla.parameter_gradient`: the same on a CPU."""
    results = [jax.ShapeDtypeStruct(shape, x.dtype)
               for length, count in filters for shape in ((count, x.shape[1], 1, length), (count,))]
    return _call(_parameter_gradient_handler, results, (x, gradient, where), pool_bands)


def input_gradient(x, gradient, where, *parameters, pool_bands):
    """See `filterbank.xla.input_gradient`: the same on a CPU."""
    result = jax.ShapeDtypeStruct(x.shape, x.dtype)
    return _call(_input_gradient_handler, result, (gradient, where, *parameters), pool_bands)
