"""What the benches share: alternating runs, the machine's own rate, its name, memory."""

import os
import platform
import resource
import time
from importlib.metadata import PackageNotFoundError, version
from statistics import median

import numpy as np


def alternate(runs, seconds=3.0, at_least=3):
    """Median seconds of each function of the dict `runs`, called in turn until `seconds` per function are spent.

    In turn, so that a disturbance of the machine hits all of them; after a pause, for the threads of
    OpenBLAS and PyTorch wait for more work at full speed for a while, and would disturb the next one.
    """
    for run in runs.values():
        run()                                            # compiles
    times = {name: [] for name in runs}
    end = time.perf_counter() + seconds * len(runs)
    while time.perf_counter() < end or len(times[name]) < at_least:
        for name, run in runs.items():
            time.sleep(0.05)
            start = time.perf_counter()
            run()
            times[name].append(time.perf_counter() - start)
    return {name: median(values) for name, values in times.items()}


def sgemm(size=1536):
    """A float32 matrix product in NumPy, and its GFLOP."""
    a, b = np.random.RandomState(0).standard_normal((2, size, size)).astype("float32")
    return lambda: a @ b, 2e-9 * size ** 3


def machine():
    """One line: processor, cores, versions."""
    name = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as file:
            name = next((line.split(":")[1].strip() for line in file if line.startswith("model name")), name)
    versions = []
    for package in ("jax", "pytensor", "numba", "numpy", "torch"):
        try:
            versions.append(f"{package} {version(package)}")
        except PackageNotFoundError:
            versions.append(f"no {package}")
    return f"{name}, {os.cpu_count()} cores; Python {platform.python_version()}, " + ", ".join(versions)


def extra_memory(run):
    """Bytes by which the process is at most larger while `run` runs than before; None but on Linux."""
    try:
        with open("/proc/self/clear_refs", "w") as file:
            file.write("5")                              # the peak begins anew
        before = _status("VmRSS")
        run()
        return _status("VmHWM") - before
    except OSError:
        return None


def _status(key):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith(key))


def user_seconds():
    """Processor seconds that this process has used: less disturbed by others than the clock."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime
