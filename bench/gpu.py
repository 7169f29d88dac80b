"""On a GPU: the tests, a training step beside PyTorch, its kernels, a whole cross-validation.

python bench/gpu.py [tests] [steps] [kernels] [folds]   (all four if none is named)
python bench/gpu.py small ...                           a small version on the CPU, to see that it
                                                        works: its figures mean nothing for a GPU

What is printed goes to a new folder gpu-DATE-TIME, too: to tables.md, each part as soon as it is
done, and the tests' own words to tests.txt. out=FOLDER chooses another folder.

The songs are made up, as many and as long as Ballroom's: 698 of 1292 frames and 40 bands in 8
classes. Each form is measured in a separate process, which has the card to itself and finds nothing
compiled. The network is oNetEightpNetEight.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import chdir, redirect_stdout, suppress
from datetime import date
from importlib.util import find_spec
from operator import itemgetter
from pathlib import Path
from types import SimpleNamespace

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import measure
import numpy as np

from mirdl.errors import exit_on_user_error
from mirdl.theano_flags import start_theano

ROOT = Path(__file__).resolve().parent.parent
FRAMES, BANDS, CLASSES = 1292, 40, 8
# Theano's flags beside the device, under their names in the tables
FLAGS = {"float32": "", "TF32": "nvcc.fastmath=True",
         "float32, deterministic=more": "deterministic=more"}
EAGER, COMPILED = "PyTorch eager", "torch.compile"
TESTS = ["tests/theano", "tests/filterbank", "tests/test_buildArchitecture.py",
         *(f"tests/mirdl/training/test_{name}.py" for name in ("network", "on_device", "lockstep"))]
SIZES = {
    "": SimpleNamespace(
        network="oNetEightpNetEight", songs=698, folds=10, epochs=250, few=25, product=8192,
        seconds=5, flags=list(FLAGS), device="device=gpu,force_device=True",
        # torch.compile takes minutes, so it is measured only in its faster precision
        peers=[("float32", EAGER), ("TF32", EAGER), ("TF32", COMPILED)],
        tests=TESTS, tested="device=cuda,deterministic=more"),
    "small": SimpleNamespace(
        network="oNetOne", songs=48, folds=3, epochs=4, few=2, product=256,
        seconds=0.2, flags=["float32"], device="device=cpu",
        peers=[("float32", EAGER), ("float32", COMPILED)],
        tests=TESTS[-2:-1], tested="device=cpu"),
}
LIMIT = 120             # seconds that a peer may take
TESTS_LIMIT = 240       # and the tests
MOST_KERNELS = 15       # that are shown


# ---- what each process measures ------------------------------------------------------------------

def songs(count):
    """Make up a data set whose classes differ in the distance of their beats."""
    from mirdl.songs.dataset import DataSet
    rng, frames = np.random.RandomState(0), np.arange(FRAMES)
    labels = rng.permutation(np.arange(count) % CLASSES).astype(np.uint8)
    spectrograms = []
    for label in labels:
        period = 12 + 4 * label
        beats = (frames - rng.randint(period)) % period < 2
        spectrograms.append((rng.standard_normal((BANDS, FRAMES)) + 2 * beats).astype(np.float32))
    names = [f"{label}/{song}" for song, label in enumerate(labels)]
    return DataSet([str(label) for label in range(CLASSES)], names, labels, spectrograms)


def begun(size, *overrides):
    """Make a new run, its data set, and the settings of how its work is done."""
    from networks import BATCH

    from mirdl import settings
    from mirdl.results import files
    from mirdl.training.run import Run
    chosen = [f"DL.type={size.network}", f"folds={size.folds}", f"DL.num_epochs={size.epochs}",
              f"DL.batchSize={BATCH}", "quiet=True", "baselines=False", *overrides]
    parameters, execution = settings.divide(
        settings.check(settings.override(settings.published(), chosen, tell=str)))
    dataset = songs(size.songs)
    run = Run(parameters, files.new_id(), parameters["random_seed"], dataset.fingerprint(), "")
    return run, dataset, execution


def memory():
    """Return the most bytes that JAX has used on the card; None on a CPU."""
    from theano import device
    return (device.in_use().memory_stats() or {}).get("peak_bytes_in_use")


def first_fold(size):
    """Begin to train the first fold: its network, its chunks, and a function for an epoch."""
    import buildArchitecture
    import dl
    import loadDatasets
    from mirdl.training.lockstep import Lockstep
    run, dataset, _ = begun(size)
    rng = np.random.RandomState(0)
    train = loadDatasets.foldOf(dataset, 0, run.parameters).train
    start = time.perf_counter()
    lockstep = Lockstep(buildArchitecture.buildNet, run.parameters, dataset, 1)
    [slot] = lockstep.slots

    def epoch():
        return dl.trainEpoch(slot, train, rng)
    slot.reset(rng, 1)
    epoch()
    return SimpleNamespace(network=lockstep.network, train=train, epoch=epoch,
                           first=time.perf_counter() - start, memory=memory())


def steps(size):
    """Measure a training step, as a part of an epoch in one call and as a separate call."""
    import jax
    import networks
    fold = first_fold(size)
    count = len(fold.train) // networks.BATCH
    x, y = fold.train[np.arange(networks.BATCH)]
    y = y.astype(np.int32)

    def alone():
        for _ in range(count):
            fold.network.train(x, y)
    matrix = jax.random.normal(jax.random.key(0), (size.product, size.product), "float32")
    square = jax.jit(lambda a: a @ a)
    times = measure.alternate({
        "epoch": fold.epoch, "alone": alone,
        "product": lambda: square(matrix).block_until_ready(),
    }, size.seconds)
    return {"count": count, "first": fold.first, "memory": fold.memory,
            "epoch": times["epoch"] / count, "alone": times["alone"] / count,
            "gflop": networks.gflop(networks.BANKS[size.network]),
            "rate": 2e-9 * size.product ** 3 / times["product"]}


def kernels(size):
    """Let JAX's profiler measure an epoch: [name, calls, seconds] of each kernel, longest first."""
    import jax
    epoch = first_fold(size).epoch
    with tempfile.TemporaryDirectory() as folder:
        with jax.profiler.trace(folder):
            epoch()
        [file] = Path(folder).rglob("*.xplane.pb")
        planes = jax.profiler.ProfileData.from_file(str(file)).planes
    found = defaultdict(list)
    for line in (line for plane in planes for line in plane.lines):
        if line.name.startswith(("Stream", "tf_XLA")):      # of a GPU; of a CPU
            for event in line.events:
                if not event.name.startswith("ThunkExecutor"):      # a CPU's, around all others
                    found[event.name].append(event.duration_ns)
    totals = [[name, len(times), 1e-9 * sum(times)] for name, times in found.items()]
    return sorted(totals, key=itemgetter(2), reverse=True)


def ready(_size):
    """Import what the other functions need, on the device."""
    import dl  # noqa: F401 (imported to see that it can be)


def folds(size, *overrides):
    """Measure a cross-validation by dl.py, from the songs in memory to its last file."""
    import dl
    from mirdl.results import files
    from mirdl.training import runs
    run, dataset, execution = begun(size, *overrides)
    with tempfile.TemporaryDirectory() as folder, chdir(folder):
        os.makedirs(files.FOLDER)
        start = time.perf_counter()
        with runs.begun(run):
            outcomes = dl.crossValidate(run, dataset, execution)
        seconds = time.perf_counter() - start
    return {"seconds": seconds, "epochs": sum(outcome.epochs for outcome in outcomes),
            "memory": memory(), "right": np.mean([outcome.majority_vote for outcome in outcomes])}


def peer(size, precision, form, count):
    """Measure the same training step in PyTorch, which waits for the card after `count` of them."""
    import networks
    import torch
    import training_step
    torch.set_float32_matmul_precision("high" if precision == "TF32" else "highest")
    torch.backends.cudnn.allow_tf32 = precision == "TF32"
    place = "cpu" if size.device == "device=cpu" else "cuda"
    synchronize = torch.cuda.synchronize if place == "cuda" else lambda: None
    start = time.perf_counter()
    module = networks.torch_network(networks.BANKS[size.network]).to(place)
    if form == COMPILED:
        module = networks.compiled_by_torch(module, place)
        if module is None:
            sys.exit(1)         # the reason has been printed
    step = training_step.torch_step(module, place)
    step()
    synchronize()
    first = time.perf_counter() - start

    def epoch():
        for _ in range(int(count)):
            step()
        synchronize()

    seconds = measure.alternate({"epoch": epoch}, size.seconds)["epoch"]
    most = torch.cuda.max_memory_allocated() if place == "cuda" else None
    return {"step": seconds / int(count), "first": first, "memory": most}


# ---- the tables ----------------------------------------------------------------------------------

def measured(name, flags, *call):
    """Call the function named call[0] in a new process.

    Returns
    -------
    dict or str
        What the function measures; if it fails, its last line.
    """
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ,
                       "THEANO_FLAGS": f"floatX=float32,base_compiledir={folder},{flags}",
                       "TORCHINDUCTOR_CACHE_DIR": os.path.join(folder, "torch")}
        try:
            done = subprocess.run(
                [sys.executable, __file__, "measure", name, *call], env=environment,
                capture_output=True, text=True, timeout=LIMIT if call[0] == "peer" else None)
        except subprocess.TimeoutExpired:
            return f"not done after {LIMIT} s"
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    return json.loads(done.stdout.splitlines()[-1])


class FailedError(Exception):
    """A process ended with this line."""


def ours(name, flags, *call):
    """Call a function of this project on the device, as `measured` does.

    Raises
    ------
    FailedError
        The function has failed.
    """
    found = measured(name, f"{SIZES[name].device},{flags}", *call)
    if isinstance(found, str):
        raise FailedError(found)
    return found


def megabytes(count):
    """Show a number of bytes in MB, or '-' for None."""
    return "-" if count is None else f"{count / 1e6:.0f}"


def tests_table(name, folder):
    """Run tests on the device; yield a table of how they ended."""
    size, path = SIZES[name], folder / "tests.txt"
    command = [sys.executable, "-m", "pytest", "-m", "not slow", "-rfE", "--tb=short",
               "-p", "no:cacheprovider", *size.tests]
    with open(path, "w") as file, suppress(subprocess.TimeoutExpired):
        subprocess.run(command, cwd=ROOT, env={**os.environ, "THEANO_FLAGS": size.tested},
                       stdout=file, stderr=subprocess.STDOUT, timeout=TESTS_LIMIT)
    lines = path.read_text().splitlines()
    yield f"\nTests with THEANO_FLAGS={size.tested}; all they say is in {path}\n"
    yield from [f"    {line}" for line in lines if line.startswith(("FAILED", "ERROR"))]
    yield f"    {lines[-1] if lines else 'pytest says nothing'}"


def steps_table(name, _folder):
    """Yield tables of steps, ours and PyTorch's."""
    size, found = SIZES[name], {}
    yield f"\n{size.network}, a training step, batch 50 of 1x40x250; GFLOP/s of the direct method\n"
    yield ("| form | products | step, ms | times the first | first epoch after, s | MB | GFLOP/s "
           "| of a matrix product |")
    yield "| --- | --- | --- | --- | --- | --- | --- | --- |"
    for words in size.flags:
        one = found[words] = ours(name, FLAGS[words], "steps")
        for form, key in (("epoch in one call", "epoch"), ("a call for each step", "alone")):
            rate = one["gflop"] / one[key]
            ratio = one[key] / found["float32"]["epoch"]
            yield (f"| {form} | {words} | {1e3 * one[key]:.3f} | {ratio:.2f} | {one['first']:.1f} "
                   f"| {megabytes(one['memory'])} | {rate:.0f} "
                   f"| {rate / one['rate']:.0%} of {one['rate']:.0f} |")
    if not find_spec("torch"):
        yield "\nPyTorch is not installed: no comparison with it."
        return
    count = found["float32"]["count"]
    total = count * size.epochs * size.folds
    yield (f"\nThe training of {size.folds} folds x {size.epochs} epochs has {total} such steps if "
           "none stops early.\n")
    yield ("| form | products | step, ms | an epoch in one call is faster | first step after, s "
           "| MB | all these steps, s |")
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for precision, form in size.peers:
        # Theano stays on the CPU, so that PyTorch has the card to itself.
        one = measured(name, "device=cpu", "peer", precision, form, str(count))
        if isinstance(one, str):
            yield f"| {form} | {precision} | {one} | | | | |"
        else:
            ratio = one["step"] / found[precision]["epoch"]
            yield (f"| {form} | {precision} | {1e3 * one['step']:.3f} | {ratio:.1f} times "
                   f"| {one['first']:.1f} | {megabytes(one['memory'])} "
                   f"| {one['step'] * total:.0f} |")


def kernels_table(name, _folder):
    """Yield a table of the kernels that take the most time."""
    found = ours(name, "", "kernels")
    every = sum(seconds for _, _, seconds in found)
    yield (f"\n{SIZES[name].network}, an epoch in one call, float32, {1e3 * every:.1f} ms in all: "
           f"the {MOST_KERNELS} kernels and copies that take the most\n")
    yield "| kernel | calls | ms | share |"
    yield "| --- | --- | --- | --- |"
    for kernel, calls, seconds in found[:MOST_KERNELS]:
        yield f"| {kernel} | {calls} | {1e3 * seconds:.2f} | {seconds / every:.0%} |"


def folds_table(name, _folder):
    """Yield a table of the cross-validation, folds together, and one by one for fewer epochs."""
    size = SIZES[name]
    every = size.folds * size.epochs
    yield (f"\n{size.network}, cross-validation of {size.folds} folds x {size.epochs} epochs "
           f"at most ({size.few} one by one), float32\n")
    yield (f"| folds | epochs of all folds | s | ms an epoch | {every} epochs, s | MB "
           "| songs right |")
    yield "| --- | --- | --- | --- | --- | --- | --- |"
    for words, override in (("together", "foldsTogether=True"),
                            ("one by one", f"DL.num_epochs={size.few}")):
        one = ours(name, "", "folds", override)
        each = one["seconds"] / one["epochs"]
        yield (f"| {words} | {one['epochs']} | {one['seconds']:.1f} | {1e3 * each:.1f} "
               f"| {each * every:.0f} | {megabytes(one['memory'])} | {one['right']:.0f} % |")


def card():
    """Describe name, driver and memory of the cards, as NVIDIA's own program does."""
    command = ["nvidia-smi", "--query-gpu=name,driver_version,memory.total",
               "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.strip().replace("\n", "; ")
    except (OSError, subprocess.CalledProcessError):
        return "nvidia-smi finds no card"


def main(arguments):
    """Print the tables that `arguments` name, and write them to a folder."""
    name = "small" if "small" in arguments else ""
    *_, folder = [time.strftime("gpu-%Y%m%d-%H%M%S"),
                  *(word.removeprefix("out=") for word in arguments if word.startswith("out="))]
    folder = Path(folder)
    parts = {"tests": tests_table, "steps": steps_table, "kernels": kernels_table,
             "folds": folds_table}
    asked = [word for word in arguments if word != "small" and not word.startswith("out=")]
    if not set(asked) <= set(parts):
        sys.exit(f"error: {' '.join(asked)}: expected small, tests, steps, kernels, folds, "
                 "out=FOLDER, or nothing")
    if folder.exists():
        sys.exit(f"error: out={folder} is there already; choose a new folder")
    place = "A trial on the CPU: no figure below means anything for a GPU" if name else card()
    try:
        ours(name, "", "ready")
    except FailedError as error:
        sys.exit(f"{error}; bench/README.md says what this bench needs, and python bench/gpu.py "
                 "small tries it out on a CPU")
    folder.mkdir(parents=True)
    with open(folder / "tables.md", "w") as file:
        def say(line):
            print(line, flush=True)
            print(line, flush=True, file=file)
        say(measure.machine())
        say(f"{place}; {date.today()}")
        say("Each process takes up to two minutes, the tests up to four.")
        for part in asked or parts:
            try:
                for line in parts[part](name, folder):
                    say(line)
            except FailedError as error:
                say(f"\n{part}: {error}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        size, function, *rest = sys.argv[2:]
        with redirect_stdout(sys.stderr):
            exit_on_user_error(start_theano)
            functions = {"ready": ready, "steps": steps, "kernels": kernels, "folds": folds,
                         "peer": peer}
            figures = functions[function](SIZES[size], *rest)
        print(json.dumps(figures))
    else:
        main(sys.argv[1:])
