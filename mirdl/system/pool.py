"""Independent pieces of work on all cores, by joblib's loky."""

import os
import signal
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from itertools import islice, starmap
from multiprocessing import Pipe, current_process
from multiprocessing.connection import Connection
from typing import TypeVar

from joblib import cpu_count
from joblib.externals.loky import get_reusable_executor
from joblib.externals.loky.backend.process import LokyProcess
from tqdm import tqdm

from mirdl.errors import UserError
from mirdl.system.progress import bar

Result = TypeVar("Result")

IDLE = 5        # seconds without work after which a process ends and gives its memory back
# The most calls begun for each process whose results are not yet used, because they take memory.
AHEAD = 8
# The most unfinished calls among these, because all must fit into loky's own queue.
UNDERWAY = 2
# The number of threads of OpenBLAS, MKL, numba, the filter bank (OMP) and XLA (NPROC) in a process.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS",
           "NPROC")
# One thread each: sums by more threads differ in the last digits.
ONE_THREAD = dict.fromkeys(THREADS, "1")

NO_SHARED_MEMORY = ("processes cannot share memory here ({error}): /dev/shm is missing, full or "
                    "read-only; mount it (a container: --shm-size=1g)")


def in_parallel(
    function: Callable[..., Result], calls: Sequence[tuple], title: str, unit: str,
) -> Iterator[Result]:
    """Call `function` with each tuple of arguments in `calls`, in other processes.

    There are as many processes as cores, each with one thread.

    Parameters
    ----------
    function : callable
        Of a module that the processes can import.
    calls : list of tuple
    title, unit : str
        For the progress bar, which a single call does not need.

    Yields
    ------
    object
        The results in the order of `calls`, each as soon as it and those before it are ready. If
        they are used slowly, at most `AHEAD` calls for each process are made in advance.

    Raises
    ------
    UserError
        If the system ends one of the processes.
    Exception
        What a call raises.
    """
    if not calls:
        return      # a pool without work would leave files behind if this process is killed
    if current_process().daemon:        # one of Dask's workers, which may not start processes
        yield from bar(starmap(function, calls), total=len(calls), desc=title, unit=unit)
        return
    workers = min(len(calls), cpu_count())
    try:
        pool = get_reusable_executor(workers, timeout=IDLE, env=ONE_THREAD,
                                     initializer=end_with, initargs=(os.getpid(),))
    except OSError as error:
        print(f"  one after the other, as {NO_SHARED_MEMORY.format(error=error)}", flush=True)
        results = _by_one_process(function, calls, title)
        yield from bar(results, total=len(calls), desc=title, unit=unit)
        return
    remaining, ahead = iter(calls), deque()

    def feed() -> list[Future]:
        """Begin as many further calls as the bounds allow; return all that are unfinished."""
        underway = [future for future in ahead if not future.done()]
        room = min(UNDERWAY * workers - len(underway), AHEAD * workers - len(ahead))
        new = [pool.submit(function, *call) for call in islice(remaining, room)]
        ahead.extend(new)
        return underway + new

    try:
        feed()      # before there is a bar, which may have to wait for another thread
        for _ in bar(calls, desc=title, unit=unit, disable=len(calls) == 1):
            underway = feed()
            while not ahead[0].done():
                wait(underway, return_when=FIRST_COMPLETED)
                underway = feed()
            yield ahead.popleft().result()
    except BrokenProcessPool as error:
        raise _ended(title) from error
    finally:
        if ahead:       # nobody waits for these any more
            # loky fails if it has to kill while calls are still on the way into its own queue.
            while not all(future.running() or future.done() for future in ahead):
                time.sleep(0.01)
            pool.shutdown(kill_workers=True)


def _by_one_process(
    function: Callable[..., Result], calls: Iterable[tuple], title: str,
) -> Iterator[Result]:
    """Yield the results of calls that one other process makes, which shares no memory with this.

    They are not made in this process, as JAX runs in it, so that it must not fork.
    """
    pipe, theirs = Pipe(duplex=False)
    process = LokyProcess(target=_answer, args=(theirs, function, calls, os.getpid()),
                          env=ONE_THREAD)
    process.start()
    theirs.close()
    try:
        for _ in calls:
            result, error = pipe.recv()
            if error is not None:
                raise error
            yield result
    except EOFError as error:
        raise _ended(title) from error
    finally:
        pipe.close()
        process.join()


def _answer(pipe: Connection, function: Callable, calls: Iterable[tuple], parent: int) -> None:
    """Make calls and send what they give through a pipe, until it is closed."""
    end_with(parent)
    with suppress(BrokenPipeError):
        for call in calls:
            try:
                answer = function(*call), None
            except Exception as error:
                answer = None, error
            pipe.send(answer)


def _ended(title: str) -> UserError:
    return UserError(f"a process that worked on the {title} was ended by the system, probably for "
                     "lack of memory; end other programs, then run again")


def end_with(parent: int) -> None:
    """Prepare this process as a worker: it ignores Ctrl-C and ends when its parent does.

    Parameters
    ----------
    parent : int
        The id of the process that started it, which handles Ctrl-C.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # tqdm's own lock is a semaphore, which a killed worker would leave behind, with a warning.
    tqdm.set_lock(threading.RLock())

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
