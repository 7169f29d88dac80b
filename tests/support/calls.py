"""Calls for the tests of workers, in a module that worker processes can import."""

import os
import signal
from dataclasses import dataclass

from mirdl.training import processes


@dataclass
class Call:
    number: int
    folder: str = ""

    @property
    def title(self):
        return f"call {self.number}"


def square(call):
    print("squared", call.number)
    return call.number ** 2


def divide(call):
    return 1 // call.number


def threads(call):
    return os.getpid(), [os.environ[name] for name in processes.THREADS]


def die(call):
    """End this process, the first two times that this is called with number 1."""
    marks = [os.path.join(call.folder, f"died {time}") for time in range(2)]
    for mark in marks:
        if call.number == 1 and not os.path.exists(mark):
            open(mark, "w").close()
            signal.raise_signal(signal.SIGKILL)
    return call.number


def dieAlways(call):
    return signal.raise_signal(signal.SIGKILL) if call.number == 1 else call.number
