"""Locks between processes, which are free again when their holder ends, even by a kill.

They are the system's own (flock). On a file system without these (some NFS and Lustre mounts) the
lock file holds who made it: host, process and the time at which that process started.
"""

import errno
import fcntl
import os
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from mirdl.errors import UserError
from mirdl.system.whole_files import cannot_write, is_still

UNSUPPORTED = errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP
PAUSE = 0.2     # seconds from one look at another process's lock file to the next


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
        If the file cannot be made; where there is no flock, also if a process on another host
        holds the lock, because nobody can tell from here whether that process has ended.
    """
    take = _flocked if _has_flock(path) else _owned
    with take(path, when_held):
        try:
            yield
        finally:
            os.unlink(path)


def is_held(path: str) -> bool:
    """Return whether a process holds the lock file `path`."""
    with suppress(FileNotFoundError):
        if not _has_flock(path):
            return _is_alive(Path(path).read_text())
        with open(path) as file:
            return not _try(file, how=fcntl.LOCK_SH)
    return False


def _has_flock(path: str) -> bool:
    """Return whether the file system of `path` has the system's locks."""
    try:
        with tempfile.TemporaryFile(dir=os.path.dirname(os.path.abspath(path))) as file:
            fcntl.flock(file, fcntl.LOCK_SH)
    except OSError as error:
        return error.errno not in UNSUPPORTED
    return True


@contextmanager
def _flocked(path: str, when_held: Callable[[], object]) -> Iterator[None]:
    while True:
        with _open(path) as file:
            # A second try, because `is_held` takes the lock for an instant.
            if not (_try(file) or _try(file, after=0.05)):
                when_held()
                fcntl.flock(file, fcntl.LOCK_EX)    # its holder has removed the file: lock anew
            elif is_still(file.fileno(), path):
                yield
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


@contextmanager
def _owned(path: str, when_held: Callable[[], object]) -> Iterator[None]:
    while not _make(path):
        with suppress(FileNotFoundError):       # its owner has ended just now
            owner = Path(path).read_text()
            if not _is_alive(owner):
                _remove(path, owner)
            elif owner.split()[:1] != [socket.gethostname()]:
                raise UserError(f"{path!r} is held by a process on another host ({owner}); wait "
                                "for it, or remove this file if that process has ended")
            else:
                when_held()
                while Path(path).read_text() == owner and _is_alive(owner):
                    time.sleep(PAUSE)
    yield


def _make(path: str) -> bool:
    """Make the lock file with this process as its owner; return False if it exists already."""
    own = f"{path}.{socket.gethostname()}.{os.getpid()}"
    try:
        Path(own).write_text(_owner(os.getpid()))
        os.link(own, path)      # at once with its content
    except FileExistsError:
        return False
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(FileNotFoundError):
            os.unlink(own)
    return True


def _remove(path: str, owner: str) -> None:
    """Remove the lock file of an owner that has ended, but not that of a faster process."""
    aside = f"{path}.ended.{socket.gethostname()}.{os.getpid()}"
    os.rename(path, aside)
    if Path(aside).read_text() == owner:
        os.unlink(aside)
    else:
        os.rename(aside, path)


def _owner(pid: int) -> str:
    """Return host, process and start time (clock ticks since the host was started)."""
    # the name of the program, in parentheses, may hold blanks
    started = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    return f"{socket.gethostname()} {pid} {started}"


def _is_alive(owner: str) -> bool:
    """Return whether the owner of a lock file may still run; on another host it may."""
    host, _, process = owner.partition(" ")
    if host != socket.gethostname():
        return bool(owner)
    with suppress(OSError, ValueError, IndexError):
        return _owner(int(process.split()[0])) == owner
    return False
