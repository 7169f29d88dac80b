import errno
import fcntl
import os
import socket
import subprocess
import sys
import threading
import time

import pytest
from conftest import ROOT

from mirdl.errors import UserError
from mirdl.system.locks import is_held, locked

pytestmark = pytest.mark.xdist_group("serial")


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


HOLD = """if True:
    import errno, fcntl, sys, time
    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")
    fcntl.flock = flock
    from mirdl.system.locks import locked
    with locked("x.lock", lambda: print("waiting", flush=True)):
        print("held", flush=True)
        time.sleep(float(sys.argv[1]))
    """


@pytest.fixture
def without_flock(tmp_path, monkeypatch):
    """A folder on a file system that answers flock with an error; and what starts a holder."""
    monkeypatch.chdir(tmp_path)

    def flock(*_):
        raise OSError(errno.ENOLCK, "No locks available")
    monkeypatch.setattr(fcntl, "flock", flock)

    def hold(seconds):
        process = subprocess.Popen([sys.executable, "-c", HOLD, str(seconds)], text=True,
                                   stdout=subprocess.PIPE, env={**os.environ, "PYTHONPATH": ROOT})
        return process, process.stdout.readline()
    return hold


def refuse():
    raise UserError("held by another")


def test_without_flock_a_lock_is_held_refused_and_free_again(without_flock):
    process, said = without_flock(60)
    assert said == "held\n" and is_held("x.lock")
    with pytest.raises(UserError, match="held by another"), locked("x.lock", refuse):
        pass
    process.kill()
    process.wait()
    assert not is_held("x.lock") and os.path.exists("x.lock")
    with locked("x.lock", refuse):      # taken over from the dead
        assert is_held("x.lock") and os.listdir(".") == ["x.lock"]
    assert os.listdir(".") == []


def test_without_flock_a_lock_is_waited_for(without_flock):
    process, _ = without_flock(1)
    waited = []
    with locked("x.lock", lambda: waited.append(1)):
        assert process.wait() == 0 and waited == [1]
    assert os.listdir(".") == []


def test_without_flock_a_lock_of_another_host_is_refused_with_the_file_named(without_flock):
    with open("x.lock", "w") as file:
        file.write("elsewhere 12 34")
    with pytest.raises(UserError, match=r"'x\.lock'.*\(elsewhere 12 34\).*remove this file"), \
            locked("x.lock", refuse):
        pass
    assert is_held("x.lock")


def test_without_flock_a_process_of_the_same_number_is_another(without_flock):
    with open("x.lock", "w") as file:
        file.write(f"{socket.gethostname()} {os.getpid()} 1")       # started at another time
    assert not is_held("x.lock")
    with locked("x.lock", refuse):
        pass


def test_without_flock_of_many_only_one_holds(without_flock):
    processes = [without_flock(0.2)[0] for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert os.listdir(".") == []
