"""Gradients of strided convolutions over small maps, in processes of their own.

At some shapes XLA's compiler ends the whole process, see `convolution._input_from_xla`.
"""

import itertools
import json
import os
import subprocess
import sys
from pathlib import Path

import jax
import numpy as np
import pytest

from theano.xla.convolution import conv2d_grad_wrt_inputs

ROOT = Path(__file__).parents[3]


def compare(image, window, stride, border):
    """Hold float32, which XLA convolves, to float64, which products of matrices make."""
    rng = np.random.default_rng(0)
    sizes = [(n + 2 * zeros - taps) // step + 1
             for n, zeros, taps, step in zip(image, border, window, stride, strict=True)]
    g, w = rng.standard_normal((2, 3, *sizes)), rng.standard_normal((3, 2, *window))

    @jax.jit
    def gradient(g, w):
        return conv2d_grad_wrt_inputs(g, w, image, tuple(border), stride, (1,) * len(image))

    with jax.enable_x64(True):
        np.testing.assert_allclose(gradient(g.astype("f4"), w.astype("f4")), gradient(g, w),
                                   atol=1e-5, err_msg=str((image, window, stride, border)))


def in_own_process(shapes):
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "JAX_PLATFORMS": "cpu"}
    done = subprocess.run([sys.executable, __file__, json.dumps(shapes)], env=environment,
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[:2000]


def test_shapes_at_which_xla_ended_the_process():
    in_own_process([((6, 6), (3, 2), (2, 2), (0, 1)), ((5, 8), (4, 2), (2, 2), (1, 1)),
                    ((7, 8), (3, 2), (3, 2), (0, 1)), ((8, 3), (2, 4), (2, 3), (1, 2)),
                    ((4, 5, 4), (2, 3, 2), (2, 2, 2), (1, 0, 1))])


@pytest.mark.slow
@pytest.mark.parametrize("taps", [2, 3])
@pytest.mark.parametrize("border", [0, 1, 2])
def test_grid(taps, border):
    in_own_process([((rows, 4), (taps, columns), (step, 2), (border, zeros))
                    for rows, columns, step, zeros in itertools.product(
                        (4, 5, 6), (1, 4), (1, 2), (0, 1))])


if __name__ == "__main__":
    for shape in json.loads(sys.argv[1]):
        compare(*shape)
