"""The package by itself: `pip install ./theano` into an environment without this repository."""

import ast
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "theano"
SETTINGS = tomllib.loads((PACKAGE / "pyproject.toml").read_text("utf-8"))
MODULES = [path for path in PACKAGE.rglob("*.py") if "build" not in path.parts]

# five steps as in Lasagne's example of MNIST, on made-up images
STEPS = """
import lasagne
import numpy as np
import theano
import theano.tensor as T

rng = np.random.RandomState(0)
images = rng.normal(size=(100, 1, 28, 28)).astype(theano.config.floatX)
classes = (images[:, 0, :14].mean((1, 2)) > 0).astype("int32")
x, y = T.tensor4("x"), T.ivector("y")
net = lasagne.layers.InputLayer((None, 1, 28, 28), x)
for filters in 8, 16:
    net = lasagne.layers.Conv2DLayer(net, filters, (5, 5))
    net = lasagne.layers.MaxPool2DLayer(net, (2, 2))
net = lasagne.layers.DenseLayer(lasagne.layers.dropout(net, 0.5), 32)
net = lasagne.layers.DenseLayer(net, 2, nonlinearity=lasagne.nonlinearities.softmax)
loss = lasagne.objectives.categorical_crossentropy(lasagne.layers.get_output(net), y).mean()
weights = lasagne.layers.get_all_params(net, trainable=True)
updates = lasagne.updates.nesterov_momentum(loss, weights, 0.01, 0.9)
step = theano.function([x, y], loss, updates=updates)
before = weights[0].get_value()
losses = [step(images[k::5], classes[k::5]) for k in range(5)]
assert np.isfinite(losses).all() and (weights[0].get_value() != before).any()
print(theano.__file__)
"""


def dependencies(python):
    """Map the names of what pip installs with the package to their specifiers."""
    wanted = map(Requirement, SETTINGS["project"]["dependencies"])
    return {one.name: one.specifier for one in wanted
            if one.marker is None or one.marker.evaluate({"python_version": python})}


def test_every_folder_is_in_the_list():
    folders = {".".join(path.parent.relative_to(ROOT).parts) for path in MODULES}
    assert set(SETTINGS["tool"]["setuptools"]["packages"]) == folders
    assert all((ROOT / name.replace(".", "/") / "__init__.py").exists() for name in folders)


def test_nothing_of_this_repository_is_imported():
    found = set()
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Import):
                found |= {one.name.split(".")[0] for one in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.split(".")[0])
    assert found - sys.stdlib_module_names == {"theano", "pytensor", "jax", "numpy"}
    assert {"pytensor", "jax", "numpy", "setuptools"} == set(dependencies("3.11"))


@pytest.mark.parametrize("python", ["3.11", "3.12", "3.13"])
def test_what_the_repository_is_tested_with_is_among_the_versions(python):
    text = (ROOT / "requirements.txt").read_text("utf-8")
    lines = [line.partition("#")[0].strip() for line in text.splitlines()]
    pinned = [one for one in map(Requirement, filter(None, lines))
              if one.marker is None or one.marker.evaluate({"python_version": python})]
    versions = {one.name: str(one.specifier).removeprefix("==") for one in pinned}
    for name, specifier in dependencies(python).items():
        assert versions[name] in specifier, name
    assert "81.0.0" not in dependencies(python)["setuptools"]


def test_pip_takes_it_for_theano_and_for_a_newer_one():
    assert SETTINGS["project"]["name"] == "Theano"
    version = Version(SETTINGS["project"]["version"])
    assert version > Version("1.0.5") and version.local
    for asked in "theano", "theano==1.0.5", "theano>=0.8", "theano<2":
        assert version in Requirement(asked).specifier


@pytest.mark.slow
def test_installed_into_a_clean_environment(tmp_path):
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    environment["THEANO_FLAGS"] = f"floatX=float32,base_compiledir={tmp_path / 'cache'}"

    def run(*command, folder=tmp_path):
        done = subprocess.run(list(map(str, command)), cwd=folder, env=environment,
                              capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
        return done.stdout

    source = shutil.copytree(PACKAGE, tmp_path / "source",
                             ignore=shutil.ignore_patterns("build", "*.egg-info", "__pycache__"))
    pip = "-m", "pip", "--disable-pip-version-check"
    run(sys.executable, *pip, "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path / "wheels",
        source)
    [wheel] = (tmp_path / "wheels").iterdir()
    run(sys.executable, "-m", "venv", tmp_path / "clean")
    python, empty = tmp_path / "clean" / "bin" / "python", tmp_path / "empty"
    empty.mkdir()
    run(python, *pip, "install", "--quiet", wheel, "Lasagne==0.1")
    said = run(python, *pip, "install", "--upgrade", "theano")
    assert "already satisfied: theano" in said.lower()
    run(python, *pip, "check")
    assert str(tmp_path / "clean") in run(python, "-c", STEPS, folder=empty)
