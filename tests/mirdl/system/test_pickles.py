import os
import pickle

import numpy as np
import pytest
from numpy._core.numeric import _frombuffer

from mirdl.system import pickles


@pytest.mark.parametrize("value", [
    np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros((0, 4)),
    [1, "a", None, True, {"b": 2.5}],
    np.ones(3, bool), np.complex64([1j]), np.float64(2.5), np.random.RandomState(1).get_state(),
    {"songs": {"x": ((1, 2), np.ones((3, 2), np.float32).T)}}])
@pytest.mark.parametrize("protocol", [3, 4, 5])
def test_arrays_and_plain_values_come_back(tmp_path, value, protocol):
    (tmp_path / "p").write_bytes(pickle.dumps(value, protocol))
    np.testing.assert_equal(pickles.load(tmp_path / "p"), value)


class Hostile:
    def __init__(self, *reduced):
        self.reduced = reduced

    def __reduce__(self):
        return self.reduced


COMMAND = Hostile(os.system, ("touch /tmp/mirdl-hostile",))


@pytest.mark.parametrize("value", [COMMAND, [COMMAND], {"a": COMMAND}, print, os.system])
def test_nothing_else_is_loaded_and_no_code_runs(tmp_path, value):
    (tmp_path / "p").write_bytes(pickle.dumps(value))
    with pytest.raises(ValueError, match="NumPy array.* plain value"):
        pickles.load(tmp_path / "p")
    assert not os.path.exists("/tmp/mirdl-hostile")


def from_buffer(*dtype):
    """Make an array of 8 bytes whose type is made by hand."""
    return Hostile(_frombuffer, (b"A" * 8, Hostile(np.dtype, *dtype), (-1,), "C"))


@pytest.mark.parametrize("value", [
    np.array([COMMAND], dtype=object), np.array(["text"]),
    # Pointers, without the flag that says so.
    from_buffer(("O8", False, True), (3, "|", None, None, None, -1, -1, 0)),
    # Items of 8 MB, each in 4 bytes.
    from_buffer((">f4", False, True),
                (3, ">", (np.dtype("f8"), (10**6,)), None, None, -1, -1, 0))])
def test_types_that_are_no_numbers_are_refused(tmp_path, value):
    (tmp_path / "p").write_bytes(pickle.dumps(value))
    with pytest.raises(ValueError, match="not numbers"):
        pickles.load(tmp_path / "p")


def test_the_state_of_a_type_of_numbers_has_no_effect(tmp_path):
    large = 3, "<", (np.dtype("f8"), (10**6,)), None, None, -1, -1, 0
    (tmp_path / "p").write_bytes(pickle.dumps(from_buffer(("f4", False, True), large)))
    expected = np.frombuffer(b"A" * 8, np.float32)
    np.testing.assert_array_equal(pickles.load(tmp_path / "p"), expected)


@pytest.mark.parametrize("content", [b"", b"hello", b"\x80\x05",
                                     pickle.dumps(np.zeros(1000))[:-500],
                                     b"\x80\x05\x8e\xff\xff\xff\xff\xff\x00\x00\x00x"])
def test_damaged_files_are_value_errors(tmp_path, content):
    (tmp_path / "p").write_bytes(content)
    with pytest.raises(ValueError):
        pickles.load(tmp_path / "p")
