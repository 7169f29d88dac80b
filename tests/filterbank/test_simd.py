"""The vectors of other machines, which LLVM can emit on this one, too."""

import os
import subprocess
import sys

import pytest

import filterbank

OTHER_MACHINE = """
from filterbank import simd
simd.VECTOR_BYTES, simd.STEPS = {vector_bytes}, {steps}
import jax, numpy as np
from filterbank import ffi, xla
rng = np.random.RandomState(0)
x = rng.randint(-8, 9, (3, 2, 9, 50)).astype("float32")
shapes = (3, 2, 1, 7), (3,), (1, 2, 1, 48), (1,)
parameters = [rng.randint(-8, 9, shape).astype("float32") for shape in shapes]
for pool_bands in (1, 4, 9):
    found, expected = [
        jax.jit(lambda *a: form.largest(*a, pool_bands=pool_bands))(x, *parameters)
        for form in (ffi, xla)]
    np.testing.assert_array_equal(found[0], expected[0])
"""


@pytest.mark.slow
@pytest.mark.parametrize("vector_bytes, steps", [
    pytest.param(16, 6, id="NEON"), pytest.param(32, 3, id="AVX2")])
def test_narrower_vectors_give_the_same(tmp_path, vector_bytes, steps):
    """numba's cache goes by processor; the kernels for another one need a cache of their own."""
    code = OTHER_MACHINE.format(vector_bytes=vector_bytes, steps=steps)
    subprocess.run([sys.executable, "-c", code], check=True,
                   cwd=os.path.dirname(os.path.dirname(filterbank.__file__)),
                   env={**os.environ, "THEANO_FLAGS": "device=cpu",
                        "NUMBA_CACHE_DIR": str(tmp_path)})
