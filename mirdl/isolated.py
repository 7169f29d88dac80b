"""A call in a process of its own: whatever kills it kills nothing else."""

import faulthandler
import os
import pickle
import resource
import signal


class Died(Exception):
    """How the process of a call came to its end without a result, in a few words."""


def isolated(function, *arguments, seconds, memory):
    """Call `function` in a fork of this process.

    For foreign code that may crash, never end or take all the memory, as decoders may on damaged files. A fork costs
    about 15 ms; a process whose threads may hold locks, such as one that runs JAX, must not fork.

    Parameters
    ----------
    function : callable
        Its result, or the exception that it raises, is pickled.
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
    readable, writable = os.pipe()
    child = os.fork()
    if not child:
        _serve(writable, function, arguments, seconds, memory)
    os.close(writable)
    with open(readable, 'rb') as pipe:
        answer = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    if code == -signal.SIGALRM:
        raise Died(f'took longer than {seconds} s')
    if code:
        raise Died(f'crashed ({signal.Signals(-code).name if code < 0 else f"exit status {code}"})')
    result, error = pickle.loads(answer)
    if error is not None:
        raise error
    return result


def _serve(pipe, function, arguments, seconds, memory):
    """What the fork does. It never returns, as what the parent was about to do must not be done twice."""
    try:
        faulthandler.disable()      # a crash is told in one line
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(seconds)
        _limit(resource.RLIMIT_CORE, 0)
        _limit(resource.RLIMIT_DATA, memory)
        try:
            answer = function(*arguments), None
        except Exception as error:
            answer = None, error
        with open(pipe, 'wb') as file:
            pickle.dump(answer, file, protocol=5)
        os._exit(0)
    finally:
        os._exit(1)


def _limit(which, most):
    _, hard = resource.getrlimit(which)
    resource.setrlimit(which, (most if hard == resource.RLIM_INFINITY else min(most, hard), hard))
