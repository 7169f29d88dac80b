"""How much memory a process may take."""

import os
from contextlib import suppress
from pathlib import PurePosixPath

# where a control group's limit stands, by the name of its controller; '' is that of all, in version 2 of control groups
LIMITS = {"": "sys/fs/cgroup{group}/memory.max", "memory": "sys/fs/cgroup/memory{group}/memory.limit_in_bytes"}


def memory(root="/"):
    """Bytes of the machine's memory, or of the limit that a container or batch job sets, where that is less.

    Parameters
    ----------
    root : str
        The folder in which proc and sys are.

    Returns
    -------
    int
    """
    least = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in _limits(root):
        with suppress(OSError, ValueError):     # in a container the groups outside are out of sight; a limit may be 'max'
            with open(path) as file:
                least = min(least, int(file.read()))
    return least


def _limits(root):
    """The files with the limits of this process's control group and of those above it, which hold as well."""
    with suppress(OSError), open(os.path.join(root, "proc/self/cgroup")) as file:
        for line in file:
            _, controllers, group = line.strip().split(":", 2)
            for controller in LIMITS.keys() & controllers.split(","):
                for above in (group, *PurePosixPath(group).parents):
                    yield os.path.join(root, LIMITS[controller].format(group=above))
