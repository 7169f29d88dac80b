"""What the benches share: alternating runs, the machine's name and speed, memory."""

import os
import platform
import resource
import time
from importlib.metadata import PackageNotFoundError, version
from statistics import median

import numpy as np


def alternate(runs, seconds=3.0, at_least=3):
    """Measure functions in turn, so that a disturbance of the machine affects all of them.

    There is a pause before each call, because the threads of OpenBLAS and PyTorch keep a core busy
    for a while after their work, which would slow down the next function.

    Parameters
    ----------
    runs : dict of str to callable
    seconds : float
        The time to spend for each function.
    at_least : int
        Calls of each function, at least.

    Returns
    -------
    dict of str to float
        Median seconds of each function.
    """
    for run in runs.values():
        run()       # compiles
    times = {name: [] for name in runs}
    end = time.perf_counter() + seconds * len(runs)
    while time.perf_counter() < end or min(map(len, times.values())) < at_least:
        for name, run in runs.items():
            time.sleep(0.05)
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in times.items()}


def sgemm(size=1536):
    """Return a function that multiplies float32 matrices in NumPy, and its GFLOP."""
    a, b = np.random.RandomState(0).standard_normal((2, size, size)).astype("float32")
    return lambda: a @ b, 2e-9 * size ** 3


def machine():
    """Describe processor, cores and versions in a line."""
    name = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            models = [line.split(":")[1].strip() for line in file if line.startswith("model name")]
            name = next(iter(models), name)
    versions = []
    for package in ("jax", "pytensor", "numba", "numpy", "torch"):
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"no {package}")
    python = platform.python_version()
    return f"{name}, {os.cpu_count()} cores; Python {python}, " + ", ".join(versions)


def extra_memory(run):
    """Return by how many bytes the process grows at most while `run` runs; None if not on Linux."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")     # resets the peak
        before = _status("VmRSS")
        run()
        return _status("VmHWM") - before
    except OSError:
        return None


def _status(key):
    with open("/proc/self/status") as file:
        [line] = [line for line in file if line.startswith(key)]
        return int(line.split()[1]) * 1024


def user_seconds():
    """Return the processor seconds that this process has used; others affect them less."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
