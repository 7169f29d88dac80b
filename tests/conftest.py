"""A data folder for each test, small sets of real audio files, and small runs on them."""

import contextlib
import importlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from importlib.util import find_spec

import hypothesis
import joblib
import makeMiniRhythm
import numpy as np
import pytest

import run
from mirdl import settings
from mirdl.spectrograms import pieced
from mirdl.system import pool

PIECED = pieced.COUNT
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ORACLE = os.path.join(ROOT, "tests", "oracle")

# floatX as the original was run. The rest is for THEANO_FLAGS=device=cuda: runs on a GPU, too, are
# compared to the bit. Theano reads this when it is first imported, which is later.
os.environ["THEANO_FLAGS"] = ("floatX=float32,deterministic=more,"
                              + os.environ.get("THEANO_FLAGS", ""))
# A shell starts its background jobs deaf to Ctrl-C, and so would be all that is started from here.
signal.signal(signal.SIGINT, signal.default_int_handler)
# What hypothesis draws is the same in each run, but for `make torture`.
hypothesis.settings.register_profile("same", derandomize=True)
if not os.environ.get("MIRDL_TORTURE"):
    hypothesis.settings.load_profile("same")
if "PYTEST_XDIST_WORKER" in os.environ:
    # Each core has a worker. So one process computes spectrograms for all tests of a worker; and
    # XLA has one thread here, but all in the processes that tests start.
    os.environ["LOKY_MAX_CPU_COUNT"] = "1"
    pool.IDLE = 600
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NPROC", "1")
        import theano  # noqa: F401 (it starts XLA)


def pytest_xdist_auto_num_workers():
    """Tell how many workers -n auto means: one for each core, each of which takes 2 GB at most."""
    return min(8, joblib.cpu_count())


def pytest_collection_modifyitems(items):
    """Leave out the tests of Essentia where it is not installed; -rs names them."""
    if find_spec("essentia") is None:
        for item in items:
            if item.get_closest_marker("essentia"):
                item.add_marker(pytest.mark.skip(reason="Essentia is not installed"))


def optional(name, packages="requirements-export.txt"):
    """Import what an optional feature needs, or skip the test; in CI, which has all, it must be."""
    if "CI" in os.environ:
        return importlib.import_module(name)
    return pytest.importorskip(name, reason=f"needs {packages}")


@pytest.fixture
def without_rights():
    """Take rights on a path from this process: with without_rights(path, 0o555): ..."""
    @contextlib.contextmanager
    def change(path, rights):
        before, user = os.stat(path).st_mode, os.geteuid()
        os.chmod(path, rights)
        if user == 0:       # who has all rights, so somebody else meanwhile
            os.seteuid(65534)
        try:
            yield
        finally:
            os.seteuid(user)
            os.chmod(path, before)
    return change


@pytest.fixture
def public():
    """Make a folder that all users may enter (pytest's own are for one user)."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield folder


def small(*overrides):
    """Return the arguments of a small run on Beats; `overrides` replace some, or add to them.

    small("folds=2") -> ["DS.dataset=Beats", "DL.type=oNetOne", "folds=2", ...]
    """
    arguments = ("DS.dataset=Beats", "DL.type=oNetOne", "folds=3", "chunkHop=80",
                 "DL.batchSize=3", "DL.num_epochs=4", "baselines=False", *overrides)
    values = dict(argument.split("=", 1) for argument in arguments)
    return [f"{key}={value}" for key, value in values.items()]


@pytest.fixture
def oracle():
    """Open a file of numbers of the original program."""
    def load(name):
        path = os.path.join(ORACLE, name)
        if name.endswith(".npz"):
            return np.load(path)
        with open(path) as file:
            return json.load(file)
    return load


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """Make an empty data folder, and go into the folder that holds it."""
    for folder in ("datasets", "preloaded/models", "results"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def musicnn_weights(workplace):
    """Put musicnn's weights into the workplace, or skip the test; in CI they are fetched."""
    from mirdl.pretrained import musicnn
    kept = os.path.join(ROOT, musicnn.KEPT)
    if "CI" in os.environ and not os.path.exists(kept):
        with contextlib.chdir(ROOT):
            musicnn.tags("musicnn-MTT")
    if not os.path.exists(kept):
        pytest.skip(f"needs {musicnn.KEPT}, which the first run with recipe=transfer fetches")
    os.symlink(kept, workplace / musicnn.KEPT)


@pytest.fixture
def here(furnish, workplace):
    """Make a workplace that has the data set Beats and its spectrograms."""
    return furnish(workplace)


@pytest.fixture
def tiny(monkeypatch):
    """Add the network tiny, which compiles and learns Beats quickly, to buildArchitecture.py."""
    import buildArchitecture

    def tiny(input_var, parameters, numClasses):
        return buildArchitecture.temporalNet([(20, 4), (60, 4)], input_var, parameters, numClasses)
    monkeypatch.setattr(buildArchitecture, "tiny", tiny, raising=False)


@pytest.fixture(scope="session", autouse=True)
def few_pieced():
    """Let runs piece few songs together to learn what foreign songs are like, which is quick."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieced, "COUNT", 10)
        yield


@pytest.fixture(scope="module")
def all_pieced():
    """Let runs in this process piece as many together as those in others do."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieced, "COUNT", PIECED)
        yield


@pytest.fixture
def few_trees(monkeypatch):
    """Give the random forest of the baselines few trees, which is quick."""
    from mirdl.training import baselines
    monkeypatch.setattr(baselines, "TREES", 20)


@pytest.fixture(scope="session")
def miniRhythm(tmp_path_factory):
    """Make MiniRhythm, the oracle's data set: 40 wavs of 30 s in 4 classes."""
    folder = tmp_path_factory.mktemp("audio") / "MiniRhythm"
    for number, tag in enumerate(makeMiniRhythm.CLASSES):
        (folder / tag).mkdir(parents=True)
        for clip in range(makeMiniRhythm.CLIPS):
            makeMiniRhythm.write_wav(folder / tag / f"{tag}_{clip:02d}.wav",
                                     makeMiniRhythm.clip(number, clip))
    return folder


@pytest.fixture(scope="session")
def beats(tmp_path_factory):
    """Make Beats: 3 classes of 6 wavs of 9 s, clicks at 90, 120 and 160 bpm."""
    folder = tmp_path_factory.mktemp("audio") / "Beats"
    rng = np.random.RandomState(3)
    for tag, bpm in (("fast", 160), ("middle", 120), ("slow", 90)):
        (folder / tag).mkdir(parents=True)
        for song in range(6):
            samples = rng.normal(0, 30, 9 * 44100)
            for start in np.arange(rng.uniform(0, 0.3), 8.9, 60 / bpm):
                click = samples[int(start * 44100):][:2000]
                click += rng.normal(0, 6000, 2000)[:len(click)]
            makeMiniRhythm.write_wav(folder / tag / f"{tag} {song}.wav", samples.astype(np.int16))
    return folder


@pytest.fixture(scope="session")
def furnish(beats, tmp_path_factory):
    """Put Beats and its spectrograms, which are computed once, into a folder: furnish(folder)."""
    import loadDatasets

    def linked(folder):
        for name in ("datasets", "results"):
            (folder / "data" / name).mkdir(parents=True, exist_ok=True)
        link(beats, folder)
        return folder
    first = linked(tmp_path_factory.mktemp("spectrograms"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(first)
        loadDatasets.load_dataset(settings.check(settings.override(settings.published(), small())))

    def put(folder):
        preloaded = linked(folder) / "data" / "preloaded"
        shutil.copytree(first / "data" / "preloaded", preloaded, dirs_exist_ok=True)
        return folder
    return put


@pytest.fixture(scope="session")
def trained(furnish, tmp_path_factory):
    """Cross-validate oNetOne on Beats; return the folder, the run's name and its outcomes."""
    import dl
    folder = furnish(tmp_path_factory.mktemp("trained"))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        outcomes = dl.main(settings.check(settings.override(
            settings.published(), small("chunkHop=40", "DL.num_epochs=3"))))
    return folder, outcomes[0].name[:-len("-f0")], outcomes


@pytest.fixture
def finished_run(workplace, parameters):
    """Write the files of a run that has ended: finished_run(classes=[...]) gives its name.

    Two folds that test two songs of each class; the first song of each fold is given the next
    class. The models are filters of random numbers.
    """
    from mirdl.results import files, models
    from mirdl.results.curves import EpochFigures
    from mirdl.results.model_info import ModelInfo
    from mirdl.results.outcome import CrossValidation, Outcome

    def make(classes=("slow", "fast"), dataset="Beats", epochs=4):
        settled = parameters(f"DS.dataset={dataset}", "DL.type=oNetOne", "folds=2", "chunkHop=40")
        classes, rng, outcomes = list(classes), np.random.RandomState(1), []
        name = files.name_of(settled, "20260101-000000-00000000")
        sizes = [(5, n) for n in range(6, 42, 5)]
        for fold in range(2):
            every = [f"{tag}/{song}.wav" for tag in classes for song in range(4)]
            tested = [song for number, song in enumerate(every) if number % 2 == fold]
            true = [label for label in range(len(classes)) for _ in range(2)]
            voted = [(true[0] + 1) % len(classes), *true[1:]]
            votes = np.eye(len(classes), dtype=int)[voted] * 3
            info = ModelInfo(settled, classes, 11, fold, "", {}, [0.0, 1.0],
                             [song for song in every if song not in tested], [], tested)
            weights = [value for count, n in sizes
                       for value in (rng.normal(size=(count, 1, 1, n)), np.zeros(count))]
            weights += [rng.normal(size=(400, len(classes))), np.zeros(len(classes))]
            models.save([value.astype(np.float32) for value in weights], info, f"{name}-f{fold}")
            curves = [EpochFigures(epoch, 2 / (epoch + 1), 50 + 9.0 * epoch, 2.5 / (epoch + 1),
                                   45 + 8.0 * epoch) for epoch in range(epochs)]
            files.write_training(curves, f"{name}-f{fold}")
            outcomes.append(Outcome(f"{name}-f{fold}", epochs, epochs - 1, 70.0 + fold, 0.5, 80.0,
                                    100 * float(np.mean(np.equal(true, voted))), tested, true,
                                    votes.tolist(), voted, 1.5, fold))
        files.write_cross_validation(CrossValidation(settled, classes, 4188, outcomes),
                                     files.cross_validation(name))
        return name
    return make


@pytest.fixture
def journal(monkeypatch):
    """List what is put on the disk, renamed and removed in data: ("synced", path) and so on."""
    events = []

    def note(name, event, path_of):
        original = getattr(os, name)

        def noted(*given, **options):
            path = os.path.abspath(path_of(*given))     # before, as it may be removed
            result = original(*given, **options)
            if path.startswith(os.path.abspath("data") + os.sep):
                events.append((event, path))
            return result
        monkeypatch.setattr(os, name, noted)
    for name in ("fsync", "fdatasync"):
        note(name, "synced", lambda handle: os.readlink(f"/proc/self/fd/{handle}"))
    for name in ("replace", "rename"):
        note(name, "renamed", lambda old, new: new)
    for name in ("unlink", "remove"):
        note(name, "removed", lambda path: path)
    return events


def check_order(journal, steps):
    """Check that the journal has these steps in this order, and that it is safe.

    What was renamed must be on the disk before anything else is renamed or removed, so that a
    power cut loses nothing.
    """
    rest = iter(journal)
    missing = [step for step in steps if step not in rest]
    assert not missing, f"not there, or too early: {missing[0]}"
    unsafe = {}
    for place, (event, path) in enumerate(journal):
        if event == "synced":
            unsafe.pop(path, None)
        else:
            assert not unsafe, f"before {path} was {event}, these were not synced: {unsafe}"
        if event == "renamed":
            assert journal[place - 1][0] == "synced", f"the content of {path}"
            unsafe[os.path.dirname(path)] = path
    assert not unsafe


@pytest.fixture
def parameters():
    """Change the published parameters: parameters("DL.lr=0.1", "folds=3")."""
    def change(*overrides):
        return settings.check(settings.override(settings.published(), overrides))
    return change


@pytest.fixture
def script():
    """Run a script as a user does, in the current folder.

    script("run.py", "folds=3") -> CompletedProcess
    """
    def call(name, *arguments, **options):
        given = as_published(*arguments) if name == "run.py" else arguments
        return ended([sys.executable, os.path.join(ROOT, name), *given], timeout=600, **options)
    return call


def ended(command, **options):
    """Run a command that no library may interrupt: give its CompletedProcess."""
    done = subprocess.run(command, capture_output=True, text=True, **options)
    without_libraries(done.stdout + done.stderr)
    return done


def without_libraries(printed):
    """Check that a user sees no warning and no traceback of a library."""
    assert "site-packages" not in printed, printed
    return printed


def as_published(*arguments):
    """Return arguments for run.py that undo what a user has set in it, then these arguments."""
    if {"-h", "--help"} & set(arguments):
        return arguments
    expected = dict(settings.flat(settings.published()))
    keys = settings.SETTINGS
    if any(argument.startswith("resume=") for argument in arguments):
        keys = settings.keys(settings.EXECUTION)
    edited = [f"{key}={expected[key]}" for key, value in settings.flat(run.parameters)
              if key in keys and value != expected[key]]
    return [*edited, *arguments]


def link(folder, workplace):
    """Link a data set into the workplace."""
    os.symlink(folder, workplace / "data" / "datasets" / folder.name)


def pytest_terminal_summary(terminalreporter):
    """Say in one line how many bad inputs, fuzz cases and kills there were."""
    passed = terminalreporter.stats.get("passed", [])
    bad = sum("test_bad_inputs.py::" in report.nodeid for report in passed)
    noted = [pair for report in passed for pair in report.user_properties]
    fuzz = sum(count for name, count in noted if name == "fuzz cases run")
    kills = [text for name, text in noted if name == "count"]
    if bad or fuzz or kills:
        terminalreporter.write_line(
            "; ".join([f"{bad} bad inputs met", f"{fuzz} fuzz cases run", *kills]))
