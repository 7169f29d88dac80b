"""bench/gpu.py in small, and its refusal; the other benches are run by hand."""

import os
import re

import numpy as np
import pytest

pytestmark = pytest.mark.slow


def test_the_bench_of_a_gpu_runs_in_small_on_the_cpu(script, tmp_path):
    done = script("bench/gpu.py", "small", f"out={tmp_path / 'figures'}")
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "figures" / "tables.md").read_text() == done.stdout
    assert re.search(r" \d+ passed.* in ", done.stdout)
    assert " passed" in (tmp_path / "figures" / "tests.txt").read_text()
    assert "A trial on the CPU: no figure below means anything for a GPU" in done.stdout
    rows = [[cell.strip() for cell in line.split("|")[1:-1]]
            for line in done.stdout.splitlines() if line.startswith("|")]
    steps = [row for row in rows if row[0] in ("epoch in one call", "a call for each step")]
    figures = np.array([[row[2], row[3], row[4], row[6]] for row in steps], float)
    assert len(steps) == 2 and (figures > 0).all() and figures[0, 1] == 1
    assert re.search("The training of 3 folds x 4 epochs has 12 such steps|"
                     "PyTorch is not installed", done.stdout)
    folds = [row[:2] for row in rows if row[0] in ("together", "one by one")]
    assert folds == [["together", "12"], ["one by one", "6"]]
    kernels = rows[[row[0] for row in rows].index("kernel") + 2:-4]
    milliseconds = [float(row[2]) for row in kernels]
    assert len(kernels) == 15 and milliseconds == sorted(milliseconds, reverse=True)


def test_without_a_gpu_it_is_refused(script, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = script("bench/gpu.py", env={**os.environ, "JAX_PLATFORMS": "cpu"})
    assert done.returncode == 1
    message = ("error: device=gpu: JAX finds no such GPU .*; bench/README.md says what this bench "
               "needs, and python bench/gpu.py small tries it out on a CPU")
    assert re.fullmatch(message, done.stderr.strip())
    message = ("error: folder: expected small, tests, steps, kernels, folds, out=FOLDER, "
               "or nothing\n")
    assert script("bench/gpu.py", "folder").stderr == message
    assert script("bench/gpu.py", f"out={tmp_path}").stderr == (
        f"error: out={tmp_path} is there already; choose a new folder\n")
    assert not os.listdir()
