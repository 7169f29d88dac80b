"""Locks between processes, that the system lets go of when their holder ends, however it ends."""

import fcntl
import os
import time
from contextlib import contextmanager, suppress

from mirdl.system.whole_files import cannot_write, is_still


@contextmanager
def locked(path, when_taken):
    """Hold the lock file `path`; it is there only meanwhile.

    Parameters
    ----------
    path : str
    when_taken : callable
        Called if another process holds it: it may raise; if it returns, the lock is waited for.

    Raises
    ------
    UserError
        If the file cannot be made.
    """
    while True:
        try:
            file = open(path, "a")
        except OSError as error:
            raise cannot_write(path, error) from error
        if not (_take(file) or _take(file, after=0.05)):     # the second time `is_held` has let go of it
            with file:
                when_taken()
                fcntl.flock(file, fcntl.LOCK_EX)
            continue        # the former holder has removed the file: lock the new one
        if is_still(file.fileno(), path):
            break
        file.close()
    with file:
        try:
            yield
        finally:
            os.unlink(path)


def _take(file, after=0, how=fcntl.LOCK_EX):
    """Take the lock of an open file after so many seconds; whether nobody else has it."""
    time.sleep(after)
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(path):
    """Whether a process holds the lock file `path`."""
    with suppress(FileNotFoundError), open(path) as file:
        return not _take(file, how=fcntl.LOCK_SH)
    return False
