"""THEANO_FLAGS, THEANORC and theano.config."""

import os
import subprocess
import sys

import pytest

import theano
from theano import configdefaults

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def in_new_process(code, flags="", rc=os.devnull, **environment):
    """Run `code` after `import theano` there: its exit status, output and messages."""
    environment = {**os.environ, "THEANO_FLAGS": flags, "THEANORC": str(rc), "PYTHONPATH": ROOT,
                   **environment}
    done = subprocess.run([sys.executable, "-c", f"import theano\n{code}"], env=environment,
                          capture_output=True, text=True)
    return done.returncode, done.stdout, done.stderr


def test_flags_go_before_the_file(flags):
    config = flags("mode=FAST_COMPILE", "[global]\nmode = FAST_RUN\nopenmp = True\n"
                                        "[blas]\nldflags = -lopenblas -lm\n")
    assert config.mode == "FAST_COMPILE"
    assert config.openmp is True
    assert config.blas.ldflags == "-lopenblas -lm"


def test_later_files_go_before_earlier_ones(monkeypatch, tmp_path):
    for name, mode in ("a", "FAST_COMPILE"), ("b", "FAST_RUN"):
        (tmp_path / name).write_text(f"[global]\nmode = {mode}\n")
    monkeypatch.setenv("THEANO_FLAGS", "")
    monkeypatch.setenv("THEANORC", os.pathsep.join([str(tmp_path / "a"), str(tmp_path / "b")]))
    assert configdefaults.load().mode == "FAST_RUN"


@pytest.mark.parametrize("text, expected", [
    ("device=opencl0:0", "device=opencl0:0 .*cpu, gpu or cuda"),
    ("device=gpu1x", "device=gpu1x"),
    ("mode=FAST", "mode=FAST .*FAST_RUN"),
    ("floatX=float128", "floatX=float128"),
    ("floatX", "'floatX'.*'='"),
    ("force_device=maybe", "force_device=maybe.*True.*False"),
    ("lib.cnmem=much", "lib.cnmem=much .*number"),
    ("profile=maybe", "profile=maybe"),
    ("deterministic=very", "deterministic=very .*default.*more"),
])
def test_wrong_flags_are_errors_that_quote_them(flags, text, expected):
    with pytest.raises(ValueError, match=f"THEANO_FLAGS.*{expected}"):
        flags(text)


def test_an_unknown_flag_is_passed_over_with_a_hint(flags):
    with pytest.warns(UserWarning, match="unknown setting 'floatx'.*did you mean 'floatX'"):
        flags("floatx=float32")


@pytest.mark.parametrize("flag", ["openmp=True", "openmp_elemwise_minsize=10", "blas.ldflags=",
                                  "gcc.cxxflags=-O3", "dnn.conv.algo_fwd=time_once",
                                  "nvcc.fastmath=True", "lib.cnmem=0.8", "optimizer=fast_compile",
                                  "compute_test_value=off", "warn.subtensor_merge_bug=False",
                                  "on_unused_input=raise"])
def test_flags_of_old_scripts_are_accepted(flags, flag, recwarn):
    flags(flag)
    assert not recwarn


def test_unreadable_file(flags):
    with pytest.raises(ValueError, match="THEANORC"):
        flags(file="no section\n")


def test_attributes():
    with pytest.raises(AttributeError, match="'devise'; did you mean 'device'"):
        _ = theano.config.devise
    with pytest.raises(AttributeError, match="no setting"):
        theano.config.devise = "cpu"
    with pytest.raises(ValueError):
        theano.config.floatX = "float8"
    theano.config.warn.round = False
    with theano.config.change_flags(floatX="float64"):
        assert theano.config.floatX == "float64"


@pytest.mark.parametrize("name, value", [("device", "gpu3"), ("deterministic", "default"),
                                         ("base_compiledir", "/elsewhere")])
def test_what_is_settled_at_import_is_not_changed_afterwards(flags, name, value):
    config = flags("device=cpu,deterministic=more")
    expected = f"{name} is .*imported.*THEANO_FLAGS={name}="
    with pytest.raises(RuntimeError, match=expected):
        setattr(config, name, value)
    setattr(config, name, getattr(config, name))
    with pytest.raises(RuntimeError, match="nvcc.fastmath is False"):
        config.nvcc.fastmath = True


def test_floatX_and_the_device_are_printed_once_at_start(tmp_path):
    for floatX in ("float32", "float64"):
        status, out, messages = in_new_process(
            "import theano.tensor as T, numpy as np\n"
            "print(theano.function([], T.zeros(2) + 1)().dtype, T.matrix().dtype)",
            f"floatX={floatX},base_compiledir={tmp_path}")
        assert status == 0 and out.split() == [floatX, floatX]
        assert messages.count("Using device cpu") == 1 and floatX in messages


def test_a_missing_gpu(tmp_path):
    """Asked for where there is none: a warning and the CPU, or an error with force_device."""
    flags = f"device=cuda0,base_compiledir={tmp_path}"
    status, _, messages = in_new_process("", flags, JAX_PLATFORMS="cpu")
    assert status == 0
    assert "device=cuda0: JAX finds no such GPU" in messages and "Using device cpu" in messages
    status, _, messages = in_new_process("", flags + ",force_device=True", JAX_PLATFORMS="cpu")
    assert status != 0
    assert messages.splitlines()[-1].startswith("RuntimeError: device=cuda0")


@pytest.mark.slow
def test_a_missing_gpu_where_jax_may_use_nothing_else(tmp_path):
    code = "print(theano.config.device, theano.function([], theano.tensor.zeros(2) + 1)())"
    for platforms in "cuda", "cpu":
        status, out, messages = in_new_process(
            code, f"device=gpu,deterministic=more,base_compiledir={tmp_path}",
            JAX_PLATFORMS=platforms, CUDA_VISIBLE_DEVICES="")
        assert status == 0 and out == "cpu [1. 1.]\n"
        assert "device=gpu: JAX finds no such GPU" in messages
        assert "the CPU is used instead" in messages


@pytest.mark.slow
def test_on_the_cpu_no_gpu_is_opened(tmp_path):
    code = "import jax\nprint(jax.config.jax_platforms)"
    flags = f"base_compiledir={tmp_path},device="
    assert in_new_process(code, flags + "cpu", JAX_PLATFORMS="")[1] == "cpu\n"
    # The user's own choice stays.
    assert in_new_process(code, flags + "cpu", JAX_PLATFORMS="cpu,cuda")[1] == "cpu,cuda\n"


@pytest.mark.slow
def test_compiled_functions_are_kept_under_base_compiledir(tmp_path):
    code = ("import jax, theano.tensor as T\n"
            "jax.monitoring.register_event_listener(lambda name, **_: print(name))\n"
            "x = T.matrix()\n"
            "theano.function([x], T.exp(x.dot(x)).sum())([[1., 2.], [3., 4.]])")
    hit = "/jax/compilation_cache/cache_hits"
    first = in_new_process(code, f"base_compiledir={tmp_path}")[1]
    assert os.listdir(tmp_path / "jax")
    second = in_new_process(code, f"base_compiledir={tmp_path}")[1]
    assert hit not in first and hit in second
