"""Jobs in several processes at once, here or on a Dask cluster.

A job whose process dies is repeated.
"""

import ctypes
import io
import logging
import os
import pickle
import socket
import sys
import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, CancelledError, Executor, wait
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from typing import Any

from joblib import cpu_count
from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.process_executor import BrokenProcessPool

from mirdl.errors import UserError
from mirdl.system.pool import NO_SHARED_MEMORY, THREADS, end_with
from mirdl.system.progress import screen

DEATHS = 3          # of its processes after which a job is given up
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3     # of malloc.h

# stdout, the current folder and Lasagne's random stream belong to a whole process
_one_at_a_time = threading.Lock()


def run_jobs(function: Callable, jobs: list, execution: dict[str, Any],
             progress: Callable[[], tuple[int, int, str]]) -> Iterator[tuple]:
    """Call a function with each job, in other processes.

    Parameters
    ----------
    function : callable
        Of a module that the processes can import; its argument and result are pickled.
    jobs : list
        Each has a `title`.
    execution : dict
        The settings of the role `settings.EXECUTION`.
    progress : callable
        For the bar: gives how much work there is, how much is done, and what is under way.

    Yields
    ------
    job, result
        As each ends.

    Raises
    ------
    UserError
        For a job that ends one process after another, or a cluster that is not there. What a
        call raises is raised here.
    """
    if execution["cluster"]:
        return _on_cluster(execution["cluster"], progress, function, jobs)
    return _on_this_machine(execution["workers"], progress, function, jobs)


def _on_this_machine(count: int, progress: Callable, function: Callable,
                     jobs: list) -> Iterator[tuple]:
    """Run the jobs in `count` processes of joblib's loky, which share the cores.

    Each process is a pool of its own, as a death ends a whole pool.
    """
    share = str(max(1, cpu_count() // count))
    environment = {name: os.environ.get(name, share) for name in THREADS}
    with ExitStack() as pools:
        def new_pool() -> Executor:
            pool = ProcessPoolExecutor(1, env=environment, initializer=end_with,
                                       initargs=(os.getpid(),))
            pools.callback(pool.shutdown, kill_workers=True)
            return pool
        try:
            idle = [new_pool() for _ in range(min(count, len(jobs)))]
        except OSError as error:
            raise UserError(f"workers={count}: {NO_SHARED_MEMORY.format(error=error)}, or use "
                            "workers=1") from error
        yield from _each(function, jobs, idle, new_pool, progress)


def _on_cluster(address: str, progress: Callable, function: Callable,
                jobs: list) -> Iterator[tuple]:
    """Run the jobs on the Dask cluster of this scheduler; Dask itself does a lost job again."""
    from distributed import Client  # only here: it takes a second
    # what matters is raised as an exception
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL + 1)
    place = {"address": address}
    if os.path.exists(address):
        place = {"scheduler_file": os.path.abspath(address)}
    try:
        client = Client(**place, timeout=10, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UserError(f"cluster={address}: no Dask scheduler answers there ({error}); expected "
                        "tcp://host:8786 or a scheduler file of one that runs "
                        "(docs/cluster.md)") from error
    with client:
        _check_workers(client, address)
        pools = [client.get_executor(pure=False)] * len(jobs)
        yield from _each(function, jobs, pools, None, progress)


def _check_workers(client: Any, address: str) -> None:  # noqa: ANN401 (distributed is imported late)
    """Refuse workers that would run several jobs at a time."""
    threads = client.nthreads()
    for worker, count in threads.items():
        if count > 1:
            raise UserError(f"the worker {worker} of cluster={address} has {count} threads, and "
                            "a training needs a process of its own: start workers with "
                            "--nthreads 1, and --nworkers for several on a machine")
    print(f"cluster {address}: {len(threads)} workers"
          + ("" if threads else ", waiting for some"), flush=True)


def _each(function: Callable, jobs: Iterable, idle: list[Executor],
          new_pool: Callable[[], Executor] | None, progress: Callable) -> Iterator[tuple]:
    """Run the jobs in idle pools of one process each; `new_pool` replaces one that broke."""
    waiting, running, deaths = deque(enumerate(jobs)), {}, Counter()
    with screen(progress, waiting) as tell:
        while waiting or running:
            while waiting and idle:
                number, job = waiting.popleft()
                pool = idle.pop()
                try:
                    future = pool.submit(_in_worker, os.getcwd(),
                                         os.environ.get("THEANO_FLAGS", ""),
                                         pickle.dumps((function, job)))
                    running[future] = pool, number, job
                except BrokenProcessPool:       # it died while it had nothing to do
                    waiting.appendleft((number, job))
                    idle.append(new_pool())
            for future in wait(running, 1, FIRST_COMPLETED).done:
                pool, number, job = running.pop(future)
                try:
                    result, printed = future.result()
                    idle.append(pool)
                    tell(printed)
                    yield job, result
                except BrokenProcessPool as error:
                    deaths[number] += 1
                    if deaths[number] == DEATHS:
                        raise _given_up(job) from error
                    tell(f"{job.title}: the process was ended by the system; its work is "
                         "resumed")
                    waiting.appendleft((number, job))
                    idle.append(new_pool())
                except CancelledError as error:
                    raise UserError("the connection to the Dask scheduler is lost; "
                                    "restart it") from error
                except Exception as error:
                    if type(error).__name__ == "KilledWorker":      # Dask's own word for it
                        raise _given_up(job) from error
                    raise
            tell()


def _in_worker(folder: str, flags: str, work: bytes) -> tuple[object, str]:
    """Do a job in `folder` under Theano's `flags`; give its result, and what it printed."""
    with (_one_at_a_time, redirect_stdout(io.StringIO()) as printed,
          redirect_stderr(io.StringIO())):
        if not os.path.isdir(folder):
            raise UserError(f"the worker on {socket.gethostname()} has no folder {folder}: all "
                            "need to see it under the same path")
        os.chdir(folder)
        if "theano" in sys.modules and os.environ.get("THEANO_FLAGS") != flags:
            raise UserError(f"the worker on {socket.gethostname()} was started with other "
                            f"THEANO_FLAGS than {flags}; restart it")
        os.environ["THEANO_FLAGS"] = flags
        if "OMP_NUM_THREADS" in os.environ:     # a Dask worker's share of its machine
            for name in THREADS:
                os.environ.setdefault(name, os.environ["OMP_NUM_THREADS"])
        keep_memory()
        function, job = pickle.loads(work)
        return function(job), printed.getvalue()


def keep_memory() -> None:
    """Undo Dask's MALLOC_TRIM_THRESHOLD_, by which glibc hands back the memory of each batch.

    A third of the time went into page faults.
    """
    if "MALLOC_TRIM_THRESHOLD_" in os.environ:
        # glibc's own; other C libraries do not read the variable
        mallopt = getattr(ctypes.CDLL(None), "mallopt", lambda which, size: None)
        mallopt(M_MMAP_THRESHOLD, 2**25)
        mallopt(M_TRIM_THRESHOLD, 2**27)


def _given_up(job: Any) -> UserError:  # noqa: ANN401 (anything with a title)
    return UserError(f"{job.title} was given up: {DEATHS} processes that worked on it were ended "
                     "by the system, probably for lack of memory; lower workers or "
                     "DL.batchSize, or end other programs")
