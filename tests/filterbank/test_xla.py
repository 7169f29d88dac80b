"""XLA's form against NumPy and against the CPU's kernels.

test_ffi.py compares the kernels with it, too, in whole numbers.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from filterbank import ffi, xla

FILTERS = [(7, 2), (95, 2), (1, 1), (97, 1), (48, 2)]     # of three classes, mixed
SHAPE = 3, 2, 11, 130


def plain(x, *parameters, pool_bands):
    """Compute what xla.largest finds first, so that JAX can differentiate it."""
    x, found = x[:, :, :x.shape[2] // pool_bands * pool_bands], []
    for w, b in zip(parameters[::2], parameters[1::2], strict=True):
        length = w.shape[3]
        windows = jnp.stack(
            [x[..., begin:begin + length] for begin in range(x.shape[3] - length + 1)], 3)
        y = jnp.einsum("bchtk,fck->bfht", windows, w[:, :, 0, ::-1]) + b[:, None, None]
        found.append(y.reshape(len(x), len(w), x.shape[2] // pool_bands, -1).max(3))
    return jnp.concatenate(found, 1)


def test_the_largest_windows_and_their_places(largest):
    rng = np.random.RandomState(0)
    x = rng.standard_normal((3, 2, 11, 30))
    parameters = []
    for length, count in [(7, 2), (30, 1), (7, 1)]:
        parameters += [rng.standard_normal((count, 2, 1, length)), rng.standard_normal(count)]
    value, where = xla.largest(x, *parameters, pool_bands=3)
    np.testing.assert_allclose(value, largest(x, *parameters, pool_bands=3), rtol=1e-12)
    assert value.shape == (3, 4, 3) and where.dtype == np.int32

    def total(x, *parameters):
        return (plain(x, *parameters, pool_bands=3) * weights).sum()

    weights = rng.standard_normal(value.shape)
    expected = jax.grad(total, tuple(range(7)))(x, *parameters)
    found = xla.parameter_gradient(x, weights, where, [(7, 2), (30, 1), (7, 1)], 3)
    of_input = xla.input_gradient(x, weights, where, *parameters, pool_bands=3)
    for f, e in zip([of_input, *found], expected, strict=True):
        np.testing.assert_allclose(f, e, rtol=1e-10, atol=1e-12)


def test_of_equal_windows_the_first_is_named(normal):
    x, (w, b) = normal((3, 2, 8, 45), [(7, 3)])
    x, w = np.sign(x), np.sign(w)
    _, where = xla.largest(x, w, b, pool_bands=4)
    windows = np.lib.stride_tricks.sliding_window_view(x, 7, 3)
    y = np.einsum("bchtk,fck->bfht", windows, w[:, :, 0, ::-1]).reshape(3, 3, 2, 4 * 39)
    assert ((y == y.max(axis=3, keepdims=True)).sum(axis=3) > 1).mean() > 0.3
    first = y.argmax(axis=3)
    np.testing.assert_array_equal(where, first // 39 * 45 + first % 39)
    for places in ((3, 5), (5, 3)):     # a GPU compares in any order
        assert xla._larger(*((np.float32(1), place) for place in places))[1] == 3


@pytest.mark.parametrize("dtype, error", [("float32", 1e-5), ("float64", 1e-12)])
def test_filters_of_several_classes_stay_in_order(normal, largest, dtype, error):
    x, parameters = normal(SHAPE, FILTERS, dtype, seed=1)
    value, where = jax.jit(lambda *arrays: xla.largest(*arrays, pool_bands=3))(x, *parameters)
    np.testing.assert_allclose(value, largest(x, *parameters, pool_bands=3), rtol=0, atol=error)
    assert value.dtype == dtype and where.dtype == np.int32


def test_gradients_of_several_classes(normal):
    x, parameters = normal(SHAPE, FILTERS, "float64", seed=1)
    gradient = np.random.RandomState(2).standard_normal((3, 8, 3))

    def total(arrays):
        return (plain(*arrays, pool_bands=3) * gradient).sum()

    def gradients(where, *parameters):
        return [xla.input_gradient(x, gradient, where, *parameters, pool_bands=3),
                *xla.parameter_gradient(x, gradient, where, FILTERS, 3)]

    _, where = jax.jit(lambda *arrays: xla.largest(*arrays, pool_bands=3))(x, *parameters)
    found = jax.jit(gradients)(where, *parameters)
    expected = jax.jit(jax.grad(total))([x, *parameters])
    for f, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(f, e, rtol=1e-10, atol=1e-11)


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_nan_and_infinity_come_through_in_their_group_alone(normal, odd):
    x, parameters = normal(SHAPE, [(5, 2), (30, 1)], seed=1)
    x[0, 1, 2, 100] = odd
    value, _ = jax.jit(lambda *arrays: xla.largest(*arrays, pool_bands=3))(x, *parameters)
    assert np.isnan(value[0, :, 0]).all()
    assert np.isfinite(value[0, :, 1:]).all() and np.isfinite(value[1:]).all()


def test_several_banks_at_once_equal_one_by_one(normal):
    """As when the folds of a cross-validation are trained together."""
    x, parameters = normal(SHAPE, FILTERS[:3], seed=1)
    several = [np.stack([a, a[::-1], -a]) for a in (x, *parameters)]
    one = jax.jit(lambda *arrays: xla.largest(*arrays, pool_bands=3))
    value, where = jax.jit(jax.vmap(one))(*several)
    for i in range(3):
        expected, place = one(*[a[i] for a in several])
        np.testing.assert_allclose(value[i], expected, rtol=1e-5)
        np.testing.assert_array_equal(where[i], place)


def as_read(array, precision):
    """Round float32 as a product of this precision does, since a CPU has no tensor cores.

    They cut a mantissa off after 10 bits.
    """
    bits = np.asarray(array).view(np.uint32)
    return (bits & np.uint32(0xffffe000) if precision == "tensorfloat32" else bits).view(np.float32)


@pytest.mark.parametrize("precision, words", [("float32", "HIGHEST"), ("tensorfloat32", "HIGH,")])
def test_the_products_take_the_precision_that_jax_is_set_to(normal, precision, words):
    x, parameters = normal((2, 1, 8, 250), [(6, 5), (41, 5), (126, 1), (216, 1)], seed=1)
    largest = jax.jit(lambda *arrays: xla.largest(*arrays, pool_bands=4))
    with jax.default_matmul_precision(precision):
        text = largest.lower(x, *parameters).as_text()
    assert words in text.replace("HIGH]", "HIGH,")


@pytest.mark.parametrize("precision, error", [("float32", 1e-6), ("tensorfloat32", 1e-3)])
def test_values_and_gradients_are_those_of_the_cpus_kernels(normal, precision, error):
    """`error` is relative to the largest value."""
    filters = [(6, 5), (41, 5), (46, 1), (126, 1), (216, 1)]
    x, parameters = normal((4, 1, 40, 250), filters, seed=1)
    read = [as_read(x, precision),
            *(as_read(w, precision) if w.ndim == 4 else w for w in parameters)]

    def value_and_gradients(form, arrays, where=None):
        value, found = jax.jit(lambda *arrays: form.largest(*arrays, pool_bands=4))(*arrays)
        # Of two windows of nearly the same value, the forms may choose different ones.
        where = np.asarray(found if where is None else where)
        gradient = np.random.RandomState(2).standard_normal(value.shape).astype(np.float32)
        gradients = jax.jit(lambda *arrays: form.parameter_gradient(*arrays, filters, 4))
        return where, [value, *gradients(x, gradient, where)]

    with jax.default_device(jax.devices("cpu")[0]):
        where, expected = value_and_gradients(ffi, [x, *parameters])
    with jax.default_matmul_precision(precision):
        _, found = value_and_gradients(xla, read, where)
    limits = [error, *[1e-5] * len(parameters)]     # the gradients need no products of matrices
    for f, e, limit in zip(found, expected, limits, strict=True):
        np.testing.assert_allclose(f, e, rtol=0, atol=limit * np.abs(e).max())
