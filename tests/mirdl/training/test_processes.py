import os
import platform
import re
import subprocess
import sys

import calls
import pytest
from calls import Call
from conftest import ROOT
from joblib import cpu_count

from mirdl.errors import UserError
from mirdl.training import processes

pytestmark = pytest.mark.xdist_group("serial")


def each(function, made, count=2):
    execution = {"workers": count, "cluster": ""}
    done = list(processes.run_jobs(function, made, execution, lambda: (len(made), 0, "")))
    assert {id(job) for job, _ in done} == set(map(id, made)), "each result comes with its job"
    return [result for _, result in done]


def test_calls_are_made_in_other_processes_that_share_the_cores():
    found = each(calls.threads, [Call(number) for number in range(4)])
    pids, threads = zip(*found, strict=True)
    assert os.getpid() not in pids and len(set(pids)) == 2
    assert threads == ([str(max(1, cpu_count() // 2))] * len(processes.THREADS),) * 4


def test_results_come_once_and_what_was_printed_is_printed_here(capsys):
    assert sorted(each(calls.square, [Call(number) for number in range(5)])) == [0, 1, 4, 9, 16]
    printed = capsys.readouterr().out.split("\n")
    assert sorted(printed)[1:] == [f"squared {number}" for number in range(5)]
    assert each(calls.square, []) == []


def test_what_a_call_raises_is_raised():
    with pytest.raises(ZeroDivisionError):
        each(calls.divide, [Call(1), Call(0)])


def test_a_call_whose_process_died_is_made_again(tmp_path, capsys):
    made = [Call(number, str(tmp_path)) for number in range(3)]
    assert sorted(each(calls.die, made)) == [0, 1, 2]
    assert len(re.findall("call 1: .*ended by the system", capsys.readouterr().out)) == 2


def test_a_call_that_ends_every_process_is_given_up():
    with pytest.raises(UserError, match="call 1 .*3 processes.*ended by the system.*workers"):
        each(calls.dieAlways, [Call(number) for number in range(2)])


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="a variable of glibc")
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

    def faults(*arguments):
        return int(subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True,
            env={**os.environ, "PYTHONPATH": ROOT, "MALLOC_TRIM_THRESHOLD_": "65536"}).stdout)
    assert faults("keep") < faults() - 500 * 2**20 / 4096 * 0.9
