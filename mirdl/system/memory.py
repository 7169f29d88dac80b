"""How much memory a process may take."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import PurePosixPath

ROOT = "/"      # the folder that holds proc and sys
# Where Linux keeps the limit of a control group, by the name of its controller. In version 2 of
# control groups there is one hierarchy, whose name is empty.
LIMITS = {
    "": "sys/fs/cgroup{group}/memory.max",
    "memory": "sys/fs/cgroup/memory{group}/memory.limit_in_bytes",
}


def memory() -> int:
    """Return the memory of the machine, or of its container or batch job if that is less.

    Returns
    -------
    int
        Bytes.
    """
    least = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    for path in _limits():
        # A container does not see the groups outside it, and a limit may be the word 'max'.
        with suppress(OSError, ValueError), open(path) as file:
            least = min(least, int(file.read()))
    return least


def _limits() -> Iterator[str]:
    """Find the files with the limits of this process's control group and of those above it."""
    with suppress(OSError), open(os.path.join(ROOT, "proc/self/cgroup")) as file:
        for line in file:
            _, controllers, group = line.strip().split(":", 2)
            for controller in LIMITS.keys() & controllers.split(","):
                for above in (group, *PurePosixPath(group).parents):
                    yield os.path.join(ROOT, LIMITS[controller].format(group=above))
