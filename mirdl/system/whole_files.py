"""Files that are written completely or not at all."""

import errno
import fcntl
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO

from mirdl.errors import UserError

# The process's umask, which mkstemp ignores. It is read only once, because to read it one must set
# it, for all threads.
UMASK = os.umask(0o077)
os.umask(UMASK)
PARTIAL = re.compile(r"\.(.*)\.[a-z0-9_]{8}\.part", re.DOTALL)      # as `_temporary` names files


@contextmanager
def whole(path: str | os.PathLike, mode: str = "w") -> Iterator[IO]:
    r"""Open a file that takes the name `path` only when all of it is on the disk.

    Parameters
    ----------
    path : str
        The final name. A file of this name stays until the new content is complete.
    mode : {'w', 'wb'}
        As in `open`.

    Raises
    ------
    UserError
        If the folder cannot be written to, or the disk is full. Nothing is left behind.

    Examples
    --------
    >>> with whole("table.txt") as file:
    ...     file.write("accuracy\n")
    """
    folder, name = os.path.split(os.path.abspath(path))
    temporary = None
    try:
        handle, temporary = _temporary(folder, name)
        with os.fdopen(handle, mode, encoding=None if "b" in mode else "utf-8") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o666 & ~UMASK)
            # While the file is locked, because `remove_leftovers` removes one that is not.
            os.replace(temporary, path)
            temporary = None
        sync(folder)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary is not None:
            with suppress(FileNotFoundError):
                os.unlink(temporary)


def remove_leftovers(folder: str | os.PathLike, endings: str | tuple[str, ...] = "") -> None:
    """Remove the partial files that killed processes left in `folder`, but none in use.

    In a folder of the user's, which may hold partial files of other programs, say how the names of
    our files end there.
    """
    for name in os.listdir(folder):
        partial = PARTIAL.fullmatch(name)
        if partial and partial[1].endswith(endings):
            path = os.path.join(folder, name)
            with suppress(OSError), open(path) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(path)


def is_still(handle: int, path: str | os.PathLike) -> bool:
    """Return whether `path` is still the file that was opened as `handle`."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def cannot_write(path: str | os.PathLike, error: OSError) -> UserError:
    """Turn an `OSError` met while `path` was written into a `UserError` that says what to do."""
    advice = ("choose a shorter name" if error.errno == errno.ENAMETOOLONG else
              "free some space or change the permissions of its folder")
    return UserError(f"cannot write {os.fspath(path)!r}: {error.strerror or error}; {advice}, then "
                     "run again")


def make_folder(path: str | os.PathLike) -> None:
    """Make the folder `path`, and those above it, and check that files can be made in it.

    Raises
    ------
    UserError
        If that fails.
    """
    try:
        os.makedirs(path, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise cannot_write(path, error) from error


def sync(path: str | os.PathLike) -> None:
    """Put a file, or the names in a folder, on the disk, so that no power cut loses them.

    What they replace (states, an older store) is removed only after that.
    """
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _temporary(folder: str, name: str) -> tuple[int, str]:
    """Make a temporary file for the file `name`.

    Returns
    -------
    handle : int
        It holds a lock on the file as long as the writer lives.
    path : str
    """
    while True:
        end = os.fsdecode(os.fsencode(name)[-100:])     # bytes: a name may take 255 of them
        handle, path = tempfile.mkstemp(prefix=f".{end}.", suffix=".part", dir=folder)
        with suppress(OSError):     # a file system without locks: then no leftovers are removed
            fcntl.flock(handle, fcntl.LOCK_SH)
        if is_still(handle, path):
            return handle, path
        os.close(handle)        # removed before it was locked
