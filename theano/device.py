"""Where the functions run, and where the compiled ones are kept."""

import contextlib
import os
import sys

import jax

GPU = "gpu", "cuda"

# A GPU adds in the order in which its threads arrive, with the kernel that was fastest just now.
# Without that choice Triton finds no kernel for small products (on an H100): cuBLAS does them.
DETERMINISTIC = "--xla_gpu_deterministic_ops=true --xla_gpu_enable_triton_gemm=false"

# Bytes of compiled functions that stay on disk. JAX has a limit of its own, but looks through the
# whole folder at each function that it writes: seconds for a folder of thousands.
CACHE_LIMIT = 2**30


def use(config):
    """Choose JAX's device by `config.device`, print it, and turn the compilation cache on.

    A GPU's products of float32 are products of float32 unless `config.nvcc.fastmath` allows TF32,
    which has 10 bits of mantissa in place of 23 and tensor cores to compute with. Its memory is
    taken as it is needed, so that several processes can share it, and device=cpu leaves it alone:
    JAX by itself would take three quarters of every card's. What `config.deterministic` asks for
    is told to XLA before it starts, and so holds for all that it compiles, node by node, too.

    A missing GPU is a RuntimeError with force_device=True; else the CPU takes its place.
    """
    if config.device != "cpu":
        os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
        if config.deterministic == "more":
            os.environ["XLA_FLAGS"] = f"{DETERMINISTIC} {os.environ.get('XLA_FLAGS', '')}"
    elif not jax.config.jax_platforms:
        jax.config.update("jax_platforms", "cpu")
    device = choose(config.device, config.force_device)
    jax.config.update("jax_default_device", device)
    if device.platform in GPU:
        jax.config.update("jax_default_matmul_precision",
                          "tensorfloat32" if config.nvcc.fastmath else "float32")
    else:
        config._values["device"] = "cpu"    # where a GPU was asked for, too
    cache = os.path.join(config.base_compiledir, "jax")
    with contextlib.suppress(OSError):      # not there yet, or another process tidies up, too
        tidy(cache)
    jax.config.update("jax_compilation_cache_dir", cache)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    # Theano's dtypes are exact: a graph in float32 still has int64 indices.
    jax.config.update("jax_enable_x64", True)
    if config.print_active_device:
        print(f"Using device {device.platform}{device.id if device.platform in GPU else ''} "
              f"({device.device_kind}), floatX={config.floatX}", file=sys.stderr)


def tidy(folder):
    """Delete the files of a folder that were not read for longest, down to `CACHE_LIMIT`."""
    found = [(max(about.st_atime, about.st_mtime), about.st_size, entry.path)
             for entry in os.scandir(folder) for about in [entry.stat()]]
    beyond = sum(size for _, size, _ in found) - CACHE_LIMIT
    for _, size, path in sorted(found):
        if beyond <= 0:
            return
        os.unlink(path)
        beyond -= size


def in_use():
    """Return the JAX device that functions run on."""
    return jax.config.jax_default_device


def choose(name, force):
    """Return the JAX device for a name such as 'cpu', 'gpu', 'cuda1'."""
    if name == "cpu":
        return jax.devices("cpu")[0]
    number = int(name.lstrip("gpucda") or 0)
    try:
        return jax.devices("gpu")[number]
    except (RuntimeError, IndexError, AssertionError):
        there = within_reach()
    found = ", ".join(f"{device} ({device.device_kind})" for device in there)
    problem = f"device={name}: JAX finds no such GPU (it finds {found})"
    if there[0].platform in GPU:
        advice = "choose one of these, or device=cpu"
    else:
        advice = ("a GPU needs NVIDIA's driver and JAX with CUDA "
                  "(pip install -r requirements-gpu.txt); install both, or set device=cpu")
    if force:
        raise RuntimeError(f"{problem}, and force_device=True; {advice}")
    print(f"{problem}; the CPU is used instead; {advice}", file=sys.stderr)
    return jax.devices("cpu")[0]


def within_reach():
    """Return JAX's devices: the CPU where JAX_PLATFORMS=cuda leaves none (an AssertionError)."""
    try:
        return jax.devices()
    except (RuntimeError, AssertionError):
        jax.config.update("jax_platforms", "cpu")
        return jax.devices()
