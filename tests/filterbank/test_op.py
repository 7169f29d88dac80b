"""The Ops: derivatives, dtypes, and shapes that are known only at run time."""

from types import SimpleNamespace

import numpy as np
import pytest
from pytensor.gradient import verify_grad

import filterbank.op
import theano
import theano.tensor as T
from filterbank.op import LargestWindow

pytestmark = pytest.mark.xdist_group("filterbank")     # one worker compiles the kernels

FILTERS = (5, 2), (3, 1)


def arrays(dtype="float64", shape=(2, 2, 9, 12)):
    rng = np.random.RandomState(0)
    shapes = [shape]
    for length, count in FILTERS:
        shapes += [(count, shape[1], 1, length), (count,)]
    return [rng.standard_normal(shape).astype(dtype) for shape in shapes]


def test_derivatives_equal_finite_differences():
    verify_grad(lambda *inputs: LargestWindow(4, FILTERS)(*inputs)[0], arrays(),
                rng=np.random.RandomState(2), mode=theano.compile.mode.get_mode(None))


def test_mixed_dtypes_are_computed_in_the_wider_one():
    x, *parameters = arrays("float32")
    wider = [T.constant(p.astype("float64")) for p in parameters]
    value, where = LargestWindow(4, FILTERS)(T.constant(x), *wider)
    assert value.dtype == "float64" and where.dtype == "int32"
    assert value.eval().dtype == np.float64


def test_complex_input_is_refused():
    x, *parameters = arrays()
    with pytest.raises(TypeError, match="float32 or float64.*complex128"):
        LargestWindow(4, FILTERS)(T.constant(x.astype(complex)), *parameters)


@pytest.mark.parametrize("shape, message", [
    ((2, 2, 9, 4), "5 frames.* 4 frames"),
    ((2, 2, 3, 12), "pool_bands=4.*1 to 3"),
    ((2, 1, 9, 12), r"\(2, 2, 1, 5\).*2 filters of 5 frames.* 1 channels"),
])
def test_shapes_that_do_not_fit_are_refused_at_run_time(shape, message):
    _, *parameters = arrays()
    x = T.dtensor4("x")
    function = theano.function([x], LargestWindow(4, FILTERS)(x, *map(T.constant, parameters))[0])
    with pytest.raises(ValueError, match=message):
        function(np.zeros(shape))


@pytest.mark.parametrize("form", ["cpu", "gpu"])
def test_one_of_equal_windows_gets_the_whole_gradient(monkeypatch, form):
    """In silence all windows are equal; of a sound that is repeated, some windows far apart."""
    monkeypatch.setattr(filterbank.op.device, "in_use", lambda: SimpleNamespace(platform=form))
    x = T.dtensor4("x")
    w = np.array([1., 3., 2.])
    parameters = [T.constant(w[::-1].reshape(1, 1, 1, 3)), T.constant(np.array([0.5]))]
    value, _ = LargestWindow(4, ((3, 1),))(x, *parameters)
    f = theano.function([x], [value, *theano.grad(5 * value[0, 0, 0], [x, *parameters])])
    repeated = np.zeros((1, 1, 4, 12))
    repeated[0, 0, 1:3, 2:5] = repeated[0, 0, 1, 8:11] = [1, 2, 1]
    for sound, window in ((np.ones((1, 1, 4, 12)), [1, 1, 1]), (repeated, [1, 2, 1])):
        value, of_input, of_filter, of_offset = f(sound)
        assert value == w @ window + 0.5
        where = np.flatnonzero(of_input)
        assert np.ptp(where) == 2, "one window"
        np.testing.assert_array_equal(of_input.flat[where], 5 * w)
        np.testing.assert_array_equal(sound.flat[where], window)
        np.testing.assert_array_equal(of_filter.ravel()[::-1], 5 * np.array(window))
        assert of_offset == 5


def test_a_second_device_gets_xlas_form(monkeypatch):
    """On a GPU the graph calls no kernel of the CPU; here XLA's form runs on the CPU."""
    inputs = arrays()
    expected = LargestWindow(4, FILTERS)(*map(T.constant, inputs))[0].eval()

    class Gpu:
        platform = "gpu"

    called = []
    monkeypatch.setattr(filterbank.op.device, "in_use", Gpu)
    monkeypatch.setattr(filterbank.op.ffi, "largest", lambda *a, **k: called.append(a))
    value = LargestWindow(4, FILTERS).compute(*inputs)[0]
    np.testing.assert_allclose(value, expected, rtol=1e-12)
    assert not called
