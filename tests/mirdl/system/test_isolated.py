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
from conftest import ROOT

from mirdl.system.isolated import ProcessDiedError, isolated
from mirdl.system.pool import in_parallel

pytestmark = pytest.mark.xdist_group("serial")


def call(function, *arguments, seconds=60):
    """Call isolated(...) in another process, because this one may have threads by now."""
    isolate = functools.partial(isolated, function, seconds=seconds, memory=2**31)
    [result] = in_parallel(isolate, [arguments], "test", "call")
    return result


def test_results_and_exceptions_come_back():
    np.testing.assert_array_equal(call(np.arange, 200000), np.arange(200000))
    with pytest.raises(FileNotFoundError, match="nothing"):
        call(open, "nothing")


@pytest.mark.parametrize("function, arguments, words", [
    (ctypes.string_at, (8,), "SIGSEGV"),           # reads the address 8
    (os.abort, (), "SIGABRT"),
    (os._exit, (3,), "exit status 3"),
    (signal.raise_signal, (signal.SIGKILL,), "SIGKILL"),
])
def test_a_crash_is_survived_and_named(function, arguments, words):
    with pytest.raises(ProcessDiedError, match=words):
        call(function, *arguments)


@pytest.mark.parametrize("function, arguments", [
    (sum, (itertools.repeat(1),)), (signal.pause, ())])
def test_an_endless_call_is_stopped(function, arguments):
    start = time.monotonic()
    with pytest.raises(ProcessDiedError, match=r"\b1 s\b"):
        call(function, *arguments, seconds=1)
    assert time.monotonic() - start < 30


def test_memory_is_limited():
    with pytest.raises(MemoryError):
        call(np.ones, 2**30)        # 8 GiB


def alone(code):
    """Run `code` in a new Python, and return the words that it prints."""
    imports = "import os\nfrom mirdl.system.isolated import CALLS, ProcessDiedError, isolated\n"
    done = subprocess.run([sys.executable, "-c", imports + code], capture_output=True, text=True,
                          cwd=ROOT, timeout=100)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_a_process_answers_many_calls_and_is_replaced_when_dead_failed_or_old():
    first, again, *others = alone("""if True:
        def process():
            return isolated(os.getpid, seconds=60, memory=2**31)
        print(process(), process())
        for function, argument in ((os._exit, 3), (os.listdir, '/nothing')):
            try:
                isolated(function, argument, seconds=60, memory=2**31)
            except (ProcessDiedError, FileNotFoundError):
                print(process())
        for _ in range(CALLS):
            last = process()
        print(last, os.getpid())
        """)
    assert first == again and len({first, *others}) == 5


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="looks into /proc")
def test_no_process_and_no_file_is_left():
    [files] = alone("""if True:
        before = os.listdir('/proc/self/fd')
        for call in range(CALLS - 1):
            isolated(os.getpid, seconds=60, memory=2**31)
        try:
            isolated(os.abort, seconds=60, memory=2**31)
        except ProcessDiedError:
            pass
        try:
            os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            print(len(os.listdir('/proc/self/fd')) - len(before))
        """)
    assert files == "0"


def test_the_process_ends_with_its_parent():
    [process] = alone(
        "print(isolated(os.getpid, seconds=60, memory=2**31), flush=True)\nos._exit(0)")
    end = time.monotonic() + 10
    while os.path.exists(f"/proc/{process}") and time.monotonic() < end:
        time.sleep(0.01)
    assert not os.path.exists(f"/proc/{process}")


def test_what_a_crash_says_does_not_reach_the_terminal():
    code = """if True:
        import os
        from mirdl.system.isolated import ProcessDiedError, isolated
        try:
            isolated(os.write, 2, b"double free or corruption (!prev)", seconds=60, memory=2**31)
            isolated(os.abort, seconds=60, memory=2**31)
        except ProcessDiedError as error:
            print(error)
        """
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT,
                          timeout=100)
    assert (done.stdout, done.stderr) == ("crashed (SIGABRT)\n", "")
