"""The kernels of cpu.py as XLA custom calls: compiled functions that XLA calls without Python.

XLA's typed foreign function interface passes one address, that of an XLA_FFI_CallFrame. The offsets
below are those of the C header that JAX ships (xla/ffi/api/c_api.h in jax.ffi.include_dir()),
counted in words of eight bytes. XLA keeps them within a major version.

numba keeps the compiled functions on disk: beside this file or, if its folder is read-only, in the
user's cache directory (NUMBA_CACHE_DIR changes the place).
"""

import hashlib
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import jax
import numpy as np
from numba import carray, cfunc
from numba.core import event

from filterbank import cpu, simd, threads
from filterbank.cpu import compiled, pointer
from filterbank.xla import Filters

# Words of a call frame.
_EXTENSION, _STAGE, _ARGUMENTS, _RESULTS, _ATTRIBUTES = 1, 4, 9, 14, 20
# Words of a buffer.
_DATA, _RANK, _DIMS = 3, 4, 5
# The kind of extension that asks for the version, and the stage in which a kernel runs.
_METADATA, _EXECUTE = 1, 3
# Major 0 in the low half, minor 3 in the high half.
_API_VERSION = 0 | 3 << 32


# ---- reading a call frame ------------------------------------------------------------------------

@compiled
def _words(address: int, count: int) -> np.ndarray:
    return carray(pointer(address, np.int64(0)), count)


@compiled
def _address(frame: np.ndarray, kind: int, i: int) -> int:
    """Return the address of the numbers of argument or result i."""
    return _words(_words(frame[kind], i + 1)[i], 6)[_DATA]


@compiled
def _shape(frame: np.ndarray, kind: int, i: int) -> np.ndarray:
    buffer = _words(_words(frame[kind], i + 1)[i], 6)
    return _words(buffer[_DIMS], buffer[_RANK])


@compiled
def _attribute(frame: np.ndarray, i: int) -> int:
    """Return number i of the call's integers, which XLA sorts by name: pool_bands, threads."""
    scalar = _words(_words(frame[_ATTRIBUTES], i + 1)[i], 2)
    return _words(scalar[1], 1)[0]


@compiled
def _filters(frame: np.ndarray, kind: int, first: int, zero: np.floating) -> np.ndarray:
    """Return a FILTER record for each filter of the W, b, W, b ... that begin at `first`."""
    end = frame[kind - 2]       # their number is two words before their addresses
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
def _job(frame: np.ndarray, kind: int, i: int) -> np.ndarray:
    """Return a JOB (1,) on the spectrograms that are argument or result i."""
    job = np.zeros(1, cpu.JOB)
    shape = _shape(frame, kind, i)
    job[0].x = _address(frame, kind, i)
    job[0].batch, job[0].channels = shape[0], shape[1]
    job[0].bands, job[0].frames = shape[2], shape[3]
    job[0].pool_bands = _attribute(frame, 0)
    return job


@compiled
def _frame(address: int) -> np.ndarray:
    """Return the words of the call frame if the kernel is to run, else an empty array.

    XLA first asks for the version of the interface, and calls at every stage of a program.
    """
    frame = _words(address, 22)
    if frame[_EXTENSION] != 0:
        extension = _words(frame[_EXTENSION], 4)
        if np.int32(extension[1]) == _METADATA:
            metadata = _words(extension[3], 4)
            metadata[3] = _API_VERSION
        return frame[:0]
    return frame if np.int32(frame[_STAGE]) == _EXECUTE else frame[:0]


# ---- handlers: XLA_FFI_Error *handler(XLA_FFI_CallFrame *) ---------------------------------------

# A handler mentions `sources` only to make it part of the key under which numba caches the handler:
# numba looks for changes in the handler's own file alone, and would load code compiled from former
# kernels.

Handler = Callable[[int], int]


def _largest_handler(zero: np.floating, sources: str) -> Handler:
    def handler(address: int) -> int:
        _ = sources
        frame = _frame(address)
        if len(frame):
            job, filters = _job(frame, _ARGUMENTS, 0), _filters(frame, _ARGUMENTS, 1, zero)
            job[0].value = _address(frame, _RESULTS, 0)
            job[0].where = _address(frame, _RESULTS, 1)
            cpu.largest(job, filters, zero, _attribute(frame, 1))
        return 0
    return handler


def _parameter_gradient_handler(zero: np.floating, sources: str) -> Handler:
    def handler(address: int) -> int:
        _ = sources
        frame = _frame(address)
        if len(frame):
            job, filters = _job(frame, _ARGUMENTS, 0), _filters(frame, _RESULTS, 0, zero)
            job[0].value = _address(frame, _ARGUMENTS, 1)
            job[0].where = _address(frame, _ARGUMENTS, 2)
            cpu.parameter_gradient(job, filters, zero, _attribute(frame, 1))
        return 0
    return handler


def _input_gradient_handler(zero: np.floating, sources: str) -> Handler:
    def handler(address: int) -> int:
        _ = sources
        frame = _frame(address)
        if len(frame):
            job, filters = _job(frame, _RESULTS, 0), _filters(frame, _ARGUMENTS, 2, zero)
            job[0].value = _address(frame, _ARGUMENTS, 0)
            job[0].where = _address(frame, _ARGUMENTS, 1)
            cpu.input_gradient(job, filters, zero, _attribute(frame, 1))
        return 0
    return handler


def _sources() -> str:
    """Return a digest of the source code of the kernels."""
    digest = hashlib.sha256()
    for path in (simd.__file__, threads.__file__, cpu.__file__, __file__):
        digest.update(Path(path).read_bytes())
    return digest.hexdigest()


class _Announcement(event.Listener):
    """Say once that the kernels are being compiled, because the first step seems to hang."""

    printed = False

    def on_start(self, event: event.Event) -> None:
        if not self.printed:
            print("Compiling the filter bank's kernels for this processor; "
                  "later runs find them on disk ...", file=sys.stderr, flush=True)
            _Announcement.printed = True

    def on_end(self, event: event.Event) -> None:
        pass


_targets, _targets_lock = {}, threading.Lock()


def _target(handler: Callable[[np.floating, str], Handler], dtype: np.dtype) -> str:
    """Return XLA's name of the handler for numbers of this type; compile it at the first call."""
    name = f"{handler.__name__.removeprefix('_').removesuffix('_handler')}_{dtype}"
    with _targets_lock:
        if name not in _targets:
            function = handler(np.dtype(dtype).type(0), _sources())
            with event.install_listener("numba:compile", _Announcement()):
                try:
                    _targets[name] = cfunc("int64(int64)", cache=True)(function)
                except RuntimeError:        # no folder where numba may write
                    _targets[name] = cfunc("int64(int64)")(function)
            capsule = jax.ffi.pycapsule(_targets[name].address)
            jax.ffi.register_ffi_target(f"filterbank_{name}", capsule, "cpu")
    return f"filterbank_{name}"


def _call(
    handler: Callable[[np.floating, str], Handler],
    results: jax.ShapeDtypeStruct | Sequence[jax.ShapeDtypeStruct],
    arguments: Sequence[jax.Array],
    pool_bands: int,
) -> jax.Array | list[jax.Array]:
    target = _target(handler, arguments[0].dtype)
    call = jax.ffi.ffi_call(target, results, vmap_method="sequential")
    return call(*arguments, pool_bands=np.int64(pool_bands), threads=np.int64(threads.count()))


# ---- what op.py calls, under JAX's trace ---------------------------------------------------------

def largest(
    x: jax.Array, *parameters: jax.Array, pool_bands: int,
) -> tuple[jax.Array, jax.Array]:
    """Compute on a CPU what `filterbank.xla.largest` computes."""
    filters = sum(len(w) for w in parameters[::2])
    shape = len(x), filters, x.shape[2] // pool_bands
    results = jax.ShapeDtypeStruct(shape, x.dtype), jax.ShapeDtypeStruct(shape, np.int32)
    return _call(_largest_handler, results, (x, *parameters), pool_bands)


def parameter_gradient(
    x: jax.Array, gradient: jax.Array, where: jax.Array,
    filters: Filters, pool_bands: int,
) -> list[jax.Array]:
    """Compute on a CPU what `filterbank.xla.parameter_gradient` computes."""
    results = [jax.ShapeDtypeStruct(shape, x.dtype)
               for length, count in filters
               for shape in ((count, x.shape[1], 1, length), (count,))]
    return _call(_parameter_gradient_handler, results, (x, gradient, where), pool_bands)


def input_gradient(
    x: jax.Array, gradient: jax.Array, where: jax.Array, *parameters: jax.Array, pool_bands: int,
) -> jax.Array:
    """Compute on a CPU what `filterbank.xla.input_gradient` computes."""
    result = jax.ShapeDtypeStruct(x.shape, x.dtype)
    return _call(_input_gradient_handler, result, (gradient, where, *parameters), pool_bands)
