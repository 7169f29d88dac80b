"""Locks between processes, which the system releases when their holder ends, even by a kill."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

from mirdl.system.whole_files import cannot_write, is_still


@contextmanager
def locked(path: str, when_held: Callable[[], object]) -> Iterator[None]:
    """Hold the lock file `path`, which exists only as long as the lock is held.

    Parameters
    ----------
    path : str
    when_held : callable
        Called without arguments if another process holds the lock. It may raise; if it returns,
        the lock is waited for.

    Raises
    ------
    UserError
        If the file cannot be made.
    """
    while True:
        with _open(path) as file:
            # A second try, because `is_held` takes the lock for an instant.
            if not (_try(file) or _try(file, after=0.05)):
                when_held()
                fcntl.flock(file, fcntl.LOCK_EX)    # its holder has removed the file: lock anew
            elif is_still(file.fileno(), path):
                try:
                    yield
                finally:
                    os.unlink(path)
                return


def _open(path: str) -> TextIO:
    try:
        return open(path, "a")
    except OSError as error:
        raise cannot_write(path, error) from error


def _try(file: TextIO, after: float = 0, how: int = fcntl.LOCK_EX) -> bool:
    """Try to lock an open file after so many seconds; return whether this succeeded."""
    time.sleep(after)
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def is_held(path: str) -> bool:
    """Return whether a process holds the lock file `path`."""
    with suppress(FileNotFoundError), open(path) as file:
        return not _try(file, how=fcntl.LOCK_SH)
    return False
