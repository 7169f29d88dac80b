"""Calls in a separate process, so that a crash ends nothing but the call."""

import faulthandler
import gc
import os
import resource
import signal
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import NoReturn, TypeVar

Result = TypeVar("Result")

CALLS = 100     # calls that a process answers before it is replaced, so that leaks do not add up


class ProcessDiedError(Exception):
    """The process of a call ended without a result; the message says how, in a few words."""


class TookTooLongError(ProcessDiedError):
    """The call was stopped because its time was up."""


def isolated(
    function: Callable[..., Result], *arguments: object, seconds: int, memory: int,
) -> Result:
    """Call `function` in a fork of this process; the fork also answers later calls if all is well.

    This is for foreign code that may crash, never end or take all the memory, such as decoders
    given damaged files. A process whose threads may hold locks, such as one that runs JAX, must not
    fork. Make one call at a time.

    Parameters
    ----------
    function : callable
        The function, its arguments, and its result or exception are pickled.
    *arguments
        The arguments of `function`.
    seconds : int
        The call is stopped after this time, by an alarm in the fork itself: it ends even if this
        process is killed.
    memory : int
        Bytes that its data may take.

    Returns
    -------
    object
        What `function` returns.

    Raises
    ------
    ProcessDiedError
        If the call was stopped (TookTooLongError) or crashed.
    Exception
        What `function` raises.
    """
    global _fork
    _fork = _fork or _Fork()
    try:
        _fork.pipe.send((function, arguments, seconds, memory))
        result, error = _fork.pipe.recv()
    except (EOFError, ConnectionError):
        code, _fork = _fork.end(), None
        if code == -signal.SIGALRM:
            raise TookTooLongError(f"took longer than {seconds} s") from None
        reason = signal.Signals(-code).name if code < 0 else f"exit status {code}"
        raise ProcessDiedError(f"crashed ({reason})") from None
    _fork.calls += 1
    if error is not None or _fork.calls == CALLS:       # an error may leave a bad state behind
        _fork.end()
        _fork = None
    if error is not None:
        raise error
    return result


_fork = None


class _Fork:
    """A fork of this process that makes calls. It ends when its pipe is closed, even by a kill."""

    def __init__(self) -> None:
        self.calls = 0
        self.pipe, theirs = Pipe()
        self.process = os.fork()
        if not self.process:
            self.pipe.close()
            _serve(theirs)
        theirs.close()

    def end(self) -> int:
        """End the fork and return its exit status, -N for signal N."""
        self.pipe.close()
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


def _serve(pipe: Connection) -> NoReturn:
    """Answer calls in the fork.

    This never returns: otherwise the fork would do what the parent is about to do.
    """
    try:
        faulthandler.disable()      # the parent reports a crash in one line
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        _limit(resource.RLIMIT_CORE, 0)
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)    # and libraries say nothing on their way out
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
            try:
                pipe.send(answer)
            except MemoryError as error:        # pickled, it takes the memory once more
                pipe.send((None, error))
            signal.alarm(0)
            del answer
            gc.collect()        # Essentia's networks are cycles, each with the numbers of a song
    finally:
        os._exit(1)


def _limit(which: int, most: int) -> None:
    _, hard = resource.getrlimit(which)
    resource.setrlimit(which, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
