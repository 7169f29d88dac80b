"""How the work grows with the number of songs and workers: spectrograms, training, folds, memory.

python bench/scale.py [songs] [epochs] [folds] [memory] [100 1000 ...]
                            all four parts if none is named; the numbers are numbers of songs

The songs are 40 generated ones of 30 s, linked under as many names as needed. Every measurement is
made in a new process. Its memory is the most that the process and its workers use at a time.
"""

import os
import re
import resource
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import contextmanager, suppress

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(1, os.path.join(sys.path[0], "tests"))

import essentia
import makeMiniRhythm
import measure
import psutil
from distributed import Client

from mirdl.training.processes import THREADS

essentia.log.infoActive = False     # no greeting

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
SONGS = 100, 1000, 10000
MANY = 10**6, 10**8         # numbers of songs for which hours are calculated, not measured
SETTINGS = "DS.dataset=Set", "DL.type=oNetOne", "DL.batchSize=50", "folds=3"
START = """if True:
    import os, sys, time
    sys.path.insert(0, {root!r})
    os.environ.setdefault('THEANO_FLAGS', 'floatX=float32')
    import loadDatasets
    from mirdl import settings
    parameters, execution = settings.divide(settings.check(settings.override(
        settings.published(), sys.argv[1:], tell=lambda line: None)))
    start = time.time()
    dataset = loadDatasets.load_dataset(parameters, store=execution['DS.store'])
    print('seconds', time.time() - start)
    """
FILL = """if True:
    import sys
    sys.path.insert(0, {root!r})
    import numpy as np
    frames = int(sys.argv.pop().removeprefix('frames='))
    from mirdl.spectrograms import cache

    def random_song(rng, tag):
        song = rng.random((40, frames), np.float32)
        song[:, ::(17, 23, 31, 41)[tag]] *= 9       # a beat, in which the classes differ
        return song

    def in_parallel(function, calls, *names):
        rng = np.random.default_rng(0)
        tags = sorted({{file.split('/')[-2] for file, _ in calls}})
        return ((random_song(rng, tags.index(file.split('/')[-2])), '') for file, _ in calls)
    cache.in_parallel = in_parallel
    """ + START.removeprefix("if True:")
EPOCHS = START + """
    import numpy as np
    import buildArchitecture, dl
    from mirdl.training.network import Network
    train = loadDatasets.foldOf(dataset, 0, parameters).train
    network = Network(buildArchitecture.buildNet, parameters, len(dataset.classes))
    rng, seconds = np.random.RandomState(0), []
    for epoch in range(3):
        start = time.time()
        dl.trainEpoch(network, train, rng)
        seconds.append(time.time() - start)
    print('chunks', len(train))
    print('seconds', min(seconds))
    """


@contextmanager
def workplace():
    """Make an empty data folder in a temporary folder, which becomes the current one."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("datasets", "preloaded/models", "results"):
            os.makedirs(os.path.join(folder, "data", name))
        before = os.getcwd()
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def make_songs(count):
    """Make data/datasets/Set: `count` songs in four classes."""
    os.makedirs("data/clips", exist_ok=True)
    for song in range(count):
        number, clip = song % 4, song // 4 % makeMiniRhythm.CLIPS
        source = os.path.abspath(f"data/clips/{number}_{clip}.wav")
        if not os.path.exists(source):
            makeMiniRhythm.write_wav(source, makeMiniRhythm.clip(number, clip))
        folder = f"data/datasets/Set/{list(makeMiniRhythm.CLASSES)[number]}"
        os.makedirs(folder, exist_ok=True)
        with suppress(FileExistsError):
            os.symlink(source, f"{folder}/{song:08}.wav")


def started(*command, before=None, **environment):
    """Run a process to its end, and exit if it fails.

    Parameters
    ----------
    *command : str
    before : callable or None
        Called first in the process.
    **environment
        Environment variables to set.

    Returns
    -------
    dict
        'out': what it printed; 'all': its seconds; 'MB': the most memory of it and its children.
        Also, for each line that it printed, the first word -> the last word.
    """
    start, most = time.time(), 0
    process = psutil.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                           preexec_fn=before, env={**os.environ, **environment})

    def watch():
        nonlocal most
        with suppress(psutil.Error):
            while process.is_running():
                begin = time.time()
                family = [process, *process.children(recursive=True)]
                most = max(most, sum(_memory(member) for member in family))
                # The system is slow to add up a process's pages; take 1 % of its time at most.
                time.sleep(100 * (time.time() - begin))

    threading.Thread(target=watch, daemon=True).start()
    out, errors = process.communicate()
    if process.returncode:
        sys.exit(f"{out}\n{errors}")
    found = {words[0]: words[-1] for words in map(str.split, out.splitlines()) if words}
    return {**found, "out": out, "all": time.time() - start, "MB": most / 1e6}


def _memory(process):
    try:
        return process.memory_full_info().pss       # pages that several share count once
    except psutil.Error:
        return 0


def python(code, *arguments, **options):
    """Run Python code to its end; see `started`."""
    return started(sys.executable, "-c", code.format(root=ROOT), *SETTINGS, *arguments, **options)


def original():
    """Measure songs a second as the original works: one process, frame by frame, in Essentia."""
    import essentia.standard as standard
    clips = [os.path.join("data/clips", name) for name in os.listdir("data/clips")]
    start = time.time()
    for clip in clips:
        audio = standard.MonoLoader(filename=clip)()
        window, spectrum = standard.Windowing(type="blackmanharris62"), standard.Spectrum()
        mel = standard.MelBands(numberBands=40)
        frames = standard.FrameGenerator(audio, frameSize=2048, hopSize=1024)
        _ = essentia.array([mel(spectrum(window(frame))) for frame in frames]).T
    return len(clips) / (time.time() - start)


def songs():
    """Print a table of spectrograms: songs a second and memory, beside the original's loop."""
    print("\n| songs | DS.store | songs/s | the original's loop, songs/s | times | MB |"
          "\n| --- | --- | --- | --- | --- | --- |")
    for count in SONGS:
        for place in ("memory", "disk"):
            with workplace():
                make_songs(count)
                before = original()
                found = python(START, f"DS.store={place}")
                slow = (before + original()) / 2
                rate = count / float(found["seconds"])
                print(f"| {count} | {place} | {rate:.1f} | {slow:.1f} | {rate / slow:.1f} "
                      f"| {found['MB']:.0f} |", flush=True)
    size = 40 * 1293 * 4
    for many in MANY:
        hours = many / rate / 3600
        print(f"{many:,} songs at {rate:.0f} a second: {hours:.0f} hours here, or {hours / 24:.1f} "
              f"such machines for a day; {many * size / 1e12:.1f} TB of spectrograms "
              f"of {many * 30 * 44100 * 2 / 1e12:.1f} TB of wav")


def epochs():
    """Print a table of training: seconds an epoch, and memory."""
    print("\n| songs | chunks | DS.store | epoch, s | ms a chunk | MB |"
          "\n| --- | --- | --- | --- | --- | --- |")
    for count in SONGS:
        with workplace():
            make_songs(count)
            for place in ("disk", "memory"):
                python(START, f"DS.store={place}")
                found = python(EPOCHS, f"DS.store={place}")
                seconds, chunks = float(found["seconds"]), int(found["chunks"])
                print(f"| {count} | {chunks} | {place} | {seconds:.3f} "
                      f"| {1e3 * seconds / chunks:.3f} | {found['MB']:.0f} |", flush=True)


@contextmanager
def cluster(count):
    """Run a Dask scheduler with `count` workers, and yield the path of its file."""
    threads = str(max(1, os.cpu_count() // count))
    processes = []

    def dask(*arguments):
        processes.append(subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments,
             "--scheduler-file", "scheduler.json", "--no-dashboard"],
            env={**os.environ, "PYTHONPATH": ROOT, "OMP_NUM_THREADS": threads},
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    try:
        dask("scheduler", "--host", "127.0.0.1", "--port", "0")
        for _ in range(count):
            dask("worker", "--nthreads", "1")
        with Client(scheduler_file="scheduler.json", timeout=60, set_as_default=False) as client:
            client.wait_for_workers(count)
        yield os.path.abspath("scheduler.json")
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def folds(networks=("oNetOne", "pNetOne")):
    """Print a table of 8 folds: one by one, by two workers here, and on a Dask cluster of two."""
    print("\n| network | how | s | times one thread | times one by one |"
          "\n| --- | --- | --- | --- | --- |")
    for network in networks:
        with workplace():
            make_songs(160)
            run = (sys.executable, os.path.join(ROOT, "run.py"), "DS.dataset=Set",
                   f"DL.type={network}", "folds=8", "DL.num_epochs=40", "DL.batchSize=10",
                   "chunkHop=100")
            # Makes spectrograms, kernels and the compilation cache.
            started(*run, "folds=3", "DL.num_epochs=1")
            alone = started(*run, **dict.fromkeys(THREADS, "1"))["all"]
            serial = started(*run)["all"]
            here = started(*run, "workers=2")["all"]
            with cluster(2) as file:
                there = started(*run, f"cluster={file}")["all"]
            more = f" ({100 * (there / here - 1):+.0f} % to workers=2)"
            for how, seconds, note in (
                    ("one by one, one thread", alone, ""),
                    (f"one by one, {os.cpu_count()} threads", serial, ""),
                    ("workers=2", here, ""),
                    ("cluster of 2", there, more)):
                print(f"| {network} | {how} | {seconds:.1f} | {alone / seconds:.2f} "
                      f"| {serial / seconds:.2f}{note} |", flush=True)


# A control group of Linux and the name of its limit, in version 1 and version 2.
GROUPS = (("/sys/fs/cgroup/memory/bench", "memory.limit_in_bytes"),
          ("/sys/fs/cgroup/bench", "memory.max"))


@contextmanager
def limited(most):
    """Limit the memory of new processes.

    A control group of Linux counts the pages that are in use. If we may not make one, the data of
    each process is limited.

    Parameters
    ----------
    most : int
        Bytes for a process and its children.

    Yields
    ------
    before : callable
        The new process must call it first.
    how : str
        What limits the memory.
    """
    group = next((group for group, limit in GROUPS if _made(group, limit, most)), None)
    if not group:
        yield lambda: resource.setrlimit(resource.RLIMIT_DATA, (most, most)), "ulimit -d"
        return
    try:
        yield lambda: _write(f"{group}/cgroup.procs", os.getpid()), "a control group"
    finally:
        os.rmdir(group)


def _made(group, limit, most):
    try:
        os.mkdir(group)
    except OSError:
        return False
    try:
        _write(f"{group}/{limit}", most)
        return True
    except OSError:
        os.rmdir(group)
        return False


def _write(path, value):
    with open(path, "r+") as file:
        file.write(str(value))


def memory(most=2**30, times=8):
    """Train on spectrograms that take `times` the memory which the process may use."""
    frames = 5 * 60 * 44100 // 1024
    size = 40 * 4 * frames
    count = times * most // size + 1
    with workplace(), limited(most) as (before, how):
        for song in range(count):
            folder = f"data/datasets/Set/{list(makeMiniRhythm.CLASSES)[song % 4]}"
            os.makedirs(folder, exist_ok=True)
            open(f"{folder}/{song:08}.wav", "w").close()
        print(f"\n{count} songs of 5 minutes, {size * count / 2**30:.2f} GiB of spectrograms; "
              f"{most / 2**30:.2f} GiB of memory, by {how}\n"
              "\n| step | s | MB |\n| --- | --- | --- |")
        made = python(FILL, "DS.store=disk", f"frames={frames}", before=before)
        print(f"| spectrograms made up and kept | {made['all']:.0f} | {made['MB']:.0f} |",
              flush=True)
        again = python(START, "DS.store=disk", before=before)
        print(f"| the next start: data set loaded | {float(again['seconds']):.1f} "
              f"| {again['MB']:.0f} |", flush=True)
        run = started(sys.executable, os.path.join(ROOT, "run.py"), *SETTINGS, "folds=1",
                      "DS.store=disk", "DL.num_epochs=2", before=before)
        pattern = r"2 epochs in (.*) s.* test accuracy (.*) % of chunks"
        seconds, accuracy = re.search(pattern, run["out"]).groups()
        print(f"| an epoch: training on 8, validation on 1 of 10 songs | {float(seconds) / 2:.0f} "
              f"| {run['MB']:.0f} |\n"
              f"Test accuracy after two epochs: {accuracy} % of chunks, in four classes")


if __name__ == "__main__":
    print(measure.machine())
    named = [argument for argument in sys.argv[1:] if not argument.isdigit()]
    SONGS = [int(argument) for argument in sys.argv[1:] if argument.isdigit()] or SONGS
    parts = {"songs": songs, "epochs": epochs, "folds": folds, "memory": memory}
    for part in named or parts:
        parts[part]()
