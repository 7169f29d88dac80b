"""Zip files of pickles and arrays."""

import io
import pickle
import zipfile

import numpy as np
import pytest

import theano
from theano.misc import pkl_utils
from theano.misc.pkl_utils import PersistentNdarrayID, PersistentSharedVariableID


def dumped(obj, **settings):
    file = io.BytesIO()
    pkl_utils.dump(obj, file, **settings)
    file.seek(0)
    return file


@pytest.fixture
def variables():
    """W, another W that a function has updated, one without a name."""
    first, second, third = (theano.shared(np.full(2, float(n)), name)
                            for n, name in enumerate(["W", "W", None]))
    theano.function([], updates=[(second, second + 10)])()
    return first, second, third


def test_arrays_stand_beside_the_pickle_by_the_names_of_the_variables(variables):
    file = dumped({"of": variables, "again": variables[1], "some": np.eye(2)})
    with np.load(file) as arrays:
        assert sorted(arrays) == ["W", "W_2", "array_0", "array_1", "pkl"]
        assert [arrays[name].tolist() for name in ("W", "W_2", "array_0", "array_1")] == [
            [0, 0], [11, 11], [2, 2], [[1, 0], [0, 1]]]
    file.seek(0)
    found = pkl_utils.load(file)
    assert [v.name for v in found["of"]] == ["W", "W", None]
    assert [v.get_value().tolist() for v in found["of"]] == [[0, 0], [11, 11], [2, 2]]
    assert found["again"] is found["of"][1]
    theano.function([], updates=[(found["again"], found["again"] * 2)])()
    assert found["of"][1].get_value().tolist() == [22, 22]
    assert variables[1].get_value().tolist() == [11, 11]


def test_names_that_are_not_allowed(variables):
    first, second, third = variables
    assert np.load(dumped(variables, persistent_id=PersistentNdarrayID)).files == [
        "array_0", "array_1", "array_2", "pkl"]
    for wrong, setting in ((first, second), "allow_duplicates"), ((first, third), "allow_unnamed"):
        with pytest.raises(ValueError, match="name"):
            dumped(wrong, persistent_id=lambda file, setting=setting: PersistentSharedVariableID(
                file, **{setting: False}))
    with pytest.raises(ValueError, match="pkl"):
        dumped(theano.shared(1.0, "pkl"))


def test_arrays_of_python_objects_made_while_pickling_are_told_apart():
    class Fresh:
        """Makes its array when it is pickled, so that two may come to lie at one place."""

        def __init__(self, n):
            self.n = n

        def __reduce__(self):
            return list, (np.full(3, self.n),)

    assert pkl_utils.load(dumped([Fresh(n) for n in range(20)])) == [[n] * 3 for n in range(20)]


def test_what_theano_wrote_from_a_gpu_is_read():
    class Persistent(pickle.Pickler):
        def persistent_id(self, obj):
            return f"{obj[1:]}.mlp.W" if str(obj).startswith("@") else None

    for kind in "gpuarray", "cudandarray":
        file, content = io.BytesIO(), io.BytesIO()
        Persistent(content, 2).dump(["@" + kind])
        with zipfile.ZipFile(file, "w") as zip_file:
            zip_file.writestr("pkl", content.getvalue())
            array = io.BytesIO()
            if kind == "gpuarray":
                pickle.dump("dev0", array, 2)
            np.lib.format.write_array(array, np.arange(3))
            zip_file.writestr("mlp.W", array.getvalue())
        [found] = pkl_utils.load(file)
        assert found.tolist() == [0, 1, 2]
