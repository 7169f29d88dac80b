"""What Python 2 pickled with Theano: arrays and shared variables, from a CPU and from GPUs.

Each file of pickles/ holds a dict that Theano's own classes wrote under Python 2.7: "array" is W,
"arrays" are W, b and W's first row, as lasagne.layers.get_all_param_values gives them, "params" the
shared variables W and b, as get_all_params does, "same" the first of these again, and "shared" one
without a name. The arrays of the GPUs stood in memory: there was no card. The last number of a
file's name is the protocol.
"""

import copy
import pickle
from pathlib import Path

import numpy as np
import pytest

import theano
import theano.tensor as T

FILES = sorted((Path(__file__).parent / "pickles").iterdir())
W = np.array([[-2.5, -1.5, -0.5], [0.5, 1.5, 2.5]], np.float32)
B = np.array([[-42, 0.1, 3e-9]], np.float32)


@pytest.fixture(params=FILES, ids=lambda path: path.stem)
def content(request):
    with open(request.param, "rb") as file:
        return pickle.load(file, encoding="latin1")


def test_there_are_files_of_both_protocols_and_all_backends():
    assert sorted(path.stem for path in FILES) == sorted(
        f"{writer}.{protocol}" for protocol in (0, 2)
        for writer in ("0.8.2-cuda", "0.8.2-gpuarray", "1.0.5-cpu", "1.0.5-gpuarray"))


def test_arrays_are_those_of_numpy(content):
    for found, expected in zip([content["array"], *content["arrays"]], [W, W, B, W[0]],
                               strict=True):
        assert type(found) is np.ndarray and found.dtype == np.float32
        np.testing.assert_array_equal(found, expected)


def test_shared_variables_are_ordinary_ones(content):
    w, b = content["params"]
    assert content["same"] is w and (w.name, b.name, content["shared"].name) == ("W", "b", None)
    for found, expected in ((w, W), (b, B), (content["shared"], np.float32(0.5))):
        like = theano.shared(np.asarray(expected))
        assert type(found) is type(like) and found.dtype == like.dtype
        np.testing.assert_array_equal(found.get_value(), expected)
    assert w.broadcastable == (False, False) and b.broadcastable == (True, False)


def test_they_are_computed_with_updated_and_copied(content):
    (w, b), step = content["params"], content["shared"]
    loss = T.sum(T.sqr(w - b))
    f = theano.function([], loss, updates=[(w, w - step * T.grad(loss, w))])
    np.testing.assert_allclose(f(), ((W - B) ** 2).sum(), rtol=1e-6)
    np.testing.assert_allclose(w.get_value(), np.broadcast_to(B, W.shape), atol=1e-5)
    for again in (copy.deepcopy(b), pickle.loads(pickle.dumps(b))):
        b.set_value(B + 1)
        np.testing.assert_array_equal(again.get_value(), B)
        assert again.type == b.type
        b.set_value(B)
