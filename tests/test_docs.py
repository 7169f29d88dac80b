"""The pages: their commands run, their links resolve, and what they list is what there is."""

import ast
import importlib.util
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from graphlib import TopologicalSorter
from pathlib import Path

import numpy as np
import pytest
import soundfile
from conftest import ROOT, as_published, ended, optional, small

import buildArchitecture
import dl
import loadDatasets
import predict
import utils
from mirdl import settings
from mirdl.spectrograms.features import compute_spectrogram
from mirdl.spectrograms.front_end import front_end
from mirdl.spectrograms.normalisation import compress

HOME = Path(ROOT)
PAGES = [HOME / "README.md", *sorted((HOME / "docs").glob("*.md"))]
TEXTS = [*PAGES, HOME / "CHANGELOG.md", HOME / "CONTRIBUTING.md"]
LINKED = [*TEXTS, HOME / "bench/README.md", HOME / "theano/README.md"]

# by make, pip, a shell or a cluster; `make run` and `make test` are run by whoever tests them
ELSEWHERE = ("make ", "pip install", ". .venv", "export ", "dask ", "PYTHONPATH=. OMP_NUM_THREADS",
             "CUDA_VISIBLE_DEVICES", "THEANO_FLAGS=device=cuda make")
# tests/mirdl/songs/test_download.py has a server of its own, tests/test_resume.py a cluster,
# tests/test_dl.py and tests/test_utils.py musicnn's weights
PARTS_ELSEWHERE = ("DS.dataset=Ballroom", "DS.dataset=GTZAN", "DS.dataset=ESC10", "cluster=",
                   "recipe=transfer", "musicnn-MTT", "musicnn-MSD")
# the commands of `make test`: one of each script, and none that trains
QUICK = "python run.py --help", "python utils.py NAME"


def without_fences(text):
    return re.sub(r"^```.*?^```$", "", text, flags=re.DOTALL | re.MULTILINE)


def fenced(page, language=""):
    """Return the contents of a page's fenced blocks of one language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"),
                      re.DOTALL | re.MULTILINE)


def commands():
    """List the lines of the pages' indented blocks, each once, without their comments."""
    lines = [line for page in PAGES for line in re.findall(
        r"^ {4}(\S.*)$", without_fences(page.read_text("utf-8")), re.MULTILINE)]
    return list(dict.fromkeys(re.sub(r"\s+#.*", "", line) for line in lines))


def is_ours(command):
    return re.match(r"(THEANO_FLAGS=\S+ )?python \w+\.py", command)


def cases():
    for command in filter(is_ours, commands()):
        if "mlp.py" in command or any(part in command for part in PARTS_ELSEWHERE):
            continue
        yield pytest.param(command, marks=[] if command in QUICK else [pytest.mark.slow])


def test_no_command_is_unknown():
    assert [command for command in commands()
            if not is_ours(command) and not command.startswith(ELSEWHERE)] == []
    assert set(QUICK) <= set(commands())


@pytest.fixture(scope="module")
def place(beats, trained, tmp_path_factory):
    """Make a folder with the pages' data sets, songs and a run; return it and the run's name."""
    folder = tmp_path_factory.mktemp("place")
    trained_folder, name, _ = trained
    shutil.copytree(trained_folder / "data" / "results", folder / "data" / "results")
    for dataset in ("DanceLoops", "MySet"):
        for song in beats.glob("*/*.wav"):
            tag = folder / "data" / "datasets" / dataset / song.parent.name
            tag.mkdir(parents=True, exist_ok=True)
            os.symlink(song, tag / f"artist{song.stem[-1]}_{song.name}")
    tables = {"folds.csv": ["song,fold"], "labels.csv": ["song,tag"]}
    for song in sorted(beats.glob("*/*.wav")):
        tag, number = song.parent.name, song.stem[-1]
        for path in (f"MySongs/{song.name}", f"MyTakes/{number}-01-{tag}.wav"):
            link = folder / "data" / "datasets" / path
            link.parent.mkdir(exist_ok=True)
            os.symlink(song, link)
        tables["folds.csv"].append(f"{tag}/artist{number}_{song.name},{int(number) % 3}")
        tables["labels.csv"].append(f"{song.name},{tag}")
    labels = folder / "labels"
    labels.mkdir()
    for path in (folder / "data/datasets/MySongs").iterdir():
        (labels / f"{path.stem}.txt").write_text("0\t5\tfirst\n5\t9\tsecond\n")
    for table, lines in tables.items():
        (folder / table).write_text("\n".join(lines))
    os.symlink(beats / "slow" / "slow 0.wav", folder / "song.wav")
    os.symlink(beats, folder / "folder")
    return folder, name


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    """Make a copy of the program with the pages' network and loader in it."""
    folder = tmp_path_factory.mktemp("program")
    for path in HOME.iterdir():
        if path.suffix == ".py":
            shutil.copy(path, folder)   # a linked script would import from where it really stands
        elif path.name in ("mirdl", "filterbank", "theano"):
            os.symlink(path, folder / path.name)
    [network] = fenced(HOME / "README.md", "python")
    with open(folder / "buildArchitecture.py", "a", encoding="utf-8") as file:
        file.write("\n\n" + network)
    [loader] = fenced(HOME / "docs/data.md", "python")
    with open(folder / "loadDatasets.py", "a", encoding="utf-8") as file:
        file.write("\n\n" + loader)
    return folder


@pytest.fixture
def stopped(here, parameters, monkeypatch):
    """Stop a run in its first test; return the folder and the run's id."""
    def interrupt(*arguments):
        raise KeyboardInterrupt
    monkeypatch.setattr(dl, "testTrial", interrupt)
    with pytest.raises(KeyboardInterrupt):
        dl.main(parameters(*small("DL.num_epochs=1")))
    [checkpoint] = (here / "data" / "results").glob("*.checkpoint")
    return here, checkpoint.stem.rpartition("_")[2]


def missing(arguments):
    """List what a run needs to end in seconds, without the keys that the arguments set."""
    few = small("DS.dataset=DanceLoops", "DL.num_epochs=1", "asPublished=False")
    given = " ".join(arguments)     # a sweep sets some, too
    return [one for one in few
            if not re.search(rf"(?<![\w.]){re.escape(one.split('=')[0])}=", given)]


def run(command, folder, program, name, run_id=""):
    """Run a command of the pages as a user does; small, and whatever run.py was edited to."""
    words = shlex.split(command)
    environment = dict(word.split("=", 1) for word in words if word.startswith("THEANO_FLAGS="))
    _, script, *arguments = [word for word in words if not word.startswith("THEANO_FLAGS=")]
    arguments = [re.sub(r"\bNAME\b", name, word).replace("resume=ID", f"resume={run_id}")
                 for word in arguments]
    if script == "run.py":
        if not any(word.startswith(("--help", "resume=")) for word in arguments):
            arguments += missing(arguments)
        arguments = as_published(*arguments)
    return ended([sys.executable, program / script, *arguments], cwd=folder, timeout=500,
                 env={**os.environ, "PYTHONPATH": str(program), **environment})


@pytest.mark.parametrize("command", list(cases()))
def test_command(command, place, program, request):
    if "utils.py export" in command:
        optional("jax2onnx")
    folder, name = place
    run_id = ""
    if "resume=" in command:
        folder, run_id = request.getfixturevalue("stopped")
    done = run(command, folder, program, name, run_id)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr and done.stdout


def test_the_example_of_porting_learns_what_it_is_for(tmp_path):
    [script] = fenced(HOME / "docs/porting.md", "python")
    (tmp_path / "mlp.py").write_text(script)
    assert "THEANO_FLAGS=device=cpu,floatX=float32 python mlp.py" in commands()
    done = subprocess.run(
        [sys.executable, "mlp.py"], capture_output=True, text=True, cwd=tmp_path, timeout=300,
        env={**os.environ, "PYTHONPATH": ROOT, "THEANO_FLAGS": "device=cpu,floatX=float32"})
    assert done.returncode == 0 and "SlowPath" not in done.stderr, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("epoch")]
    assert len(lines) == 20 and float(lines[-1].split()[-1]) > 0.85
    with np.load(tmp_path / "mlp.npz") as weights:
        assert [weights[name].shape for name in weights.files] == [(20, 50), (50,), (50, 2), (2,)]


def test_the_loader_of_the_page_gives_songs_and_groups(workplace, monkeypatch, parameters):
    [loader] = fenced(HOME / "docs/data.md", "python")
    names = dict(vars(loadDatasets))
    exec(loader, names)
    monkeypatch.setattr(loadDatasets, "MyTakes", names["MyTakes"], raising=False)
    folder = workplace / "data/datasets/MyTakes"
    folder.mkdir()
    for name in ("anna-03-waltz.wav", "bela-01-tango.wav", "notes.txt"):
        (folder / name).touch()
    songs, *_ = loadDatasets.findSongs(parameters("DS.dataset=MyTakes"))
    assert songs.tags == {"anna-03-waltz.wav": "waltz", "bela-01-tango.wav": "tango"}
    assert songs.groups == {"anna-03-waltz.wav": "anna", "bela-01-tango.wav": "bela"}


def test_the_network_of_contributing_can_be_built(monkeypatch, parameters):
    [network] = fenced(HOME / "CONTRIBUTING.md", "python")
    names = dict(vars(buildArchitecture))
    exec(network, names)
    monkeypatch.setattr(buildArchitecture, "myNet", names["myNet"], raising=False)
    output, layers = buildArchitecture.buildNet(None, parameters("DL.type=myNet"), 8)
    assert output.output_shape == (None, 8) and set(layers) == {"input", "hidden"}


@pytest.fixture
def heard(trained, monkeypatch, tmp_path):
    """Return the energies function of docs/export.md, and a song with its spectrogram."""
    monkeypatch.chdir(tmp_path)
    first, second = fenced(HOME / "docs/export.md", "python")
    assert len(first.partition('"""\n')[2].splitlines()) <= 10
    names = {}
    exec(first, names)
    song = str(trained[0] / "data/datasets/Beats/slow/slow 0.wav")
    samples, rate = soundfile.read(song, dtype="float32")
    ds = settings.check(settings.published())["DS"]
    assert rate == 44100
    return names, second, song, samples, ds


def test_the_example_of_export_computes_what_essentia_does(heard):
    names, _, song, samples, ds = heard
    for hop, level in (1024, "as-is"), (700, "rms"):
        asked = {**ds, "hopSize": hop, "level": level}
        front = {**front_end(asked)._asdict(), "hop": hop}
        found = names["energies"](samples, {key: front[key] for key in front if front[key]
                                            is not None})
        expected = compute_spectrogram(song, asked)[0]
        assert found.shape == expected.shape
        np.testing.assert_allclose(compress(found, "log0m1v"), compress(expected, "log0m1v"),
                                   rtol=0, atol=1e-5)


def test_the_example_of_export_tags_a_song(heard, trained, monkeypatch, tmp_path):
    optional("jax2onnx")
    names, tags, song, samples, _ = heard
    monkeypatch.chdir(trained[0])
    utils.export(trained[1], str(tmp_path / "NAME.onnx"))
    answer = predict.Tagger(trained[1]).tag(song)
    monkeypatch.chdir(tmp_path)
    names["samples"] = samples
    exec(tags, names)
    found = names["probabilities"][:len(answer.probabilities)]
    np.testing.assert_allclose(found, answer.probabilities, rtol=0, atol=1e-5)


def test_the_example_of_the_interface_tags(place, monkeypatch, capsys):
    [example] = fenced(HOME / "docs/api.md", "python")
    folder, name = place
    monkeypatch.chdir(folder)
    exec(example.replace("NAME", name), {})
    first, second, *others = capsys.readouterr().out.splitlines()
    predict.main([name, "song.wav", "--format", "jsonl"])
    expected = json.loads(capsys.readouterr().out)
    assert first == expected["tag"] and others == [
        f"song.wav {first}", "other.mp3 cannot be opened: No such file or directory"]
    assert ast.literal_eval(second) == pytest.approx(expected["probabilities"], abs=1e-6)


def test_readme_is_short():
    assert len((HOME / "README.md").read_text("utf-8").splitlines()) <= 150


@pytest.mark.parametrize("page", TEXTS, ids=lambda page: page.name)
def test_lines_of_prose_have_100_columns(page):
    lines = page.read_text("utf-8").splitlines()
    assert [line for line in lines if len(line) > 100 and not line.startswith(("|", "<img"))] == []


def anchors(page):
    """Return the anchors of a page's headings, as GitHub makes them."""
    titles = re.findall(r"^#+ (.*)$", without_fences(page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", LINKED, ids=lambda page: str(page.relative_to(HOME)))
def test_links_resolve(page):
    text = without_fences(page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'src="([^"]+)"', text):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        found = (page.parent / path).resolve() if path else page
        assert found.exists(), target
        assert not anchor or anchor in anchors(found), target


def test_the_page_of_settings_is_current():
    spec = importlib.util.spec_from_file_location("docs_settings", HOME / "docs/settings.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (HOME / "docs/settings.md").read_text("utf-8")
    assert page == module.page(), "run python docs/settings.py"
    tables, _, _ = page.partition("## Recipes")
    assert all(tables.count(f"| `{key}` |") == 1 for key in settings.SETTINGS)


def listed(tree):
    """Return the paths of a listing: folders end in '/', each level is indented by two."""
    folders, paths = [], set()
    for line in tree.splitlines():
        indent, name = re.match(r"( *)(\S+)", line).groups()
        del folders[len(indent) // 2:]
        if name.endswith("/"):
            folders.append(name)
        else:
            paths.add("".join(folders) + name)
    return paths


def test_the_listing_of_the_architecture_is_what_there_is():
    [tree] = fenced(HOME / "docs/architecture.md")
    there = [*HOME.glob("*.py"), *HOME.glob("mirdl/**/*.py"), *HOME.glob("filterbank/*.py")]
    assert listed(tree) == {path.relative_to(HOME).as_posix() for path in there
                            if path.name != "__init__.py"}


def floors():
    """Map each module or package to the number of its floor, 1 the highest."""
    text = (HOME / "docs/architecture.md").read_text("utf-8")
    lines = re.findall(r"^(\d+)\. (.*)$", text, re.MULTILINE)
    return {name.removesuffix(".py").rstrip("/").replace("/", "."): int(number)
            for number, names in lines for name in re.findall("`(.*?)`", names)}


def imports(path):
    """Yield the modules that a file imports; of 'from a import b' both a and a.b."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (node.module, *(f"{node.module}.{alias.name}" for alias in node.names))


def module_of(path):
    return path.relative_to(HOME).with_suffix("").as_posix().replace("/", ".")


def test_each_floor_imports_only_from_below():
    numbers = floors()

    def floor(module):
        parts = module.split(".")
        return next((numbers[name] for count in range(len(parts), 0, -1)
                     if (name := ".".join(parts[:count])) in numbers), 99)
    assert len(numbers) == 24
    for path in (*HOME.glob("*.py"), *HOME.glob("mirdl/*/*.py"), *HOME.glob("mirdl/*.py"),
                 *HOME.glob("filterbank/*.py"), *HOME.glob("theano/**/*.py")):
        own = module_of(path)
        imported = set(imports(path))
        assert {module for module in imported if floor(module) < floor(own)} == set(), own
        if own.startswith(("mirdl.songs", "mirdl.spectrograms")):
            assert not {"theano", "lasagne", "filterbank"} & imported, own


def test_no_imports_go_in_circles():
    paths = [*HOME.glob("*.py"), *HOME.glob("mirdl/**/*.py"), *HOME.glob("filterbank/*.py"),
             *HOME.glob("theano/**/*.py")]
    graph = {module_of(path): set(imports(path)) for path in paths if path.name != "__init__.py"}
    # imports inside functions count, too: they only hide a circle
    list(TopologicalSorter({name: found & graph.keys() for name, found in graph.items()}
                           ).static_order())


def test_the_functions_that_the_architecture_names_are_there():
    text = "".join((HOME / "docs" / name).read_text("utf-8")
                   for name in ("architecture.md", "architecture.svg"))
    named = set(re.findall(r"\b(dl|loadDatasets|buildArchitecture)\.(?!py\b)(\w+)", text))
    assert len(named) > 10
    for module, function in named:
        tree = ast.parse((HOME / f"{module}.py").read_text("utf-8"))
        assert function in {node.name for node in tree.body if hasattr(node, "name")}, function


def test_there_is_one_version():
    [cited] = re.findall(r"^version: (.*)$", (HOME / "CITATION.cff").read_text("utf-8"),
                         re.MULTILINE)
    latest = re.search(r"^## ([\d.]+) - ", (HOME / "CHANGELOG.md").read_text("utf-8"),
                       re.MULTILINE)[1]
    project = tomllib.loads((HOME / "pyproject.toml").read_text("utf-8"))["project"]
    assert cited == latest == project["version"]
