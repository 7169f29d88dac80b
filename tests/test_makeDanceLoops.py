"""The embedded data set: what it holds, and that it is the same everywhere.

Also that a style shows in the rhythm, but not in the spectrum.
"""

import hashlib
import os
import re
import signal
import subprocess
import sys
import time
import wave
from collections import Counter
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, link
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import loadDatasets
from mirdl import settings

pytestmark = pytest.mark.xdist_group("danceLoops")     # one worker makes the data set

SCRIPT = Path(__file__).resolve().parent.parent / "data" / "makeDanceLoops.py"
SPEC = spec_from_file_location("makeDanceLoops", SCRIPT)
makeDanceLoops = module_from_spec(SPEC)
SPEC.loader.exec_module(makeDanceLoops)
STYLES = ["ChaChaCha", "Jive", "Quickstep", "Rumba", "Samba", "Tango", "VienneseWaltz", "Waltz"]


def run(*arguments):
    return subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True,
                          timeout=300)


def partial(out):
    return out / ".DanceLoops.part"


def onlyOneClipMissing(danceLoops, out):
    """Make the files of a run that was stopped before its last clip; return that clip's name."""
    for source in danceLoops.glob("*/*.wav"):
        copy = partial(out) / source.relative_to(danceLoops)
        copy.parent.mkdir(parents=True, exist_ok=True)
        os.link(source, copy)
    (partial(out) / "Waltz" / "Waltz_07.wav").unlink()
    return "Waltz/Waltz_07.wav"


@pytest.fixture(scope="module")
def danceLoops(tmp_path_factory):
    """Make the data set in two runs, of which the first is killed; return its folder."""
    out = tmp_path_factory.mktemp("datasets")
    first = subprocess.Popen([sys.executable, SCRIPT, out], stderr=subprocess.DEVNULL,
                             start_new_session=True)
    while first.poll() is None and len(list(partial(out).glob("*/*.wav"))) < 5:
        time.sleep(0.05)
    os.killpg(first.pid, signal.SIGKILL)
    first.wait()
    assert not (out / "DanceLoops").exists()
    kept = {path.name: path.stat().st_mtime_ns for path in partial(out).glob("*/[!.]*.wav")}
    assert run(out).returncode == 0
    folder = out / "DanceLoops"
    again = {path.name: path.stat().st_mtime_ns for path in folder.glob("*/*.wav")}
    assert len(kept) >= 5 and kept.items() <= again.items(), "the second run made whole clips again"
    return folder


@pytest.fixture(scope="module")
def loaded(danceLoops, tmp_path_factory):
    """Load the data set as a run does; return the folder that holds data, and the data set."""
    folder = tmp_path_factory.mktemp("loaded")
    (folder / "data" / "datasets").mkdir(parents=True)
    link(danceLoops, folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return folder, loadDatasets.load_dataset(settings.check(settings.override(
            settings.published(), ["DS.dataset=DanceLoops"])))


@pytest.fixture(scope="module")
def spectrograms(loaded):
    """Return the tags, and log10(10000 x + 1) of each song's mel bands (40, frames)."""
    return loaded[1].labels, loaded[1].spectrograms


def accuracy(features, tags):
    """Return that of a logistic regression, over five folds."""
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=3000))
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return cross_val_score(model, features, tags, cv=folds).mean()


@pytest.mark.slow
def test_bands_mean_and_deviation_do_not_tell_the_style(spectrograms):
    tags, songs = spectrograms
    still = [np.concatenate([x.mean(axis=1), x.std(axis=1)]) for x in songs]
    assert accuracy(still, tags) < 0.33         # guessing gives 0.125


@pytest.mark.slow
def test_rhythm_tells_the_style(spectrograms):
    """The same regression on the autocorrelation of the onsets, up to lags of 3 s."""
    tags, songs = spectrograms

    def autocorrelation(x):
        onsets = np.maximum(np.diff(x), 0).mean(axis=0)
        onsets -= onsets.mean()
        power = np.abs(np.fft.rfft(onsets, 2 * len(onsets))) ** 2
        lags = np.fft.irfft(power)[:130]
        return lags[10:] / lags[0]

    assert accuracy([autocorrelation(x) for x in songs], tags) > 0.75


@pytest.mark.parametrize("tag", STYLES)
def test_a_clip_has_the_stored_sum(tag, tmp_path):
    """The first clip of each style, made in this process."""
    (tmp_path / tag).mkdir()
    makeDanceLoops.writeClip(tmp_path, tag, 0)
    name = makeDanceLoops.clipName(tag, 0)
    digest = hashlib.sha256((tmp_path / name).read_bytes()).hexdigest()
    assert digest == makeDanceLoops.storedSums()[name]


@pytest.mark.slow
def test_every_clip_has_the_stored_sum(danceLoops):
    sums = makeDanceLoops.storedSums()
    assert len(sums) == 200
    for name, digest in sums.items():
        assert hashlib.sha256((danceLoops / name).read_bytes()).hexdigest() == digest, name


@pytest.mark.slow
def test_clips_are_44100_hz_16_bit_mono_of_15_to_30_seconds(danceLoops):
    count = Counter(path.parent.name for path in danceLoops.rglob("*") if path.is_file())
    assert sorted(count) == STYLES and min(count.values()) >= 20
    for path in danceLoops.glob("*/*.wav"):
        with wave.open(str(path)) as clip:
            assert (clip.getframerate(), clip.getsampwidth(), clip.getnchannels()) == (44100, 2, 1)
            assert 15 <= clip.getnframes() / 44100 <= 30
            samples = np.frombuffer(clip.readframes(clip.getnframes()), "<i2")
        assert 8000 < np.abs(samples.astype(int)).max() < 32767, f"{path.name} is faint or clipped"


def test_a_set_of_the_size_of_another(tmp_path, capsys):
    ballroom = makeDanceLoops.LIKE["Ballroom"]
    assert sum(ballroom.clips.values()) == 698 and set(ballroom.clips) == set(STYLES)
    assert ballroom.clips["Waltz"] == 110 and ballroom.seconds == (30, 30)
    few = ballroom._replace(clips=dict.fromkeys(STYLES, 0) | {"Jive": 2, "Waltz": 1})
    makeDanceLoops.make(tmp_path, few)
    assert (f"{tmp_path}/BallroomLoops: 8 styles, 0 to 2 clips each, 3 in all\n"
            in capsys.readouterr().out)
    found = sorted(tmp_path.rglob("*.wav"))
    assert [path.name for path in found] == ["Jive_00.wav", "Jive_01.wav", "Waltz_00.wav"]
    for path in found:
        with wave.open(str(path)) as clip:
            assert clip.getnframes() == 30 * 44100
    makeDanceLoops.make(tmp_path, few)
    assert capsys.readouterr().out == (f"{tmp_path}/BallroomLoops already exists; delete it to "
                                       "make it again\n")


def test_tempi_and_meters_are_the_ballrooms():
    """Dance schools' ranges, widened by 3 %; Samba is counted in crotchets of its 2/4."""
    ballroom = {"ChaChaCha": (120, 128, 4), "Jive": (168, 176, 4), "Quickstep": (200, 208, 4),
                "Rumba": (100, 108, 4), "Samba": (96, 104, 2), "Tango": (128, 132, 4),
                "VienneseWaltz": (174, 180, 3), "Waltz": (84, 90, 3)}
    for tag, (slowest, fastest, beats) in ballroom.items():
        style = makeDanceLoops.STYLES[tag]
        assert slowest / 1.03 < style.bpm[0] < style.bpm[1] < fastest * 1.03
        assert style.beats == beats


@pytest.mark.parametrize("tag", STYLES)
def test_rhythms_are_whole_bars_of_rests_and_weights(tag):
    style = makeDanceLoops.STYLES[tag]
    for rhythms in style.voices.values():
        assert len(set(rhythms)) >= 2, "a style varies its rhythms"
        for rhythm in rhythms:
            bars, rest = divmod(len(rhythm), style.beats * style.ticks)
            assert rest == 0 and bars in (1, 2)
            assert set(rhythm) <= set(".123456789")


@pytest.mark.slow
def test_check_names_what_is_wrong_and_a_rerun_changes_nothing(danceLoops, tmp_path):
    out = danceLoops.parent
    assert run(out, "--check").returncode == 0
    assert "already exists" in run(out).stdout
    missing = onlyOneClipMissing(danceLoops, tmp_path)
    partial(tmp_path).rename(tmp_path / "DanceLoops")
    answer = run(tmp_path, "--check")
    assert answer.returncode == 1 and missing in answer.stderr and "Traceback" not in answer.stderr


@pytest.mark.slow
def test_leftovers_of_a_stopped_run_do_not_get_into_the_set(danceLoops, tmp_path):
    onlyOneClipMissing(danceLoops, tmp_path)
    (partial(tmp_path) / "Waltz" / ".Waltz_07.wav.x1.part").write_bytes(b"RIFF")
    truncated = partial(tmp_path) / "Jive" / "Jive_03.wav"
    content = truncated.read_bytes()
    truncated.unlink()
    truncated.write_bytes(content[:1000])
    assert run(tmp_path).returncode == 0
    assert makeDanceLoops.wrongFiles(tmp_path / "DanceLoops") == []
    assert [path.name for path in tmp_path.iterdir()] == ["DanceLoops"]


@pytest.mark.parametrize("arguments, expected", [
    (["a.txt"], "is not a folder"),
    (["nowhere", "--check"], "no folder"),
    (["a", "b"], "unrecognized arguments: b"),
    (["a", "--like", "GTZAN"], "argument --like: invalid choice: 'GTZAN' (choose from"),
    (["a", "--like", "Ballroom", "--check"], "not allowed with argument"),
])
def test_wrong_arguments_get_one_clear_line(arguments, expected, tmp_path):
    (tmp_path / "a.txt").write_text("not a folder")
    answer = subprocess.run([sys.executable, SCRIPT, *arguments], capture_output=True, text=True,
                            cwd=tmp_path)
    assert answer.returncode != 0
    assert expected in answer.stderr.splitlines()[-1] and "Traceback" not in answer.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.slow
def test_make_run_reaches_85_percent(loaded, script, monkeypatch):
    """The main job, with the settings that the Makefile gives it."""
    monkeypatch.chdir(loaded[0])
    makefile = Path(ROOT, "Makefile").read_text()
    [command] = re.findall(r"run\.py (DS\.dataset=DanceLoops .*)", makefile)
    ended = script("run.py", *command.split())
    assert ended.returncode == 0, ended.stderr
    pattern = r"\[CV-MAJORITYVOTE\] test accuracy:\n  mean:\t\t([\d.]+) %"
    [accuracy] = re.findall(pattern, ended.stdout)
    assert float(accuracy) >= 85
