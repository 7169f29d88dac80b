import multiprocessing
import os
import signal
import time

import pytest
from joblib import cpu_count

from mirdl.errors import UserError
from mirdl.system.pool import AHEAD, in_parallel


def test_results_come_in_order_from_other_processes():
    assert list(in_parallel(pow, [(base, 2) for base in range(20)], "squares", "square")) == [base**2 for base in range(20)]
    assert os.getpid() not in set(in_parallel(os.getpid, [()], "one", "call"))
    assert list(in_parallel(pow, [], "nothing", "call")) == []


def test_each_process_has_one_thread_however_few_they_are():
    for count in 1, 20:
        assert set(in_parallel(os.getenv, [("OPENBLAS_NUM_THREADS",)] * count, "variables", "variable")) == {"1"}


@pytest.mark.filterwarnings("error::pytest.PytestUnhandledThreadExceptionWarning")
def test_what_a_call_raises_is_raised():
    for _ in range(5):
        with pytest.raises(ZeroDivisionError):
            list(in_parallel(divmod, [(1, 1), (1, 0)] + [(1, 1)] * 30, "divisions", "division"))


def test_a_process_ended_by_the_system_is_one_clear_error():
    with pytest.raises(UserError, match="a process that worked on the songs was ended by the system, .* then run again"):
        list(in_parallel(signal.raise_signal, [(signal.SIGKILL,)], "songs", "song"))
    assert list(in_parallel(abs, [(-1,)], "songs", "song")) == [1], "and the next call has processes again"


def test_a_slow_consumer_is_not_run_ahead_of_and_the_rest_is_left_when_it_ends(tmp_path):
    limit = AHEAD * cpu_count()
    results = in_parallel(os.mkdir, [(str(tmp_path / str(number)),) for number in range(3 * limit)], "folders", "folder")
    for taken in range(1, limit):
        next(results)
        time.sleep(0.02)
        assert len(os.listdir(tmp_path)) < taken + limit
    results.close()
    made = len(os.listdir(tmp_path))
    assert list(in_parallel(abs, [(-1,)], "songs", "song")) == [1] and len(os.listdir(tmp_path)) == made


def test_a_slow_first_call_holds_up_nothing_but_the_order():
    naps = [(1,)] + 5 * AHEAD * cpu_count() * [(0,)]
    assert len(list(in_parallel(time.sleep, naps, "naps", "nap"))) == len(naps)


def squares():
    return list(in_parallel(pow, [(base, 2) for base in range(4)], "squares", "square"))


def test_in_a_process_that_may_start_none_the_calls_are_made_there():
    with multiprocessing.get_context("spawn").Pool(1) as daemons:
        assert daemons.apply(squares) == [0, 1, 4, 9]
