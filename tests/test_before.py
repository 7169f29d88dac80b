"""Files that the version before the rooms of mirdl/ wrote are read by this one.

tests/before holds a finished run, a stopped run, a pickle and a store of spectrograms, and what
that version's predict.py answered. Their songs are made here anew.
"""

import json
import os
import shutil
import wave
from pathlib import Path

import numpy as np
import pytest

import dl
import loadDatasets
import predict
import utils
from mirdl.errors import UserError
from mirdl.results import files, models
from mirdl.results.prose import run_text
from mirdl.system import pickles

BEFORE = Path(__file__).parent / "before"
FINISHED = "Clicks_oNetOne_20261126-011605-7329577f"
STOPPED = "Clicks_oNetOne_20261126-011646-a0d6c7fb"
SPECTROGRAMS = ("DS.dataset=Clicks", "DL.type=oNetOne", "DS.melBands=8", "DS.xInput=50",
                "chunkHop=20", "folds=3", "DL.batchSize=2")


@pytest.fixture
def clicks(workplace):
    """2 tags of 3 wavs of 3 s, clicks at 100 and 150 bpm, of the bytes and time of then."""
    for tag, bpm in (("quick", 150), ("slow", 100)):
        folder = workplace / "data/datasets/Clicks" / tag
        folder.mkdir(parents=True)
        for number in range(3):
            rng = np.random.RandomState(10 * bpm + number)
            samples = rng.randint(-40, 41, 3 * 44100)
            for start in range(rng.randint(8000), 3 * 44100 - 2000, 60 * 44100 // bpm):
                samples[start:start + 2000] += rng.randint(-6000, 6001, 2000)
            path = folder / f"{number}.wav"
            with wave.open(str(path), "wb") as file:
                file.setnchannels(1)
                file.setsampwidth(2)
                file.setframerate(44100)
                file.writeframes(samples.astype("<i2").tobytes())
            os.utime(path, ns=(10**18, 10**18))
    return workplace


@pytest.fixture
def finished(clicks):
    shutil.copytree(BEFORE / "done", clicks / "data/results", dirs_exist_ok=True)
    return clicks


@pytest.mark.essentia
@pytest.mark.parametrize("kind, words", [
    ("pickle", "loaded the spectrograms of 6 songs from data/preloaded/Clicks_2048_1024_mel_8_"),
    ("store", "the spectrograms of 6 songs are read from data/preloaded/Clicks_2048_1024_mel_8_")])
def test_spectrograms(clicks, parameters, capsys, kind, words):
    computed = loadDatasets.load_dataset(parameters(*SPECTROGRAMS))
    shutil.rmtree(clicks / "data/preloaded")
    shutil.copytree(BEFORE / kind, clicks / "data/preloaded")
    store = "disk" if kind == "store" else "memory"
    capsys.readouterr()
    loaded = loadDatasets.load_dataset(parameters(*SPECTROGRAMS), store=store)
    out = capsys.readouterr().out
    assert words in out and "anew" not in out and "stale" not in out
    assert loaded.names == computed.names
    for one, other in zip(loaded.spectrograms, computed.spectrograms, strict=True):
        np.testing.assert_allclose(np.asarray(one), other, rtol=1e-5, atol=1e-6)


def test_predict_answers_as_then(finished, capsys):
    songs = ["data/datasets/Clicks/quick/0.wav", "data/datasets/Clicks/slow/1.wav"]
    predict.main([FINISHED, *songs, "--format", "json"])
    with open(BEFORE / "predict.json") as file:
        expected = json.load(file)
    for one, other in zip(json.loads(capsys.readouterr().out), expected, strict=True):
        assert one["tag"] == other["tag"] and one["votes"] == other["votes"]
        for chunk, then in zip(one["chunks"], other["chunks"], strict=True):
            assert chunk["start"] == pytest.approx(then["start"])
            assert chunk["probabilities"] == pytest.approx(then["probabilities"], abs=1e-5)


def test_a_model_is_tested_as_then(finished, parameters):
    then = files.read_outcomes(FINISHED).outcomes[1]
    [*_] = outcomes = dl.main(parameters(*SPECTROGRAMS, f"mode={then.name}"))
    assert outcomes[1].votes == then.votes and outcomes[1].utterances == then.utterances
    assert outcomes[1].loss == pytest.approx(then.loss, abs=1e-5)


@pytest.mark.slow
def test_pictures_and_tables(finished):
    result = files.read_outcomes(FINISHED)
    content = result.to_json()
    assert set(content.pop("intervals")) == {"majorityVote"}, "which follow from the votes"
    with open(files.path_of(files.cross_validation(FINISHED), ".json")) as file:
        assert content == json.load(file), "it is written as it was"
    with open(files.path_of(files.cross_validation(FINISHED), ".result")) as file:
        assert run_text(result) == file.read()
    [matrix] = pickles.load(files.path_of(files.cross_validation(FINISHED), ".confusionMatrix"))
    np.testing.assert_array_equal(matrix, result.confusion)
    assert FINISHED in utils.compare(FINISHED, FINISHED)
    for path in (utils.trainingEvolution(FINISHED), utils.confusion(FINISHED),
                 utils.filters(FINISHED), utils.report(FINISHED)):
        assert os.path.getsize(path) > 10000
    info = models.load_best(FINISHED).info
    assert info.classes == ["quick", "slow"] and len(info.training_songs) == 2


def test_a_stopped_run_is_refused_in_one_line(clicks, parameters):
    shutil.copytree(BEFORE / "stopped", clicks / "data/results", dirs_exist_ok=True)
    for run_id in ("last", STOPPED.rpartition("_")[2]):
        with pytest.raises(UserError, match=f"cannot go on from 'data/results/{STOPPED}.checkpoint'"
                                            ": another version of this program wrote it; begin"):
            dl.resume(run_id, parameters())
    assert len(os.listdir("data/results")) == len(os.listdir(BEFORE / "stopped")), "nothing is lost"
