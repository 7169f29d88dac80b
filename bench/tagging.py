"""From Enter to the answer: a song of 30 s, and 300 of 7 s beside their decoding alone.

    python bench/tagging.py NAME [predict.py ...]       scripts of other versions, in turn
"""

import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from measure import machine
from scipy.io import wavfile

ROOT = Path(__file__).resolve().parents[1]
RATE, RUNS, SHORT = 44100, 3, 300
DECODE = """
import sys
from mirdl import settings
from mirdl.spectrograms.decoding import spectrogram_of
from mirdl.system.pool import in_parallel
DS = settings.check(settings.published())["DS"]
list(in_parallel(spectrogram_of, [(song, DS) for song in sys.argv[1:]], "songs", "song"))
"""


def main(name, *scripts):
    scripts = scripts or ["predict.py"]
    with tempfile.TemporaryDirectory() as folder:
        songs = [written(folder, f"{number:03}", 7) for number in range(SHORT)]
        one = written(folder, "one", 30)
        tasks = {f"one song, {script}": [script, name, one] for script in scripts}
        tasks |= {f"{SHORT} songs, {script}": [script, name, *songs] for script in scripts}
        tasks[f"{SHORT} songs, decoding alone"] = ["-c", DECODE, *songs]
        figures = {task: [] for task in tasks}
        for _ in range(RUNS):
            for task, arguments in tasks.items():
                figures[task].append(timed(arguments))
    print(machine(), "", "| what | s | s of processors |", "| --- | --- | --- |", sep="\n")
    for task, runs in figures.items():
        clock, used = np.median(runs, axis=0)
        print(f"| {task} | {clock:.2f} | {used:.2f} |")


def written(folder, title, seconds):
    path = os.path.join(folder, f"{title}.wav")
    rng = np.random.RandomState(sum(map(ord, title)))
    wavfile.write(path, RATE, rng.normal(0, 3000, seconds * RATE).astype(np.int16))
    return path


def timed(arguments):
    """Run Python; give the seconds by the clock, and those of all its processes."""
    def used():
        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        return usage.ru_utime + usage.ru_stime
    start, before = time.perf_counter(), used()
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True,
                   env={**os.environ, "PYTHONPATH": str(ROOT)})
    return time.perf_counter() - start, used() - before


if __name__ == "__main__":
    main(*sys.argv[1:])
