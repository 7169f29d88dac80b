"""The compiled kernels, as XLA calls them."""

import os
import shutil
import subprocess
import sys

import jax
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import filterbank
from filterbank import ffi, xla

pytestmark = pytest.mark.xdist_group("filterbank")     # one worker compiles the kernels

ROOT = os.path.dirname(os.path.dirname(filterbank.__file__))
ON_THE_CPU = {**os.environ, "THEANO_FLAGS": "floatX=float32"}


@pytest.fixture(autouse=True, scope="module")
def on_the_cpu():
    """Run these tests on the CPU, as the kernels do, whatever the device of the others."""
    with jax.default_device(jax.devices("cpu")[0]):
        yield


@st.composite
def banks(draw):
    """Draw x, parameters and pool_bands.

    They are small whole numbers, so that sums of products are exact and ties common.
    """
    batch, channels = draw(st.integers(0, 3)), draw(st.integers(1, 3))
    bands, frames = draw(st.integers(1, 40)), draw(st.integers(1, 90))
    filters = draw(st.lists(
        st.tuples(st.integers(1, frames), st.integers(1, 3)), min_size=1, max_size=4))
    rng = np.random.RandomState(draw(st.integers(0, 999)))
    dtype = draw(st.sampled_from(["float32", "float64"]))
    arrays = [rng.randint(-8, 9, (batch, channels, bands, frames))]
    for length, count in filters:
        arrays += [rng.randint(-8, 9, (count, channels, 1, length)), rng.randint(-8, 9, count)]
    x, *parameters = [array.astype(dtype) for array in arrays]
    return x, parameters, draw(st.integers(1, bands))


def call(form, name, *arrays, pool_bands):
    """Call a function of ffi or xla under JAX's trace, and return NumPy's arrays."""
    function = getattr(form, name)
    traced = jax.jit(lambda *arrays: function(*arrays, pool_bands=pool_bands))
    return jax.tree.map(np.asarray, traced(*arrays))


@pytest.mark.slow
@settings(deadline=None, max_examples=40)
@given(banks())
def test_the_largest_window_is_exact_and_where_it_is_said_to_be(bank):
    x, parameters, pool_bands = bank
    value, where = call(ffi, "largest", x, *parameters, pool_bands=pool_bands)
    expected, _ = call(xla, "largest", x, *parameters, pool_bands=pool_bands)
    np.testing.assert_array_equal(value, expected)
    assert value.dtype == x.dtype and where.dtype == np.int32
    filters = [(w[i], b[i]) for w, b in zip(parameters[::2], parameters[1::2], strict=True)
               for i in range(len(w))]
    for (example, f, group), at in np.ndenumerate(where):
        band, frame = divmod(at, x.shape[3])
        w, b = filters[f]
        window = x[example, :, group * pool_bands + band, frame:frame + w.shape[2]]
        assert band < pool_bands and (window * w[:, 0, ::-1]).sum() + b == value[example, f, group]


@pytest.mark.slow
@settings(deadline=None, max_examples=15)
@given(banks())
def test_the_gradients_are_those_of_xlas_form(bank):
    x, parameters, pool_bands = bank
    filters = [(w.shape[3], len(w)) for w in parameters[::2]]
    value, where = call(ffi, "largest", x, *parameters, pool_bands=pool_bands)
    gradient = np.random.RandomState(0).randint(-3, 4, value.shape).astype(x.dtype)

    def gradients(form):
        of_parameters = jax.jit(
            lambda *arrays: form.parameter_gradient(*arrays, filters, pool_bands))
        of_input = call(form, "input_gradient", x, gradient, where, *parameters,
                        pool_bands=pool_bands)
        return [of_input, *of_parameters(x, gradient, where)]

    found, expected = gradients(ffi), gradients(xla)
    assert [g.shape for g in found] == [array.shape for array in (x, *parameters)]
    for g, e in zip(found, expected, strict=True):
        np.testing.assert_array_equal(g, e)


@pytest.mark.parametrize("dtype, error", [("float32", 3e-6), ("float64", 1e-14)])
def test_rounding_errors_are_small_at_the_papers_size(normal, largest, dtype, error):
    x, parameters = normal((3, 1, 40, 250), [(6, 5), (41, 5), (126, 1), (216, 1)], dtype)
    value, _ = call(ffi, "largest", x, *parameters, pool_bands=4)
    np.testing.assert_allclose(value, largest(x, *parameters, pool_bands=4), rtol=0, atol=error)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf, 1e38])
def test_nan_and_infinity_come_through(normal, largest, odd):
    x, parameters = normal((2, 2, 8, 30), [(5, 2), (30, 1)])
    x[0, 1, 2, 10] = odd
    value, _ = call(ffi, "largest", x, *parameters, pool_bands=4)
    expected = largest(x, *parameters, pool_bands=4)
    np.testing.assert_allclose(value, expected, rtol=1e-5)
    assert not np.isfinite(value[0, :, 0]).all() or odd in (-np.inf, 1e38)
    assert np.isfinite(value[1]).all()


def test_nan_in_one_filter_leaves_the_others_alone(normal):
    x, parameters = normal((2, 1, 8, 30), [(5, 2), (7, 1)])
    parameters[0][1, 0, 0, 3] = np.nan
    value, _ = call(ffi, "largest", x, *parameters, pool_bands=4)
    assert np.isnan(value[:, 1]).all() and np.isfinite(value[:, [0, 2]]).all()


@pytest.mark.parametrize("threads", ["1", "3", "64"])
def test_the_number_of_threads_changes_nothing(normal, monkeypatch, threads):
    x, parameters = normal((3, 1, 12, 60), [(6, 2), (17, 3)])
    expected = call(ffi, "largest", x, *parameters, pool_bands=4)
    monkeypatch.setenv("OMP_NUM_THREADS", threads)
    found = call(ffi, "largest", x, *parameters, pool_bands=4)
    for f, e in zip(found, expected, strict=True):
        np.testing.assert_array_equal(f, e)


# Two threads, each with its own training steps, as in a process that trains two networks.
STRESS = """
import sys, threading
import numpy as np, theano, theano.tensor as T, lasagne
from filterbank import TemporalFilterBankLayer

def step(seed):
    lasagne.random.set_rng(np.random.RandomState(seed))
    x, y = T.tensor4("x"), T.ivector("y")
    bank = TemporalFilterBankLayer(lasagne.layers.InputLayer((10, 1, 8, 60), x), [(6, 3), (21, 2)])
    net = lasagne.layers.DenseLayer(bank, 3, nonlinearity=lasagne.nonlinearities.softmax)
    output = lasagne.layers.get_output(net)
    loss = lasagne.objectives.categorical_crossentropy(output, y).mean()
    parameters = lasagne.layers.get_all_params(net)
    return theano.function([x, y], loss, updates=lasagne.updates.sgd(loss, parameters, .001))

def run(function, losses):
    rng = np.random.RandomState(5)
    x = rng.standard_normal((10, 1, 8, 60)).astype(theano.config.floatX)
    y = rng.randint(0, 3, 10).astype("int32")
    for _ in range(int(sys.argv[1])):
        losses.append(float(function(x, y)))

steps, losses = [step(1), step(1)], [[], []]
threads = [threading.Thread(target=run, args=pair) for pair in zip(steps, losses)]
for thread in threads: thread.start()
for thread in threads: thread.join()
assert len(losses[0]) == int(sys.argv[1]) and losses[0] == losses[1]
assert losses[0][-1] < losses[0][0]
"""


@pytest.mark.slow
def test_processes_and_threads_do_not_disturb_each_other():
    steps = os.environ.get("FILTERBANK_STRESS_STEPS", "150")         # 2000 for the long form
    command = [sys.executable, "-c", STRESS, steps]
    runs = [subprocess.Popen(command, cwd=ROOT, env=ON_THE_CPU) for _ in range(2)]
    try:
        assert [run.wait(timeout=120 + int(steps) / 2) for run in runs] == [0, 0]
    finally:
        for run in runs:
            run.kill()


KERNEL = """
import numpy as np, jax, filterbank.ffi
assert filterbank.__file__.startswith("{install}"), filterbank.__file__
a = np.ones((1, 1, 4, 9), "float32")
print(jax.jit(lambda *p: filterbank.ffi.parameter_gradient(*p, [(2, 1)], 4))(
    a, np.ones((1, 1, 1), "float32"), np.zeros((1, 1, 1), "int32"))[0].ravel())
"""


@pytest.mark.slow
def test_a_read_only_install_compiles_once_and_says_so(tmp_path):
    install = tmp_path / "install"
    for package in ("filterbank", "theano"):
        shutil.copytree(os.path.join(ROOT, package), install / package,
                        ignore=shutil.ignore_patterns("__pycache__"))
    (install / "filterbank" / "__pycache__").write_text("a file, so that no cache can be kept here")
    environment = {**ON_THE_CPU, "XDG_CACHE_HOME": str(tmp_path / "cache"), "HOME": str(tmp_path),
                   "PYTHONPATH": str(install), "PYTHONDONTWRITEBYTECODE": "1"}
    environment.pop("NUMBA_CACHE_DIR", None)
    command = [sys.executable, "-c", KERNEL.format(install=tmp_path)]
    first, second = (subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True,
                                    text=True, check=True) for _ in range(2))
    assert [first.stdout, second.stdout] == ["[1. 1.]\n"] * 2
    assert "Compiling the filter bank" in first.stderr and "Compiling" not in second.stderr
