"""Every command of README.md: those of the scripts are run on a small data set, the others are known one by one."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
from conftest import ROOT, link

# what a command needs to end in seconds; only keys that it does not set itself
SMALL = {"DL.type": "oNetOne", "chunkHop": "80", "folds": "3", "DL.batchSize": "3", "DL.num_epochs": "1", "asPublished": "False"}
# run by make, pip, a shell or a cluster, so not here: `make run` and `make test` by whoever tests them
ELSEWHERE = ("make ", "pip install", ". .venv")
DOWNLOADED = "DS.dataset=Ballroom", "DS.dataset=GTZAN"      # tests/mirdl/test_download.py does these, with a server of its own


def commands():
    """The lines of README.md's indented blocks that a shell is to read, without their comments."""
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        lines = re.findall(r"^ {4}(\S.*)$", file.read(), re.MULTILINE)
    lines = [line for line in lines if not re.match(r"data/|def |return |DATASET", line)]
    return [re.sub(r"\s+#.*", "", line) for line in lines if not line.startswith(ELSEWHERE)]


def isOurs(command):
    return re.match(r"(THEANO_FLAGS=\S+ )?python \w+\.py", command)


def test_no_command_is_unknown():
    assert [command for command in commands() if not isOurs(command)] == []


@pytest.fixture(scope="module")
def place(beats, trained, tmp_path_factory):
    """A folder with the README's data sets, its song and a run; and that run's name."""
    folder, name, _ = trained
    for dataset in ("DanceLoops", "MySet"):
        (folder / "data/datasets" / dataset).mkdir()
        for tag in os.listdir(beats):
            (folder / "data/datasets" / dataset / tag).mkdir()
            for song in os.listdir(beats / tag):
                os.symlink(beats / tag / song, folder / "data/datasets" / dataset / tag / f"artist{song[-5]}_{song}")
    os.symlink(beats / "slow" / "slow 0.wav", folder / "song.wav")
    os.symlink(beats, folder / "folder")
    return folder, name


@pytest.fixture(scope="module")
def architectures(tmp_path_factory):
    """A copy of the program with the README's network in it."""
    folder = tmp_path_factory.mktemp("program")
    for name in os.listdir(ROOT):
        if name.endswith(".py"):
            shutil.copy(os.path.join(ROOT, name), folder)       # a linked script would import from where it really stands
        elif name in ("mirdl", "filterbank", "theano"):
            os.symlink(os.path.join(ROOT, name), folder / name)
    with open(os.path.join(ROOT, "README.md"), encoding="utf-8") as file:
        [network] = re.findall(r"\n((?: {4}def .*\n)(?: {8}.*\n)+)", file.read())
    with open(os.path.join(ROOT, "buildArchitecture.py"), encoding="utf-8") as file:
        content = file.read() + "\n\n" + re.sub("^    ", "", network, flags=re.MULTILINE)
    (folder / "buildArchitecture.py").write_text(content)
    return folder


@pytest.mark.parametrize("command", [command for command in commands() if isOurs(command) and not any(name in command for name in DOWNLOADED)])
def test_command(command, place, architectures):
    folder, name = place
    environment = dict(word.split("=", 1) for word in shlex.split(command) if word.startswith("THEANO_FLAGS="))
    _, script, *arguments = [word for word in shlex.split(command) if not word.startswith("THEANO_FLAGS=")]
    arguments = [word.replace("NAME", name) for word in arguments]
    if script == "run.py" and "--help" not in arguments:
        if not any(word.startswith("DS.dataset=") for word in arguments):
            arguments.append("DS.dataset=DanceLoops")
        given = " ".join(arguments)
        arguments += [f"{key}={value}" for key, value in SMALL.items() if f"{key}=" not in given]
    done = subprocess.run([sys.executable, architectures / script, *arguments], capture_output=True, text=True, cwd=folder, timeout=500,
                          env={**os.environ, "PYTHONPATH": str(architectures), **environment})
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr and done.stdout
