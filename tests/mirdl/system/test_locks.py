import fcntl
import threading
import time

import pytest

from mirdl.system.locks import is_held, locked


def test_it_is_held_until_the_end_of_the_block_and_gone_then(tmp_path):
    path = str(tmp_path / "a.lock")
    assert not is_held(path)
    with locked(path, None):
        assert is_held(path)
    assert not is_held(path) and not list(tmp_path.iterdir())


def test_a_lock_that_is_held_is_refused_or_waited_for(tmp_path):
    path, order = str(tmp_path / "a.lock"), []

    def refuse():
        raise ZeroDivisionError

    def second():
        with locked(path, lambda: order.append("waits")):
            order.append("second")

    waiting = threading.Thread(target=second)
    with locked(path, None):
        with pytest.raises(ZeroDivisionError), locked(path, refuse):
            pass
        waiting.start()
        while not order:
            time.sleep(0.01)
        order.append("first")
    waiting.join()
    assert order == ["waits", "first", "second"]


def test_asking_whether_it_is_held_hinders_nobody(tmp_path):
    path = tmp_path / "a.lock"
    with path.open("w") as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)      # as is_held does for an instant
        threading.Timer(0.01, fcntl.flock, (asking, fcntl.LOCK_UN)).start()
        with locked(str(path), lambda: pytest.fail("it seemed to be held")):
            assert is_held(path)
