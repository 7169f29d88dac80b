"""run.py as a user starts it: what it prints, how it ends, and that it may be edited."""

import copy
import json
import os
import re
import shutil
import subprocess
import sys

import makeSounds
import pytest
from conftest import ROOT, as_published, ended, small

import dl
import run
from mirdl import settings


def test_help_shows_every_setting_with_the_value_of_run_py(capsys):
    run.main(["--help"])
    out = capsys.readouterr().out
    for key, value in settings.flat(run.parameters):
        assert f"  {key}={value} " in out or f"  {key}={value}\n" in out


def test_it_hands_the_parameters_to_dl(workplace, monkeypatch, capsys):
    given, before = [], copy.deepcopy(run.parameters)
    monkeypatch.setattr(dl, "main", given.append)
    monkeypatch.setattr(dl, "resume", lambda run_id, chosen: given.extend([run_id, chosen]))
    run.main(["folds=4"])
    run.main(["resume=last", "workers=2"])
    assert given == [{**run.parameters, "folds": 4}, "last", {**run.parameters, "workers": 2}]
    assert "override: folds = 4 (was " in capsys.readouterr().out
    assert run.parameters == before, "a copy is changed"


@pytest.mark.parametrize("arguments, line", [
    (["folds=many"], "error: folds=many is not allowed: expected a whole number of 1 or more"),
    pytest.param(
        ["DS.dataset=Beat"],
        "error: there is no data set 'Beat': expected the folder {datasets}/Beat with one folder "
        "of songs per class; data sets there: Beats", marks=pytest.mark.slow),
])
def test_an_error_is_one_line_and_status_1(here, script, arguments, line):
    done = script("run.py", *small(), *arguments)
    expected = line.format(datasets=os.path.realpath("data/datasets"))
    assert done.returncode == 1 and done.stderr.splitlines()[-1] == expected
    assert "Traceback" not in done.stderr and not os.listdir("data/results")


@pytest.mark.slow
def test_no_library_warns_of_many_tags_with_few_songs(workplace, script):
    """As scikit-learn does; `script` reads all that is printed."""
    for song in range(72):
        path = workplace / "data/datasets/Many" / f"tag{song % 24:02}" / f"{song}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(makeSounds.wav(makeSounds.noise(2.5)))
    done = script("run.py", *small("DS.dataset=Many", "DS.xInput=80", "DL.num_epochs=1",
                                   "asPublished=False", "baselines=True"))
    assert done.returncode == 0 and "Paired test against" in done.stdout
    assert "warning" not in (done.stdout + done.stderr).lower()


def mounted(command):
    """Run run.py after a mount that only it sees; skip the test where that is not allowed."""
    for way in (["unshare", "-m"], ["unshare", "-rm"]):
        trial = [*way, "mount", "-t", "tmpfs", "tmpfs", "data/results"]
        if shutil.which("unshare") and not subprocess.run(trial, capture_output=True).returncode:
            return ended([*way, "sh", "-c", f'{command} && exec "$0" "$@"', sys.executable,
                          os.path.join(ROOT, "run.py"), *as_published(*small())])
    pytest.skip("mounting is not allowed here")


@pytest.mark.slow
def test_results_that_cannot_be_written_are_told(here):
    done = mounted("mount -t tmpfs -o ro tmpfs data/results")
    assert done.returncode == 1 and done.stderr.splitlines()[-1] == (
        "error: cannot write 'data/results': Read-only file system; free some space or change the "
        "permissions of its folder, then run again")


@pytest.mark.slow
def test_a_disk_too_small_for_the_spectrograms_is_told(here):
    done = mounted("mount -t tmpfs -o size=40k tmpfs data/preloaded")
    path = "data/preloaded/Beats_2048_1024_mel_40_blackmanharris62.store"
    assert done.returncode == 1 and done.stderr.splitlines()[-1] == (
        f"error: cannot write '{path}': No space left on device; free some space or change the "
        "permissions of its folder, then run again")
    assert not os.listdir("data/results")


# what a user may have set in run.py, as the text of a line there
EDITED = {
    "DL.type": '"pNetOne"', "chunkHop": "80", "folds": "4", "randomTry": "2", "random_seed": "12",
    "asPublished": "False", "workers": "2", "DL.lr": "0.5", "DS.dataset": '"Beats"',
    "DS.melBands": "20"}

# what the other tests rely on, in a process of the edited program
RELIED_ON = """if True:
    import json, sys
    sys.path[:0] = sys.argv[1:]
    import conftest
    import run
    from mirdl import settings
    print(json.dumps([
        settings.published(), dict(settings.flat(run.parameters)),
        dict(settings.flat(settings.override(
            run.parameters, conftest.as_published("folds=3"), tell=str))),
        conftest.as_published("resume=last"), settings.complete({"folds": 7}), run.__file__]))
    """


def test_the_tests_do_not_depend_on_the_values_in_run_py(tmp_path):
    """Edit ten settings in a copy of the program."""
    for name in ("mirdl", "filterbank", "theano"):
        os.symlink(os.path.join(ROOT, name), tmp_path / name)
    with open(os.path.join(ROOT, "run.py"), encoding="utf-8") as file:
        text = file.read()
    for key, value in EDITED.items():
        place = "".join(f'["{part}"]' for part in key.split("."))
        text, count = re.subn(rf"^(parameters{re.escape(place)} +=) \S+", rf"\1 {value}", text,
                              flags=re.MULTILINE)
        assert count == 1, key
    (tmp_path / "run.py").write_text(text, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-c", RELIED_ON, str(tmp_path), os.path.join(ROOT, "tests"),
         os.path.join(ROOT, "tests", "support")],
        capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    published, edited, undone, resumed, completed, path = json.loads(done.stdout)
    expected = settings.published()
    assert path == str(tmp_path / "run.py") and published == expected
    assert {key for key, value in settings.flat(expected) if edited[key] != value} >= set(EDITED)
    assert undone == {**dict(settings.flat(expected)), "folds": 3}
    *others, last = resumed
    assert last == "resume=last" and "workers=1" in others
    assert {argument.split("=")[0] for argument in others} <= set(
        settings.keys(settings.EXECUTION)), "a stopped run has its other settings"
    assert completed == settings.complete({"folds": 7})
