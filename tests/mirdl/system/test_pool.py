import multiprocessing
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from joblib import cpu_count

from mirdl.errors import UserError
from mirdl.system.pool import AHEAD, in_parallel

pytestmark = pytest.mark.xdist_group("serial")


def test_results_come_in_order_from_other_processes():
    squares = in_parallel(pow, [(base, 2) for base in range(20)], "squares", "square")
    assert list(squares) == [base**2 for base in range(20)]
    assert os.getpid() not in set(in_parallel(os.getpid, [()], "one", "call"))
    assert list(in_parallel(pow, [], "nothing", "call")) == []


def test_each_process_has_one_thread_however_few_they_are():
    for count in 1, 20:
        calls = [("OPENBLAS_NUM_THREADS",)] * count
        assert set(in_parallel(os.getenv, calls, "variables", "variable")) == {"1"}


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_a_call_raises_is_raised():
    calls = [(1, 1), (1, 0), *[(1, 1)] * 30]
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            list(in_parallel(divmod, calls, "divisions", "division"))


def test_a_process_ended_by_the_system_is_one_clear_error():
    with pytest.raises(UserError, match="songs.*ended by the system.*run again"):
        list(in_parallel(signal.raise_signal, [(signal.SIGKILL,)], "songs", "song"))
    # The next call has processes again.
    assert list(in_parallel(abs, [(-1,)], "songs", "song")) == [1]


def test_few_calls_are_made_before_their_results_are_used_and_none_after_the_end(tmp_path):
    limit = AHEAD * cpu_count()
    calls = [(str(tmp_path / str(number)),) for number in range(3 * limit)]
    results = in_parallel(os.mkdir, calls, "folders", "folder")
    for used in range(1, limit):
        next(results)
        time.sleep(0.02)
        assert len(os.listdir(tmp_path)) < used + limit
    results.close()
    made = len(os.listdir(tmp_path))
    assert list(in_parallel(abs, [(-1,)], "songs", "song")) == [1]
    assert len(os.listdir(tmp_path)) == made


def test_a_slow_first_call_delays_no_other_call():
    naps = [(1,)] + 5 * AHEAD * cpu_count() * [(0,)]
    assert len(list(in_parallel(time.sleep, naps, "naps", "nap"))) == len(naps)


def squares():
    return list(in_parallel(pow, [(base, 2) for base in range(4)], "squares", "square"))


def test_in_a_process_that_may_start_none_the_calls_are_made_there():
    with multiprocessing.get_context("spawn").Pool(1) as daemons:
        assert daemons.apply(squares) == [0, 1, 4, 9]


# in a process that must not fork: JAX warns there
ALONE = """if True:
    import os, signal, sys
    import jax
    from mirdl.errors import exit_on_user_error
    from mirdl.system.pool import in_parallel
    function, *numbers = sys.argv[1:]
    function = {"pow": pow, "divmod": divmod, "kill": signal.raise_signal}[function]
    calls = [tuple(map(int, text.split(","))) for text in numbers]
    exit_on_user_error(lambda: print(list(in_parallel(function, calls, "songs", "song"))))
    """


@pytest.mark.parametrize("mounted", [
    pytest.param("size=64k,ro", marks=pytest.mark.slow), "size=4k"])
def test_without_shared_memory_the_calls_are_made_one_after_the_other(mounted):
    if not shutil.which("unshare") or subprocess.run(["unshare", "-m", "true"]).returncode:
        pytest.skip("only who may mount can take /dev/shm away")

    def call(*words):
        return subprocess.run(
            ["unshare", "-m", "sh", "-c", f'mount -t tmpfs -o {mounted} none /dev/shm && exec "$@"',
             "sh", sys.executable, "-c", ALONE, *words],
            capture_output=True, text=True, timeout=100, env={**os.environ, "PYTHONPATH": ROOT})
    done = call("pow", "2,3", "3,2")
    assert done.stdout.startswith("  one after the other, as processes cannot share memory here (")
    assert done.stdout.endswith("mount it (a container: --shm-size=1g)\n[8, 9]\n")
    assert "arning" not in done.stderr
    assert "\nZeroDivisionError: " in call("divmod", "1,0").stderr
    assert re.search("^error: .*songs.*ended", call("kill", "9").stderr, re.MULTILINE)
