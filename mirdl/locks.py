"""Locks between processes, that the system lets go of when their holder ends, however it ends."""

import fcntl
import os
from contextlib import contextmanager, suppress

from mirdl.files import cannotWrite, isStill


@contextmanager
def locked(path, whenTaken):
    """Hold the lock file `path`; it is there only meanwhile.

    Parameters
    ----------
    path : str
    whenTaken : callable
        Called if another process holds it: it may raise; if it returns, the lock is waited for.

    Raises
    ------
    UserError
        If the file cannot be made.
    """
    while True:
        try:
            file = open(path, 'a')
        except OSError as error:
            raise cannotWrite(path, error) from error
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            with file:
                whenTaken()
                fcntl.flock(file, fcntl.LOCK_EX)
            continue        # the former holder has removed the file: lock the new one
        if isStill(file.fileno(), path):
            break
        file.close()
    with file:
        try:
            yield
        finally:
            os.unlink(path)


def isHeld(path):
    """Whether a process holds the lock file `path`."""
    with suppress(FileNotFoundError), open(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False
