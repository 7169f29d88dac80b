"""Files that are there whole or not at all."""

import fcntl
import os
import tempfile
from contextlib import contextmanager, suppress

from mirdl.errors import UserError

# of the process, which mkstemp does not heed. Read once: to read it is to set it, for all threads
UMASK = os.umask(0o077)
os.umask(UMASK)


@contextmanager
def whole(path, mode="w"):
    """Open a file that takes the name `path` only once all of it is on the disk.

    Parameters
    ----------
    path : str
        The final name. What stood there before stays until the new content is complete.
    mode : {'w', 'wb'}
        As in `open`.

    Raises
    ------
    UserError
        If the folder cannot be written to, or the disk is full. Nothing is left behind.

    Examples
    --------
    >>> with whole('table.txt') as file:
    ...     file.write('accuracy\\n')
    """
    folder, name = os.path.split(os.path.abspath(path))
    temporary = None
    try:
        handle, temporary = _temporary(folder, name)
        with os.fdopen(handle, mode, **({} if "b" in mode else {"encoding": "utf-8"})) as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            os.fchmod(file.fileno(), 0o666 & ~UMASK)
            os.replace(temporary, path)     # while the file is locked: `remove_leftovers` takes one that is not
            temporary = None
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        if temporary is not None:
            with suppress(FileNotFoundError):
                os.unlink(temporary)


def remove_leftovers(folder):
    """Remove the half-written files that killed processes left in `folder`; those that are being written stay."""
    for name in os.listdir(folder):
        if name.startswith(".") and name.endswith(".part"):
            path = os.path.join(folder, name)
            with suppress(OSError), open(path) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                os.unlink(path)


def is_still(handle, path):
    """Whether `path` is still the file that was opened as `handle`."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path))
    except FileNotFoundError:
        return False


def cannot_write(path, error):
    """The `UserError` for an `OSError` met while `path` was written."""
    return UserError(f"cannot write {os.fspath(path)!r}: {error.strerror or error}; "
                     "free some space or change the permissions of its folder, then run again")


def make_folder(path):
    """Make the folder `path` (with those above it) if it is missing, and check that files can be made in it."""
    try:
        os.makedirs(path, exist_ok=True)
        with tempfile.TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise cannot_write(path, error) from error


def _temporary(folder, name):
    """A new file for what is to become `name`: its handle, locked as long as its writer lives, and its path."""
    while True:
        handle, path = tempfile.mkstemp(prefix=f".{name[:100]}.", suffix=".part", dir=folder)
        fcntl.flock(handle, fcntl.LOCK_SH)
        if is_still(handle, path):
            return handle, path
        os.close(handle)        # removed before it was locked
