"""The number of threads."""

import pytest

from filterbank import threads


@pytest.mark.parametrize("setting, count", [("3", 3), (" 2 ", 2), ("4,2", 4)])
def test_omp_num_threads_sets_the_number(monkeypatch, setting, count):
    monkeypatch.setenv("OMP_NUM_THREADS", setting)
    assert threads.count() == count


def test_without_it_there_is_one_thread_for_each_core(monkeypatch):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.setattr(threads.os, "sched_getaffinity", lambda process: {0, 1, 5}, raising=False)
    assert threads.count() == 3


@pytest.mark.parametrize("setting", ["0", "-1", "many", "1.5"])
def test_nonsense_is_refused(monkeypatch, setting):
    monkeypatch.setenv("OMP_NUM_THREADS", setting)
    with pytest.raises(ValueError, match=f"OMP_NUM_THREADS='{setting}'.*whole number"):
        threads.count()
