import os
import platform
import subprocess
import sys

import calls
import pytest
from calls import Call
from conftest import ROOT
from joblib import cpu_count

from mirdl.errors import UserError
from mirdl.training import processes


def each(function, made, count=2):
    engine = processes.engine({"workers": count, "cluster": ""}, lambda: (len(made), 0, ""))
    return list(engine(function, made))


def test_calls_are_made_in_other_processes_that_share_the_cores():
    found = each(calls.threads, [Call(number) for number in range(4)])
    pids, threads = zip(*found)
    assert os.getpid() not in pids and len(set(pids)) == 2
    assert threads == ([str(max(1, cpu_count() // 2))] * len(processes.THREADS),) * 4


def test_one_worker_is_map_itself():
    assert processes.engine({"workers": 1, "cluster": ""}, None) is map


def test_results_come_once_and_what_was_printed_is_printed_here(capsys):
    assert sorted(each(calls.square, [Call(number) for number in range(5)])) == [0, 1, 4, 9, 16]
    assert sorted(capsys.readouterr().out.split("\n"))[1:] == [f"squared {number}" for number in range(5)]
    assert each(calls.square, []) == []


def test_what_a_call_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        each(calls.divide, [Call(1), Call(0)])


def test_a_call_whose_process_died_is_made_again(tmp_path, capsys):
    assert sorted(each(calls.die, [Call(number, str(tmp_path)) for number in range(3)])) == [0, 1, 2]
    assert capsys.readouterr().out.count("call 1: the process was ended by the system; its work is taken up again") == 2


def test_a_call_that_ends_every_process_is_given_up():
    with pytest.raises(UserError, match="call 1 was given up: 3 processes that worked on it were ended by the system"):
        each(calls.dieAlways, [Call(number) for number in range(2)])


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="it is about a variable of glibc")
def test_a_worker_of_dask_keeps_the_memory_of_a_batch_for_the_next_one():
    code = """if True:
        import resource, sys
        from mirdl.training.processes import keep_memory
        if sys.argv[1:]:
            keep_memory()
        for _ in range(500):
            bytearray(2**20)
        print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt)
        """
    without, with_ = [int(subprocess.run([sys.executable, "-c", code, *given], capture_output=True, text=True, check=True, env={
        **os.environ, "PYTHONPATH": ROOT, "MALLOC_TRIM_THRESHOLD_": "65536"}).stdout) for given in ([], ["keep"])]
    assert with_ < without - 500 * 2**20 / 4096 * 0.9
