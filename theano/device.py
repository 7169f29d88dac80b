"""Where the functions run, and where the compiled ones are kept."""

import os
import sys
import warnings

import jax

GPU = "gpu", "cuda"


def use(config):
    """Choose JAX's device by `config.device`, print it, and turn the compilation cache on.

    A GPU's products of float32 are products of float32 unless `config.nvcc.fastmath` allows TF32, which
    has 10 bits of mantissa in place of 23 and tensor cores to compute with.

    Raises
    ------
    RuntimeError
        If a GPU is asked for with force_device=True and there is none.
    """
    device = choose(config.device, config.force_device)
    jax.config.update("jax_default_device", device)
    if device.platform in GPU:
        jax.config.update("jax_default_matmul_precision",
                          "tensorfloat32" if config.nvcc.fastmath else "float32")
    jax.config.update("jax_compilation_cache_dir", os.path.join(config.base_compiledir, "jax"))
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0)
    # Theano's dtypes are exact: a graph in float32 still has int64 indices.
    jax.config.update("jax_enable_x64", True)
    if config.print_active_device:
        print(f"Using device {device.platform}{device.id if device.platform in GPU else ''} "
              f"({device.device_kind}), floatX={config.floatX}", file=sys.stderr)


def in_use():
    """The JAX device that functions run on."""
    return jax.config.jax_default_device


def choose(name, force):
    """The JAX device for a name such as 'cpu', 'gpu', 'cuda1'."""
    if name == "cpu":
        return jax.devices("cpu")[0]
    number = int(name.lstrip("gpucda") or 0)
    try:
        return jax.devices("gpu")[number]
    except (RuntimeError, IndexError):
        found = ", ".join(f"{device} ({device.device_kind})" for device in jax.devices())
        problem = f"device={name}: JAX finds no such GPU (it finds {found})"
    advice = "install JAX with CUDA (pip install -r requirements-gpu.txt) or set device=cpu"
    if force:
        raise RuntimeError(f"{problem}, and force_device=True; {advice}")
    warnings.warn(f"{problem}; the CPU is used instead. To use a GPU {advice}.", stacklevel=3)
    return jax.devices("cpu")[0]
