"""Songs that may have several tags, from a table of them to tags of other songs."""

import csv
import io
import json
import os

import numpy as np
import pytest
from conftest import optional
from makeMiniRhythm import write_wav
from sklearn.metrics import average_precision_score, precision_recall_fscore_support

import buildArchitecture
import dl
import loadDatasets
import predict
import utils
from mirdl import settings
from mirdl.errors import UserError
from mirdl.results import files, models
from mirdl.songs.dataset import Songs

RATE, SONGS = 44100, 60
TAGS = {"hum": 150, "tone": 900, "whistle": 4000}       # in Hz, and clicks
LABELS = "DS.labels=labels.csv"
ASKED = ("DS.dataset=Sounds", LABELS, "DL.type=ear", "DS.xInput=60", "chunkHop=20", "folds=2",
         "DL.batchSize=8", "DL.num_epochs=50", "DL.update=adam", "DL.lr=0.01", "stratified=True",
         "asPublished=False")


def sound(tags, rng, seconds=2):
    """Make noise in which there is the sound of each tag."""
    time = np.arange(int(seconds * RATE)) / RATE
    samples = rng.normal(0, 200, len(time))
    for tag in sorted(tags & TAGS.keys()):     # a set has another order in each process
        pitch = TAGS[tag] * rng.uniform(0.98, 1.02)
        samples += rng.uniform(1500, 3000) * np.sin(2 * np.pi * (pitch * time + rng.rand()))
    if "clicks" in tags:
        for start in np.arange(rng.uniform(0, 0.2), seconds - 0.1, 0.25):
            samples[int(start * RATE):][:500] += rng.normal(0, 9000, 500)
    return samples.astype(np.int16)


@pytest.fixture(scope="session")
def tagged(tmp_path_factory):
    """Make Sounds, 60 songs of four tags that overlap and of a rare one; give name -> tags."""
    rng, folder = np.random.RandomState(7), tmp_path_factory.mktemp("tagged")
    place, tags = folder / "data/datasets/Sounds", {}
    place.mkdir(parents=True)
    for number in range(SONGS):
        name = f"song {number:02}.wav"
        tags[name] = {tag for tag in (*TAGS, "clicks") if rng.rand() < 0.4}
        write_wav(place / name, sound(tags[name], rng))
        if number % 25 == 0:
            tags[name].add("ghost")
    rows = [(name, tag) for name, found in tags.items() for tag in sorted(found) or [""]]
    (folder / "labels.csv").write_text("song,tag\n" + "".join(
        f"{name},{tag}\n" for name, tag in rows))
    cells = [f"{name},{'|'.join(sorted(found))}\n" for name, found in tags.items()]
    (folder / "cells.csv").write_text("song,tag\n" + "".join(cells))
    return folder, tags


def ear(input_var, parameters, numClasses):
    """Build a network that compiles quickly: maximum and mean of each band over time, 60 units."""
    data = buildArchitecture.inputLayer(input_var, parameters)
    mean = buildArchitecture.Pool2DLayer(data, (1, 60), mode="average_inc_pad")
    both = buildArchitecture.ConcatLayer([buildArchitecture.maxOverTime(data), mean])
    hidden = buildArchitecture.DenseLayer(both, 60)
    return buildArchitecture.outputLayer(hidden, numClasses), {"input": data, "hidden": hidden}


@pytest.fixture(scope="session")
def learnt(tagged):
    """Cross-validate a network on Sounds; give what was printed, and the run's name."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tagged[0])
        patch.setattr(buildArchitecture, "ear", ear, raising=False)
        patch.setattr("mirdl.training.baselines.TREES", 20)
        printed = io.StringIO()
        patch.setattr("sys.stdout", printed)
        outcomes = dl.main(settings.check(settings.override(settings.published(), ASKED, str)))
    return printed.getvalue(), outcomes[0].name.removesuffix("-f0")


@pytest.fixture
def run(tagged, learnt, monkeypatch):
    """Go where Sounds and the run are; give the run's name."""
    monkeypatch.chdir(tagged[0])
    monkeypatch.setattr(buildArchitecture, "ear", ear, raising=False)
    return learnt[1]


def test_overlapping_tags_are_learnt(run, learnt, tagged):
    printed, result = learnt[0], files.read_outcomes(run)
    classes, songs = ["clicks", "hum", "tone", "whistle"], sum(
        (outcome.songs for outcome in result.outcomes), [])
    assert result.classes == classes and sorted(songs) == sorted(tagged[1])
    true = np.array([[tag in tagged[1][song] for tag in classes] for song in songs])
    np.testing.assert_array_equal(result.has, true)
    assert {0, 1, 2} <= set(true.sum(axis=1)), "songs without a tag, with one, with several"
    with open(files.path_of(files.cross_validation(run), ".json")) as file:
        content = json.load(file)
    expected = average_precision_score(true, result.probabilities, average=None)
    assert np.mean(expected) > 0.9
    assert content["means"]["average-precision"] == pytest.approx(np.mean(expected), abs=1e-12)
    assert [figures["average-precision"] for figures in content["perClass"].values()] == (
        pytest.approx(expected))
    precision, recall, f1, songs = precision_recall_fscore_support(
        true, result.probabilities >= result.thresholds)
    assert [figures["f1-score"] for figures in content["perClass"].values()] == pytest.approx(f1)
    for outcome, fold in zip(result.outcomes, content["folds"], strict=True):
        at = np.array([[tag in tagged[1][song] for tag in classes] for song in outcome.songs])
        found = 100 * average_precision_score(at, outcome.probabilities)
        assert fold["averagePrecision"] == pytest.approx(found)
    assert "1 tag is left out, as fewer than DS.leastSongs=5 songs have it: 'ghost'" in printed
    assert "[CV-AVERAGEPRECISION] mean average precision:" in printed
    assert [each.name for each in result.baselines] == [
        "tags' shares", "logistic regression", "random forest"]
    assert result.baselines[0].mean == pytest.approx(100 * true.mean(), abs=3)


def test_the_best_model_is_that_of_the_highest_precision_of_validation_songs(run):
    for name in files.runs(run):
        curves = files.read_training(name)
        assert curves.columns[-1] == "validationAveragePrecision"
        best = files.read_outcomes(name).outcomes[0].best_epoch
        assert best == curves.validation_accuracy.argmax()
        assert models.load(name).info.validation == curves.validation_accuracy.max()


def test_folds_keep_each_tags_share(run, parameters):
    dataset = loadDatasets.load_dataset(parameters(*ASKED))
    assert dataset.several and dataset.labels.dtype == np.float32
    folds = [loadDatasets.foldOf(dataset, number, parameters(*ASKED)) for number in range(2)]
    counts = [dataset.has[fold.songs.test].sum(axis=0) for fold in folds]
    assert np.abs(counts[0] - counts[1]).max() <= 1
    assert folds[0].train.y.shape == (len(folds[0].train), 4)


def test_a_cell_of_tags_is_as_good_as_rows(run, parameters, capsys):
    rows, cells = (loadDatasets.load_dataset(parameters(*ASKED, f"DS.labels={name}.csv"))
                   for name in ("labels", "cells"))
    assert rows.fingerprint()["songs"] == cells.fingerprint()["songs"]
    one = loadDatasets.load_dataset(parameters(*ASKED, "DS.leastSongs=1"))
    assert one.classes == ["clicks", "ghost", "hum", "tone", "whistle"]


def test_a_loader_may_give_several_tags(run, tagged, parameters, monkeypatch):
    def Sounds(folder):
        return Songs({name: (os.path.join(folder, name), tuple(tags))
                      for name, tags in tagged[1].items()})
    asked = parameters(*ASKED)
    by_table = loadDatasets.load_dataset(asked)
    Sounds.__module__ = "loadDatasets"
    monkeypatch.setattr(loadDatasets, "Sounds", Sounds, raising=False)
    by_loader = loadDatasets.load_dataset(parameters(*ASKED, "DS.labels="))
    assert by_loader.fingerprint()["songs"] == by_table.fingerprint()["songs"]


def test_other_songs_are_given_the_tags_above_their_thresholds(run, tmp_path, capsys):
    rng = np.random.RandomState(9)
    song = str(tmp_path / "new.wav")
    silent = sound(set(), rng, 2)
    write_wav(song, np.concatenate([sound({"hum", "whistle"}, rng, 8), silent,
                                    sound({"whistle"}, rng, 3)]))

    def told(*arguments):
        capsys.readouterr()
        predict.main([run, song, *arguments])
        return capsys.readouterr().out
    [answer] = json.loads(told("--format", "json"))
    assert {"hum", "whistle"} <= set(answer["tags"])
    assert all((answer["probabilities"][tag] >= threshold) == (tag in answer["tags"])
               for tag, threshold in answer["thresholds"].items())
    [row] = csv.DictReader(io.StringIO(told("--format", "csv")))
    assert row["tags"].split("|") == answer["tags"]
    assert float(row["hum"]) == pytest.approx(answer["probabilities"]["hum"], abs=1e-4)
    assert row["tags"] in told() and "tags" in told("--chunks").splitlines()[0]
    segments = list(csv.DictReader(io.StringIO(told("--segments", "--format", "csv"))))
    hums = [row for row in segments if row["tag"] == "hum"]
    whistles = [row for row in segments if row["tag"] == "whistle"]
    assert len(hums) == 1 and len(whistles) == 2, "tags overlap, and pause"
    assert float(hums[0]["end"]) == pytest.approx(8, abs=1)
    lines = [line.split("\t") for line in told("--format", "audacity").splitlines()]
    assert [tag for *_, tag in lines] == [row["tag"] for row in segments]
    ensemble = json.loads(told("--format", "json", "--ensemble"))[0]
    assert {"hum", "whistle"} <= set(ensemble["tags"])


def test_what_a_run_leaves_is_shown(run, tagged):
    text = utils.songs(run)
    assert "missed" in text and text.endswith(" of 60 songs")
    assert "average precision" in utils.compare(run, run)
    with open(utils.report(run)) as file:
        page = file.read()
    assert "wrongly given" in page and "thresholds from other songs" in page
    assert "Confusion" not in page and "Reliability" not in page
    with pytest.raises(UserError, match="no votes of songs: songs may have several tags"):
        utils.confusion(run)


@pytest.mark.slow
def test_an_exported_model_gives_the_same_probabilities_and_has_the_thresholds(run):
    session = optional("onnxruntime").InferenceSession(utils.export(run).splitlines()[0])
    energies = np.random.RandomState(1).gamma(0.3, 0.01, (40, 120)).astype(np.float32)
    tagger = predict.Tagger(run)
    answer = tagger.answer("song.wav", energies.copy())
    x = np.stack([energies[None, :, start:start + 60] for start in (0, 20, 40, 60)])
    [found] = session.run(None, {"x": x})
    np.testing.assert_allclose(found, answer.probabilities, atol=1e-5)
    about = session.get_modelmeta().custom_metadata_map
    assert json.loads(about["thresholds"]) == tagger.thresholds.tolist()


@pytest.mark.slow
def test_a_song_is_occluded_by_its_likeliest_tag(run, tagged):
    song = str(tagged[0] / "data/datasets/Sounds/song 00.wav")
    assert os.path.exists(utils.occlusion(run, song))


def test_a_run_is_tested_again_as_it_was(run, parameters):
    then = files.read_outcomes(run).outcomes
    again = dl.main(parameters(*ASKED, f"mode={run}", "baselines=False"))
    for one, other in zip(again, then, strict=True):
        # in other batches, which may change the last of 4 digits
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=1.1e-4)
        np.testing.assert_allclose(one.average_precision, other.average_precision, atol=0.5)
        np.testing.assert_allclose(one.thresholds, other.thresholds, atol=1e-3)


@pytest.mark.slow
def test_several_trainings_at_once_learn_the_same(run, parameters):
    asked = *ASKED, "baselines=False", "DL.num_epochs=2"
    alone, together = (dl.main(parameters(*asked, *others)) for others in (
        (), ("foldsTogether=True",)))
    for one, other in zip(alone, together, strict=True):
        np.testing.assert_allclose(one.probabilities, other.probabilities, atol=2e-4)


@pytest.mark.parametrize("setting, usual", [
    ("DL.classWeights=balanced", "none"), ("DL.cost=squared_error", "crossentropy"),
    ("testMethod=majorityVote", "all")])
def test_settings_for_one_tag_are_refused(run, parameters, setting, usual):
    key = setting.partition("=")[0]
    with pytest.raises(UserError, match=f"^{setting} is for songs of one tag each, .* 'Sounds' "
                                        f"may have several; set {key}={usual}$"):
        dl.main(parameters(*ASKED, setting))


def test_labels_that_overlap_are_two_tags_at_once(run, tmp_path, parameters, capsys):
    labels = tmp_path / "labels"
    labels.mkdir()
    for number in range(8):
        (labels / f"song {number:02}.txt").write_text("0\t1.5\ta\n0.4\t2\tb\n")
    asked = parameters(*ASKED, f"DS.labels={labels}", "DS.short=repeat")
    dataset = loadDatasets.load_dataset(asked)
    assert dataset.classes == ["a", "b"] and len(dataset.names) == 24
    found = dict(zip(dataset.names, dataset.tags, strict=True))
    assert found["song 03.wav 0.000-0.400"] == "a" and found["song 03.wav 1.500-2.000"] == "b"
    assert found["song 03.wav 0.400-1.500"] == "a|b"
    (labels / "song 00.txt").write_text("0\t1.5\ta\n1\t2\ta\n")
    with pytest.raises(UserError, match="starts at 1.0 s, within 'a' from 0.0 to 1.5 s; a stretch"):
        loadDatasets.load_dataset(asked)
