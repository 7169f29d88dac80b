"""Calls in several processes at once, here or on a Dask cluster; a call whose process dies is made again."""

import ctypes
import io
import logging
import os
import pickle
import socket
import sys
import threading
from collections import Counter, deque
from concurrent.futures import FIRST_COMPLETED, CancelledError, wait
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from functools import partial

from joblib import cpu_count
from joblib.externals.loky import ProcessPoolExecutor
from joblib.externals.loky.process_executor import BrokenProcessPool

from mirdl.errors import UserError
from mirdl.system.pool import THREADS, end_with
from mirdl.system.progress import screen

DEATHS = 3          # of the processes that a call was made in, after which it is given up
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3     # of malloc.h

_one_at_a_time = threading.Lock()      # stdout, the current folder and Lasagne's random stream belong to a whole process


def engine(means, progress):
    """A function like `map` that makes its calls as `means` say, and gives their results in the order in which they end.

    Parameters
    ----------
    means : dict
        Of `settings.MEANS`.
    progress : callable
        For the bar: gives how much work there is, how much is done, and some words on what is under way.

    Returns
    -------
    callable
        (function, calls) -> iterator. Both must pickle, and a call needs a `title`. It raises what a call raises, and UserError for a call that
        ends one process after another or a cluster that is not there. `map` itself if there is but one worker.
    """
    if means["cluster"]:
        return partial(_on_cluster, means["cluster"], progress)
    if means["workers"] > 1:
        return partial(_on_this_machine, means["workers"], progress)
    return map


@contextmanager
def silence():
    """Print nothing."""
    with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
        yield


def _on_this_machine(count, progress, function, calls):
    """In `count` processes that share the cores, by joblib's loky. Each is a pool of its own, as a death ends a whole pool."""
    share = str(max(1, cpu_count() // count))
    environment = {name: os.environ.get(name, share) for name in THREADS}
    with ExitStack() as pools:
        def hire():
            pool = ProcessPoolExecutor(1, env=environment, initializer=end_with, initargs=(os.getpid(),))
            pools.callback(pool.shutdown, kill_workers=True)
            return pool
        yield from _each(function, calls, [hire() for _ in range(min(count, len(calls)))], hire, progress)


def _on_cluster(address, progress, function, calls):
    """On the Dask cluster whose scheduler has this address, or is described by this file. Dask makes a call again by itself."""
    from distributed import Client  # only here: it takes a second
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL + 1)     # what is of use comes as an exception
    place = {"scheduler_file": os.path.abspath(address)} if os.path.exists(address) else {"address": address}
    try:
        client = Client(**place, timeout=10, set_as_default=False)
    except (OSError, ValueError) as error:
        raise UserError(f"cluster={address}: no Dask scheduler answers there ({error}); expected tcp://host:8786 or a scheduler "
                        "file of one that runs (README.md: 'On a cluster')") from error
    with client:
        _check_workers(client, address)
        yield from _each(function, calls, [client.get_executor(pure=False)] * len(calls), None, progress)


def _check_workers(client, address):
    """Refuse workers that would take several calls at a time."""
    threads = client.nthreads()
    for worker, count in threads.items():
        if count > 1:
            raise UserError(f"the worker {worker} of cluster={address} has {count} threads, and a training needs a process of its "
                            "own: start workers with --nthreads 1, and --nworkers for several on a machine")
    print(f"cluster {address}: {len(threads)} workers" + ("" if threads else ", waiting for some"), flush=True)


def _each(function, calls, idle, hire, progress):
    """Make the calls in the pools `idle`, each of which takes one at a time; `hire` gives a new one for one that broke."""
    waiting, running, deaths = deque(enumerate(calls)), {}, Counter()
    with screen(progress, waiting) as tell:
        while waiting or running:
            while waiting and idle:
                number, call = waiting.popleft()
                pool = idle.pop()
                try:
                    future = pool.submit(_there, os.getcwd(), os.environ.get("THEANO_FLAGS", ""), pickle.dumps((function, call)))
                    running[future] = pool, number, call
                except BrokenProcessPool:       # it died while it had nothing to do
                    waiting.appendleft((number, call))
                    idle.append(hire())
            for future in wait(running, 1, FIRST_COMPLETED).done:
                pool, number, call = running.pop(future)
                try:
                    result, said = future.result()
                    idle.append(pool)
                    tell(said)
                    yield result
                except BrokenProcessPool as error:
                    deaths[number] += 1
                    if deaths[number] == DEATHS:
                        raise _given_up(call) from error
                    tell(f"{call.title}: the process was ended by the system; its work is taken up again")
                    waiting.appendleft((number, call))
                    idle.append(hire())
                except CancelledError as error:
                    raise UserError("the connection to the Dask scheduler is lost; start it anew") from error
                except Exception as error:
                    if type(error).__name__ == "KilledWorker":      # Dask's own word for it
                        raise _given_up(call) from error
                    raise
            tell()


def _there(folder, flags, work):
    """In a worker: make a call in `folder`, under Theano's `flags`; its result, and what it printed."""
    with _one_at_a_time, redirect_stdout(io.StringIO()) as said, redirect_stderr(io.StringIO()):
        if not os.path.isdir(folder):
            raise UserError(f"the worker on {socket.gethostname()} has no folder {folder}: all need to see it under the same path")
        os.chdir(folder)
        if "theano" in sys.modules and os.environ.get("THEANO_FLAGS") != flags:
            raise UserError(f"the worker on {socket.gethostname()} has begun with other THEANO_FLAGS than {flags}; start it anew")
        os.environ["THEANO_FLAGS"] = flags
        if "OMP_NUM_THREADS" in os.environ:     # a Dask worker's share of its machine
            for name in THREADS:
                os.environ.setdefault(name, os.environ["OMP_NUM_THREADS"])
        keep_memory()
        function, call = pickle.loads(work)
        return function(call), said.getvalue()


def keep_memory():
    """Undo Dask's MALLOC_TRIM_THRESHOLD_, by which glibc hands back the memory of each batch: a third of the time went into page faults."""
    if "MALLOC_TRIM_THRESHOLD_" in os.environ:
        mallopt = getattr(ctypes.CDLL(None), "mallopt", lambda which, size: None)     # glibc's own; others do not read the variable
        mallopt(M_MMAP_THRESHOLD, 2**25)
        mallopt(M_TRIM_THRESHOLD, 2**27)


def _given_up(call):
    return UserError(f"{call.title} was given up: {DEATHS} processes that worked on it were ended by the system, for want of memory "
                     "most likely; lower workers or DL.batchSize, or end other programs")
