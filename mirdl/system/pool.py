"""Independent pieces of work on all cores, by joblib's loky."""

import os
import signal
import threading
import time
from collections import deque
from concurrent.futures import FIRST_COMPLETED, wait
from concurrent.futures.process import BrokenProcessPool
from itertools import islice, starmap
from multiprocessing import current_process

from joblib import cpu_count
from joblib.externals.loky import get_reusable_executor
from tqdm import tqdm

from mirdl.errors import UserError
from mirdl.system.progress import bar

IDLE = 5        # seconds, after which a process without work gives its memory back
AHEAD = 8       # calls for each process, at most, of which nobody has taken the results, which take memory
UNDERWAY = 2    # of these, at most, that are not done: all must fit into loky's own queue
# how many threads OpenBLAS, MKL, numba, the filter bank (OMP) and XLA (NPROC) have in a process
THREADS = "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "NPROC"


def in_parallel(function, calls, title, unit):
    """Call `function` with each tuple of arguments in `calls`, in as many other processes as there are cores, of one thread each.

    Parameters
    ----------
    function : callable
        Of a module that the processes can import.
    calls : list of tuple
    title, unit : str
        For the progress bar.

    Yields
    ------
    object
        The results, in the order of `calls`, each as soon as it and those before it are there. Where they are taken slowly,
        no more than `AHEAD` calls a process are made ahead.

    Raises
    ------
    UserError
        If the system ends one of the processes. What a call raises is raised here.
    """
    if not calls:
        return      # what makes ready for work is left behind when this process is killed
    if current_process().daemon:        # a worker of Dask's, which may start no process
        yield from bar(starmap(function, calls), total=len(calls), desc=title, unit=unit)
        return
    workers = min(len(calls), cpu_count())
    pool = get_reusable_executor(workers, timeout=IDLE, initializer=belong_to, initargs=(os.getpid(),),
                                 env=dict.fromkeys(THREADS, "1"))      # sums by more threads are others in the last digits
    coming, ahead = iter(calls), deque()

    def feed():
        """Begin further calls, as far as the bounds allow; all that are under way."""
        underway = [future for future in ahead if not future.done()]
        room = min(UNDERWAY * workers - len(underway), AHEAD * workers - len(ahead))
        new = [pool.submit(function, *call) for call in islice(coming, room)]
        ahead.extend(new)
        return underway + new
    try:
        for _ in bar(calls, desc=title, unit=unit):
            underway = feed()
            while not ahead[0].done():
                wait(underway, return_when=FIRST_COMPLETED)
                underway = feed()
            yield ahead.popleft().result()
    except BrokenProcessPool as error:
        raise UserError(f"a process that worked on the {title} was ended by the system, for want of memory most likely; "
                        "end other programs, then run again") from error
    finally:
        if ahead:       # nobody waits for these any more
            while not all(future.running() or future.done() for future in ahead):
                time.sleep(0.01)        # loky fails if it is to kill while calls are on their way into its own queue
            pool.shutdown(kill_workers=True)


def belong_to(parent):
    """A worker leaves Ctrl-C to the process `parent`, and ends with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tqdm.set_lock(threading.RLock())    # its own one would be left behind, with a warning, when the worker is killed

    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)
    threading.Thread(target=watch, daemon=True).start()
