import os
import pickle

import numpy as np
import pytest
from mirdl import pickles


@pytest.mark.parametrize('value', [np.arange(6, dtype=np.float32).reshape(2, 3), np.zeros((0, 4)), [1, 'a', None, True, {'b': 2.5}],
                                   {'songs': {'x': ((1, 2), np.ones((3, 2), np.float32).T)}}])
@pytest.mark.parametrize('protocol', [3, 4, 5])
def test_arrays_and_plain_values_come_back(tmp_path, value, protocol):
    (tmp_path / 'p').write_bytes(pickle.dumps(value, protocol))
    np.testing.assert_equal(pickles.load(tmp_path / 'p'), value)


class Hostile:
    def __reduce__(self):
        return os.system, ('touch /tmp/mirdl-hostile',)


@pytest.mark.parametrize('value', [Hostile(), [Hostile()], {'a': Hostile()}, print, os.system, np.array([Hostile()], dtype=object)])
def test_nothing_else_is_loaded_and_no_code_runs(tmp_path, value):
    (tmp_path / 'p').write_bytes(pickle.dumps(value))
    with pytest.raises(ValueError, match='neither a NumPy array nor a plain value'):
        pickles.load(tmp_path / 'p')
    assert not os.path.exists('/tmp/mirdl-hostile')


@pytest.mark.parametrize('content', [b'', b'hello', b'\x80\x05', pickle.dumps(np.zeros(1000))[:-500],
                                     b'\x80\x05\x8e\xff\xff\xff\xff\xff\x00\x00\x00x'])
def test_damaged_files_are_value_errors(tmp_path, content):
    (tmp_path / 'p').write_bytes(content)
    with pytest.raises(ValueError):
        pickles.load(tmp_path / 'p')
