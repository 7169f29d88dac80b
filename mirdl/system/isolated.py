"""Calls in a process of their own: whatever kills it kills nothing else."""

import faulthandler
import gc
import os
import resource
import signal
from multiprocessing import Pipe

CALLS = 100     # that one process answers before another takes its place, so that what the calls leak does not add up


class Died(Exception):
    """How the process of a call came to its end without a result, in a few words."""


def isolated(function, *arguments, seconds, memory):
    """Call `function` in a fork of this process, which answers further calls too as long as all goes well.

    For foreign code that may crash, never end or take all the memory, as decoders may on damaged files. A process whose
    threads may hold locks, such as one that runs JAX, must not fork. One call at a time.

    Parameters
    ----------
    function : callable
        It, its arguments and its result, or the exception that it raises, are pickled.
    seconds : int
        It is stopped after so long, by an alarm of its own: it does not outlive that even if this process is killed.
    memory : int
        Bytes that its data may take.

    Returns
    -------
    object
        What `function` returns.

    Raises
    ------
    Died
        If it was stopped or crashed. What `function` raises is raised here.
    """
    global _fork
    _fork = _fork or _Fork()
    try:
        _fork.pipe.send((function, arguments, seconds, memory))
        result, error = _fork.pipe.recv()
    except (EOFError, ConnectionError):
        code, _fork = _fork.end(), None
        if code == -signal.SIGALRM:
            raise Died(f"took longer than {seconds} s") from None
        raise Died(f'crashed ({signal.Signals(-code).name if code < 0 else f"exit status {code}"})') from None
    _fork.calls += 1
    if error is not None or _fork.calls == CALLS:       # what an error leaves behind must not meet the next call
        _fork.end()
        _fork = None
    if error is not None:
        raise error
    return result


_fork = None


class _Fork:
    """A fork of this process that makes calls. It ends when its pipe does, be it that this process is killed."""

    def __init__(self):
        self.calls = 0
        self.pipe, theirs = Pipe()
        self.process = os.fork()
        if not self.process:
            self.pipe.close()
            _serve(theirs)
        theirs.close()

    def end(self):
        """Its exit status, -N for signal N."""
        self.pipe.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


def _serve(pipe):
    """What the fork does. It never returns, as what the parent was about to do must not be done twice."""
    try:
        faulthandler.disable()      # a crash is told in one line
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        _limit(resource.RLIMIT_CORE, 0)
        gc.freeze()
        while True:
            try:
                function, arguments, seconds, memory = pipe.recv()
            except EOFError:
                os._exit(0)
            signal.alarm(seconds)
            _limit(resource.RLIMIT_DATA, memory)
            try:
                answer = function(*arguments), None
            except Exception as error:
                answer = None, error
            pipe.send(answer)
            signal.alarm(0)
            del answer
            gc.collect()        # Essentia's networks are cycles, each with its song's numbers
    finally:
        os._exit(1)


def _limit(which, most):
    _, hard = resource.getrlimit(which)
    resource.setrlimit(which, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
