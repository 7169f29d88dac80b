"""Independent pieces of work on all cores, by joblib."""

import os
import signal
import threading
import time
from concurrent.futures.process import BrokenProcessPool

from joblib import Parallel, cpu_count, delayed
from tqdm import tqdm

from mirdl.errors import UserError
from mirdl.progress import bar

IDLE = 5        # seconds, after which a process without work gives its memory back


def inParallel(function, calls, title, unit):
    """Call `function` with each tuple of arguments in `calls`, in as many other processes as there are cores.

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
        The results, in the order of `calls`, each as soon as it and those before it are there.

    Raises
    ------
    UserError
        If the system ends one of the processes. What a call raises is raised here.
    """
    if not calls:
        return      # joblib would make ready for work, and a process that is killed then leaves that behind
    workers = max(2, min(len(calls), cpu_count()))      # with one, joblib would call in this process
    parallel = Parallel(n_jobs=workers, return_as='generator', pre_dispatch='2*n_jobs', batch_size=1, idle_worker_timeout=IDLE,
                        initializer=belongTo, initargs=(os.getpid(),))
    results = parallel(delayed(function)(*call) for call in calls)
    try:
        yield from bar(results, total=len(calls), desc=title, unit=unit)
    except BrokenProcessPool as error:
        raise UserError(f'a process that worked on the {title} was ended by the system, for want of memory most likely; '
                        'end other programs, then run again') from error


def belongTo(parent):
    """A worker leaves Ctrl-C to the process `parent`, and ends with it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tqdm.set_lock(threading.RLock())    # its own one would be left behind, with a warning, when the worker is killed

    def watch():
        while os.getppid() == parent:
            time.sleep(0.5)
        os._exit(1)
    threading.Thread(target=watch, daemon=True).start()
