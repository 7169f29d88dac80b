"""Settings from THEANO_FLAGS, from the files of THEANORC (or ~/.theanorc), and defaults.

What PyTensor has a setting for is PyTensor's own (floatX, on_unused_input, ...). The others
stand in `OWN` (they have an effect here) and `ACCEPTED` (settings of Theano's C and CUDA
backends, which XLA replaces: read, kept, without effect).
"""

import configparser
import difflib
import importlib
import os
import re
import struct
import warnings
from pathlib import Path

import pytensor

MODES = "FAST_RUN", "FAST_COMPILE", "DebugMode", "DEBUG_MODE", "JAX", "Mode", "NanGuardMode"

OWN = {
    "device": "cpu",
    "force_device": False,
    "mode": "FAST_RUN",
    "base_compiledir": str(Path.home() / ".theano"),
    "print_active_device": True,
    "nvcc.fastmath": False,
    "deterministic": "default",
}

# What is settled when theano is imported.
ONCE = "device", "force_device", "base_compiledir", "nvcc.fastmath", "deterministic"

ACCEPTED = {
    "openmp": False, "openmp_elemwise_minsize": 200000, "blas.ldflags": "",
    "blas.check_openmp": True, "cxx": "", "nvcc.flags": "", "nvcc.compiler_bindir": "",
    "cuda.root": "", "cuda.enabled": True, "lib.cnmem": 0.0, "gcc.cxxflags": "",
    "cmodule.compilation_warning": False, "init_gpu_device": "", "gpuarray.preallocate": -1.0,
    "gpuarray.sched": "default", "gpuarray.single_stream": True, "dnn.enabled": "auto",
    "dnn.library_path": "", "dnn.include_path": "", "dnn.conv.algo_fwd": "small",
    "dnn.conv.algo_bwd": "none", "dnn.conv.algo_bwd_filter": "none",
    "dnn.conv.algo_bwd_data": "none", "optimizer_including": "", "optimizer_excluding": "",
    "optimizer": "fast_run", "linker": "jax", "allow_gc": True, "warn.ignore_bug_before": "all",
    "int_division": "int", "compute_test_value": "off", "compute_test_value_opt": "off",
    "reoptimize_unpickled_function": False, "assert_no_cpu_op": "ignore", "contexts": "",
    "enable_initial_driver_test": True, "compiledir": "", "compiledir_format": "",
    "numpy.seterr_all": "ignore", "ctc.root": "", "magma.enabled": False,
    "experimental.unpickle_gpu_on_cpu": False,
    **{f"warn.{bug}": False for bug in (
        "argmax_pushdown_bug", "gpusum_01_011_0111_bug", "sum_sum_bug", "sum_div_dimshuffle_bug",
        "subtensor_merge_bug", "gpu_set_subtensor1", "vm_gc_bug", "signal_conv2d_interface",
        "reduce_join", "inc_set_subtensor1", "round", "inc_subtensor1_opt")},
}


class Config:
    """Theano's settings as attributes; those with dots in their names nest."""

    def __init__(self, values, prefix=""):
        vars(self).update(_values=values, _prefix=prefix)

    def __getattr__(self, name):
        """Return the value of a setting, or the settings that begin with the name and a dot."""
        full = self._prefix + name
        if full in self._values:
            return self._values[full]
        if any(known.startswith(full + ".") for known in self._values):
            return Config(self._values, full + ".")
        if hasattr(pytensor.config, pytensor_name(full)):
            return getattr(pytensor.config, pytensor_name(full))
        raise AttributeError(f"theano.config has no setting '{full}'{nearest(full)}")

    def __setattr__(self, name, value):
        """Change a setting; those of `ONCE` can't be changed."""
        full = self._prefix + name
        if full in self._values:
            value = parse(full, value, "theano.config")
            if full in ONCE and value != self._values[full]:
                raise RuntimeError(
                    f"theano.config.{full} is {self._values[full]!r} since theano was imported; "
                    f"set it before, by THEANO_FLAGS={full}={value} or a file of THEANORC")
            self._values[full] = value
        elif hasattr(pytensor.config, pytensor_name(full)):
            setattr(pytensor.config, pytensor_name(full), value)
        else:
            raise AttributeError(f"theano.config has no setting '{full}'{nearest(full)}")

    def __str__(self):
        """Return all settings, one a line."""
        return "\n".join(f"{name} = {value!r}" for name, value in sorted(self._values.items()))

    def change_flags(self, *settings, **more):
        """See `theano.configparser.change_flags`."""
        return importlib.import_module("theano.configparser").change_flags(*settings, **more)


def local_bitwidth():
    """Return the bits of a pointer: 32 or 64."""
    return struct.calcsize("P") * 8


def pytensor_name(name):
    """PyTensor writes two underscores where Theano has a dot."""
    return name.replace(".", "__")


def nearest(name):
    """', did you mean ...?' for a misspelt setting, or nothing."""
    known = [*OWN, *ACCEPTED, "floatX", "on_unused_input", "cast_policy", "exception_verbosity"]
    close = difflib.get_close_matches(name, known, 1)
    return f"; did you mean '{close[0]}'?" if close else ""


def parse(name, text, source):
    """Return a setting's value from its text, of the type that the default has.

    If the text is no such value, a ValueError names its source.
    """
    default = {**OWN, **ACCEPTED}[name]
    if not isinstance(text, str):
        return text
    if isinstance(default, bool):
        if text.lower() not in ("true", "false", "1", "0", "yes", "no"):
            raise ValueError(f"{source}: {name}={text} is neither True nor False")
        return text.lower() in ("true", "1", "yes")
    if isinstance(default, int | float):
        try:
            return type(default)(text)
        except ValueError:
            raise ValueError(f"{source}: {name}={text} is not a number") from None
    if name == "mode" and text not in MODES:
        raise ValueError(f"{source}: mode={text} is unknown; choose one of {', '.join(MODES)}")
    if name == "deterministic" and text not in ("default", "more"):
        raise ValueError(f"{source}: deterministic={text} is unknown; choose default, or more "
                         "(two runs on a GPU give the same bits)")
    if name == "device" and not re.fullmatch(r"cpu|(gpu|cuda)\d*", text):
        raise ValueError(f"{source}: device={text} is not supported; choose cpu, gpu or cuda "
                         "(cuda0, cuda1, ... for one of several)")
    return os.path.expanduser(text) if name == "base_compiledir" else text


def flags_from_files():
    """(name, text, source) of every setting in the files of THEANORC."""
    names = os.environ.get("THEANORC", "~/.theanorc").split(os.pathsep)
    for name in names:
        parser = configparser.ConfigParser(interpolation=None)
        parser.optionxform = str
        try:
            parser.read(os.path.expanduser(name))
        except configparser.Error as error:
            raise ValueError(f"THEANORC: {name} cannot be read: {error}") from None
        for section in parser.sections():
            prefix = "" if section == "global" else section + "."
            for key, text in parser.items(section):
                yield prefix + key, text, name


def flags_from_environment():
    """(name, text, source) of every setting in THEANO_FLAGS."""
    for part in os.environ.get("THEANO_FLAGS", "").split(","):
        if not part.strip():
            continue
        name, equals, text = part.partition("=")
        if not equals:
            raise ValueError(f"THEANO_FLAGS: '{part}' has no '='; write name=value")
        yield name.strip(), text.strip(), "THEANO_FLAGS"


def load():
    """Read all settings; floatX and the like are set in PyTensor."""
    config = Config({**OWN, **ACCEPTED})
    pytensor.config.traceback__limit = 0  # else half of the time that a graph takes to build
    for name, text, source in [*flags_from_files(), *flags_from_environment()]:
        if name in config._values:
            config._values[name] = parse(name, text, source)
        elif hasattr(pytensor.config, pytensor_name(name)):
            try:
                setattr(pytensor.config, pytensor_name(name), pytensor_value(name, text))
            except ValueError as error:
                raise ValueError(f"{source}: {name}={text}: {error}") from None
        else:
            warnings.warn(f"{source}: unknown setting '{name}' is ignored{nearest(name)}",
                          stacklevel=3)
    return config


def pytensor_value(name, text):
    """PyTensor's setters check values but read little text."""
    now = getattr(pytensor.config, pytensor_name(name))
    if isinstance(now, bool):
        return {"yes": "true", "no": "false"}.get(text.lower(), text.lower())
    return type(now)(text) if isinstance(now, int | float) else text
