"""A data folder of its own for each test, and small sets of real audio files."""

import os
import signal
import subprocess
import sys

import numpy as np
import pytest

sys.path.insert(0, os.path.dirname(__file__))
# floatX as the original was run. The rest is for THEANO_FLAGS=device=cuda: runs on a GPU are compared to the bit, too
os.environ["THEANO_FLAGS"] = "floatX=float32,deterministic=more," + os.environ.get("THEANO_FLAGS", "")
# A shell starts what runs in its background deaf to Ctrl-C, and so would all that is started from here be
signal.signal(signal.SIGINT, signal.default_int_handler)
import makeMiniRhythm  # noqa: E402 (from this folder)

from run import parameters as published  # noqa: E402

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ORACLE = os.path.join(ROOT, "tests", "oracle")


@pytest.fixture
def oracle():
    """Opens a file of numbers of the original program."""
    import json

    def load(name):
        path = os.path.join(ORACLE, name)
        if name.endswith(".npz"):
            return np.load(path)
        with open(path) as file:
            return json.load(file)
    return load


@pytest.fixture
def workplace(tmp_path, monkeypatch):
    """An empty data folder, and the process in the folder that holds it."""
    for folder in ("datasets", "preloaded/models", "results"):
        (tmp_path / "data" / folder).mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def miniRhythm(tmp_path_factory):
    """MiniRhythm, the oracle's data set: 40 wavs of 30 s in 4 classes."""
    folder = tmp_path_factory.mktemp("audio") / "MiniRhythm"
    for number, tag in enumerate(makeMiniRhythm.CLASSES):
        (folder / tag).mkdir(parents=True)
        for clip in range(makeMiniRhythm.CLIPS):
            makeMiniRhythm.write_wav(folder / tag / f"{tag}_{clip:02d}.wav", makeMiniRhythm.clip(number, clip))
    return folder


@pytest.fixture(scope="session")
def beats(tmp_path_factory):
    """Beats: 3 classes of 6 wavs of 9 s, clicks at 90, 120 and 160 bpm; small, and easy to learn."""
    folder = tmp_path_factory.mktemp("audio") / "Beats"
    rng = np.random.RandomState(3)
    for tag, bpm in (("fast", 160), ("middle", 120), ("slow", 90)):
        (folder / tag).mkdir(parents=True)
        for song in range(6):
            samples = rng.normal(0, 30, 9 * 44100)
            for start in np.arange(rng.uniform(0, 0.3), 8.9, 60 / bpm):
                samples[int(start * 44100):][:2000] += rng.normal(0, 6000, 2000)[:len(samples) - int(start * 44100)]
            makeMiniRhythm.write_wav(folder / tag / f"{tag} {song}.wav", samples.astype(np.int16))
    return folder


@pytest.fixture(scope="session")
def trained(beats, tmp_path_factory):
    """A data folder in which oNetOne was cross-validated on Beats: (its path, the run's name, the outcomes)."""
    import dl
    from mirdl import settings
    folder = tmp_path_factory.mktemp("trained")
    (folder / "data" / "datasets").mkdir(parents=True)
    os.symlink(beats, folder / "data" / "datasets" / "Beats")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        outcomes = dl.main(settings.check(settings.override(published, [
            "DS.dataset=Beats", "DL.type=oNetOne", "folds=3", "chunkHop=40", "DL.batchSize=3", "DL.num_epochs=3"])))
    return folder, outcomes[0].name[:-len("-f0")], outcomes


@pytest.fixture
def parameters():
    """run.py's parameters with changes: parameters('DL.lr=0.1', 'folds=3')."""
    from mirdl import settings

    def change(*overrides):
        return settings.check(settings.override(published, overrides))
    return change


@pytest.fixture
def script():
    """Runs a script of the repo as a user does, in the current folder: script('run.py', 'folds=3') -> CompletedProcess."""
    def call(name, *arguments, **options):
        return subprocess.run([sys.executable, os.path.join(ROOT, name), *arguments], capture_output=True, text=True,
                              timeout=600, **options)
    return call


def link(folder, workplace):
    """Put a data set into the workplace."""
    os.symlink(folder, workplace / "data" / "datasets" / folder.name)


def pytest_terminal_summary(terminalreporter):
    """One line at the end: how much of the ill-formed was met, killed and made up."""
    passed = terminalreporter.stats.get("passed", [])
    bad = sum("test_bad_inputs.py::" in report.nodeid for report in passed)
    fuzz = sum(count for report in passed for name, count in report.user_properties if name == "fuzz cases run")
    said = [text for report in passed for name, text in report.user_properties if name == "count"]
    if bad or fuzz or said:
        terminalreporter.write_line("; ".join([f"{bad} bad inputs met", f"{fuzz} fuzz cases run", *said]))
