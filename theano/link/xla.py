"""XLA's options."""

import functools

import jax

from theano import device

# XLA's CPU backend spends most of its time on graphs of many small parts in its fusion
# emitters: pNetOne's 35 convolutions take 24 s with them and 3 s without. YNNPACK takes up to twice
# as long as Eigen for convolutions of 32 channels to 32. Large sums are cut into windows for the
# sake of their last bits: slow, and needless here, where they are added up in float64.
CPU_OPTIONS = {"xla_cpu_use_fusion_emitters": False, "xla_cpu_experimental_ynn_fusion_type": "",
               "xla_disable_hlo_passes": "tree_reduction_rewriter"}
LEVEL = "xla_backend_optimization_level"
QUICK = {LEVEL: 0}
# LLVM's last level takes two fifths of the time of compiling a U-Net, whose steps are then no
# shorter. A small network with dropout takes 8 % longer without it.
LARGE = 1000    # nodes


@functools.cache
def options(quick, large):
    """Return those options that this version of XLA knows, for the device in use."""
    on_cpu = device.in_use().platform == "cpu"
    wanted = {**(CPU_OPTIONS if on_cpu else {}), **({LEVEL: 2} if on_cpu and large else {}),
              **(QUICK if quick else {})}
    return {name: value for name, value in wanted.items() if is_known({name: value})}


def is_known(options):
    """Tell whether XLA accepts these options."""
    try:
        jax.jit(lambda x: x, compiler_options=options).lower(0).compile()
    except jax.errors.JaxRuntimeError:
        return False
    return True


def compiled(function, quick=False, nodes=0):
    """Have XLA compile a function of arrays, which has `nodes` nodes, for each set of shapes."""
    return jax.jit(function, compiler_options=options(quick, nodes > LARGE))
