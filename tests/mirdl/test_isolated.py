import ctypes
import functools
import itertools
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from mirdl.isolated import Died, isolated
from mirdl.parallel import inParallel


def call(function, *arguments, seconds=60):
    """isolated(...) in a process without the threads that this one may have by now."""
    [result] = inParallel(functools.partial(isolated, function, seconds=seconds, memory=2**31), [arguments], 'test', 'call')
    return result


def test_results_and_exceptions_come_back():
    np.testing.assert_array_equal(call(np.arange, 200000), np.arange(200000))
    with pytest.raises(FileNotFoundError, match='nothing'):
        call(open, 'nothing')
    assert call(os.getpid) != call(os.getpid), "each call has a process of its own"


@pytest.mark.parametrize('function, arguments, words', [
    (ctypes.string_at, (8,), r'crashed \(SIGSEGV\)'),           # reads the address 8
    (os.abort, (), r'crashed \(SIGABRT\)'),
    (os._exit, (3,), r'crashed \(exit status 3\)'),
    (signal.raise_signal, (signal.SIGKILL,), r'crashed \(SIGKILL\)'),
])
def test_a_crash_is_survived_and_named(function, arguments, words):
    with pytest.raises(Died, match=words):
        call(function, *arguments)


@pytest.mark.parametrize('function, arguments', [(sum, (itertools.repeat(1),)), (signal.pause, ())])
def test_an_endless_call_is_stopped(function, arguments):
    start = time.monotonic()
    with pytest.raises(Died, match='took longer than 1 s'):
        call(function, *arguments, seconds=1)
    assert time.monotonic() - start < 30


def test_memory_is_limited():
    with pytest.raises(MemoryError):
        call(np.ones, 2**30)        # 8 GiB


@pytest.mark.skipif(not os.path.isdir('/proc/self/fd'), reason='looks into /proc')
def test_no_process_and_no_file_is_left():
    code = """if True:
        import os
        from mirdl.isolated import Died, isolated
        before = os.listdir('/proc/self/fd')
        for function in (os.getpid, os.abort):
            try:
                isolated(function, seconds=60, memory=2**31)
            except Died:
                pass
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            print(len(os.listdir('/proc/self/fd')) - len(before))
        """
    done = subprocess.run([sys.executable, '-c', code], capture_output=True, text=True, cwd=os.path.dirname(os.path.dirname(
        os.path.dirname(os.path.abspath(__file__)))))
    assert done.stdout == '0\n', done.stderr
