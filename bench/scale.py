"""How the work grows: spectrograms, training and folds, against the number of songs and workers.

python bench/scale.py [songs] [epochs] [folds] [memory] [100 1000 ...]      (all four if none is named; numbers of songs)

The songs are 40 generated ones of 30 s, each found under as many names as are asked for; every process that is measured
is started anew, and its memory is the most that it and its workers had at a time.
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

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path[:0] = [ROOT, os.path.join(ROOT, "tests")]

import essentia
import makeMiniRhythm
import measure
import psutil
from distributed import Client

from mirdl.training.processes import THREADS

essentia.log.infoActive = False      # no greeting

SONGS = 100, 1000, 10000
HOURS = 10**6, 10**8        # songs of which only the arithmetic is shown
SETTINGS = "DS.dataset=Set", "DL.type=oNetOne", "DL.batchSize=50", "folds=3"
START = """if True:
    import os, sys, time
    sys.path.insert(0, {root!r})
    os.environ.setdefault('THEANO_FLAGS', 'floatX=float32')
    import loadDatasets
    from mirdl import settings
    from run import parameters
    parameters = settings.check(settings.override(parameters, sys.argv[1:], tell=lambda line: None))
    start = time.time()
    dataset = loadDatasets.load_dataset(parameters)
    print('seconds', time.time() - start)
    """
FILL = """if True:
    import sys
    sys.path.insert(0, {root!r})
    import numpy as np
    frames = int(sys.argv.pop().removeprefix('frames='))
    from mirdl.spectrograms import cache

    def madeUp(rng, place):
        song = rng.random((40, frames), np.float32)
        song[:, ::(17, 23, 31, 41)[place]] *= 9     # a beat, by which the classes differ
        return song

    def in_parallel(function, calls, *names):
        rng = np.random.default_rng(0)
        tags = sorted({{file.split('/')[-2] for file, _ in calls}})
        return (madeUp(rng, tags.index(file.split('/')[-2])) for file, _ in calls)
    cache.in_parallel = in_parallel
    """ + START.removeprefix("if True:")
EPOCHS = START + """
    import numpy as np
    import buildArchitecture, dl
    from mirdl.training.network import Network
    train, *_ = dl.foldData(dataset, 0, parameters)
    network = Network(buildArchitecture.buildNet, parameters, len(dataset.classes))
    rng, seconds = np.random.RandomState(0), []
    for epoch in range(3):
        start = time.time()
        dl.trainEpoch(network, train, rng, parameters)
        seconds.append(time.time() - start)
    print('chunks', len(train))
    print('seconds', min(seconds))
    """


@contextmanager
def workplace():
    """An empty data folder in the current one."""
    with tempfile.TemporaryDirectory() as folder:
        for name in ("datasets", "preloaded/models", "results"):
            os.makedirs(os.path.join(folder, "data", name))
        before = os.getcwd()
        os.chdir(folder)
        try:
            yield
        finally:
            os.chdir(before)


def makeSongs(count):
    """data/datasets/Set: `count` songs in four classes."""
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
    """What a process printed, as the last value of each first word and whole; with its seconds in all and the MB that it took.

    It calls `before` first.
    """
    start, most = time.time(), 0
    process = psutil.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=before,
                           env={**os.environ, **environment})

    def watch():
        nonlocal most
        with suppress(psutil.Error):
            while process.is_running():
                begin = time.time()
                family = [process, *process.children(recursive=True)]
                most = max(most, sum(_memory(member) for member in family))
                time.sleep(100 * (time.time() - begin))     # the system takes its time to add up a process's pages
    threading.Thread(target=watch, daemon=True).start()
    out, said = process.communicate()
    if process.returncode:
        sys.exit(f"{out}\n{said}")
    found = {words[0]: words[-1] for words in map(str.split, out.splitlines()) if words}
    return {**found, "out": out, "all": time.time() - start, "MB": most / 1e6}


def _memory(process):
    try:
        return process.memory_full_info().pss       # pages that several share count once
    except psutil.Error:
        return 0


def python(code, *arguments, **options):
    return started(sys.executable, "-c", code.format(root=ROOT), *SETTINGS, *arguments, **options)


def original():
    """Songs a second of the original's way: one process, Essentia's standard mode, frame by frame."""
    import essentia.standard as standard
    clips = [os.path.join("data/clips", name) for name in os.listdir("data/clips")]
    start = time.time()
    for clip in clips:
        audio = standard.MonoLoader(filename=clip)()
        window, spectrum, mel = standard.Windowing(type="blackmanharris62"), standard.Spectrum(), standard.MelBands(numberBands=40)
        frames = standard.FrameGenerator(audio, frameSize=2048, hopSize=1024)
        essentia.array([mel(spectrum(window(frame))) for frame in frames]).T
    return len(clips) / (time.time() - start)


def songs():
    """Spectrograms: songs a second and memory, beside the original's loop before and after."""
    print("\n| songs | DS.store | songs/s | the original's loop, songs/s | times | MB |\n| --- | --- | --- | --- | --- | --- |")
    for count in SONGS:
        for place in ("memory", "disk"):
            with workplace():
                makeSongs(count)
                slow = [original()]
                found = python(START, f"DS.store={place}")
                slow = (slow[0] + original()) / 2
                rate = count / float(found["seconds"])
                print(f"| {count} | {place} | {rate:.1f} | {slow:.1f} | {rate / slow:.1f} | {found['MB']:.0f} |", flush=True)
    size = 40 * 1293 * 4
    for many in HOURS:
        print(f"{many:,} songs at {rate:.0f} a second: {many / rate / 3600:.0f} hours here, or {many / rate / 3600 / 24:.1f} such machines for a "
              f"day; {many * size / 1e12:.1f} TB of spectrograms of {many * 30 * 44100 * 2 / 1e12:.1f} TB of wav")


def epochs():
    """Training: seconds an epoch, and memory."""
    print("\n| songs | chunks | DS.store | epoch, s | ms a chunk | MB |\n| --- | --- | --- | --- | --- | --- |")
    for count in SONGS:
        with workplace():
            makeSongs(count)
            for place in ("disk", "memory"):
                python(START, f"DS.store={place}")
                found = python(EPOCHS, f"DS.store={place}")
                seconds, chunks = float(found["seconds"]), int(found["chunks"])
                print(f"| {count} | {chunks} | {place} | {seconds:.3f} | {1e3 * seconds / chunks:.3f} | {found['MB']:.0f} |", flush=True)


@contextmanager
def cluster(count):
    """A Dask scheduler with `count` workers; its file."""
    threads = str(max(1, os.cpu_count() // count))
    processes = []

    def dask(*arguments):
        processes.append(subprocess.Popen(
            [sys.executable, "-m", "dask", *arguments, "--scheduler-file", "scheduler.json", "--no-dashboard"],
            env={**os.environ, "PYTHONPATH": ROOT, "OMP_NUM_THREADS": threads}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
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
    """A cross-validation of 8 folds: one by one, by two workers here, and by two workers of a Dask cluster."""
    print("\n| network | how | s | times one thread | times one by one |\n| --- | --- | --- | --- | --- |")
    for network in networks:
        with workplace():
            makeSongs(160)
            run = (sys.executable, os.path.join(ROOT, "run.py"), "DS.dataset=Set", f"DL.type={network}", "folds=8", "DL.num_epochs=40",
                   "DL.batchSize=10", "chunkHop=100")
            started(*run, "folds=3", "DL.num_epochs=1")       # spectrograms, kernels and the compilation cache
            alone = started(*run, **dict.fromkeys(THREADS, "1"))["all"]
            serial = started(*run)["all"]
            here = started(*run, "workers=2")["all"]
            with cluster(2) as file:
                there = started(*run, f"cluster={file}")["all"]
            for how, seconds, note in (
                    ("one by one, one thread", alone, ""), (f"one by one, {os.cpu_count()} threads", serial, ""), ("workers=2", here, ""),
                    ("cluster of 2", there, f" ({100 * (there / here - 1):+.0f} % to workers=2)")):
                print(f"| {network} | {how} | {seconds:.1f} | {alone / seconds:.2f} | {serial / seconds:.2f}{note} |", flush=True)


GROUPS = ("/sys/fs/cgroup/memory/bench", "memory.limit_in_bytes"), ("/sys/fs/cgroup/bench", "memory.max")


@contextmanager
def limited(most):
    """What a new process is to call so that it and its children have `most` bytes of memory; and what keeps them to it.

    A control group of Linux, which counts the pages that are really there, in its first or second form; where we may not
    make one, the limit of each process's data.
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
    """Training on spectrograms that take `times` the memory which the process may have."""
    frames = 5 * 60 * 44100 // 1024
    count = times * most // (40 * 4 * frames) + 1
    with workplace(), limited(most) as (before, means):
        for song in range(count):
            folder = f"data/datasets/Set/{list(makeMiniRhythm.CLASSES)[song % 4]}"
            os.makedirs(folder, exist_ok=True)
            open(f"{folder}/{song:08}.wav", "w").close()
        print(f"\n{count} songs of 5 minutes, {40 * 4 * frames * count / 2**30:.2f} GiB of spectrograms; "
              f"{most / 2**30:.2f} GiB of memory, by {means}\n\n| step | s | MB |\n| --- | --- | --- |")
        made = python(FILL, "DS.store=disk", f"frames={frames}", before=before)
        print(f"| spectrograms made up and kept | {made['all']:.0f} | {made['MB']:.0f} |", flush=True)
        again = python(START, "DS.store=disk", before=before)
        print(f"| the next start: data set loaded | {float(again['seconds']):.1f} | {again['MB']:.0f} |", flush=True)
        run = started(sys.executable, os.path.join(ROOT, "run.py"), *SETTINGS, "folds=1", "DS.store=disk", "DL.num_epochs=2", before=before)
        seconds, accuracy = re.search(r"2 epochs in (.*) s.* test accuracy (.*) % of chunks", run["out"]).groups()
        print(f"| an epoch: training on 8, validation on 1 of 10 songs | {float(seconds) / 2:.0f} | {run['MB']:.0f} |\n"
              f"Test accuracy after two epochs: {accuracy} % of chunks, in four classes")


if __name__ == "__main__":
    print(measure.machine())
    named = [argument for argument in sys.argv[1:] if not argument.isdigit()]
    SONGS = [int(argument) for argument in sys.argv[1:] if argument.isdigit()] or SONGS
    for part in named or ["songs", "epochs", "folds", "memory"]:
        {"songs": songs, "epochs": epochs, "folds": folds, "memory": memory}[part]()
