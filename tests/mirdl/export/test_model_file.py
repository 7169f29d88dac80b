import json
import os

import numpy as np
import pytest
from conftest import ROOT, optional

import utils
from mirdl.errors import UserError
from mirdl.results import files, models
from mirdl.spectrograms.front_end import front_end

onnx = optional("onnx")
graph = optional("mirdl.export.graph")


def about(path):
    return {each.key: each.value for each in onnx.load(path).metadata_props}


def test_a_run_becomes_its_best_model_and_the_front_end_beside_it(untrained):
    run = untrained("DL.type=oNetOne", "DS.dataset=Beats", "chunkHop=80")
    left = [files.path_of("", f".x{ending}.abcdefgh.part") for ending in (".onnx", ".frontend.npz")]
    for path in left:       # by an export that was killed
        open(path, "w").close()
    paths = utils.export(run).split("\n")
    assert paths == [files.path_of(run, ".onnx"), files.path_of(run, ".frontend.npz")]
    assert not any(map(os.path.exists, left))
    said, info = about(paths[0]), models.load_best(run).info
    assert json.loads(said["classes"]) == info.classes
    assert json.loads(said["models"]) == [f"{run}-f0"]
    assert (said["sample_rate"], said["frame_hop"], said["chunk_frames"], said["chunk_hop"]) == (
        "44100", "1024", "250", "80")
    assert said["licence"] == "not stated" and said["normalisation"] == "inside"
    assert json.loads(said["parameters"])["DL"]["type"] == said["network"] == "oNetOne"
    front = front_end(json.loads(said["parameters"])["DS"])
    assert json.loads(said["essentia"]) == front.chain
    assert set(json.loads(said["versions"])["export"]) == {"jax", "jax2onnx", "onnx"}
    with np.load(paths[1]) as arrays:
        np.testing.assert_array_equal(arrays["window"], front.window)
        np.testing.assert_array_equal(arrays["mel"], front.mel)
        assert arrays["hop"] == 1024


def test_an_ensemble_in_a_file_of_ones_own(untrained):
    run = untrained("DL.type=oNetOne", "DS.inputNormWhere=local", moments=[None, None])
    assert utils.export(run, "mine.onnx", "--ensemble", "--licence=CC BY 4.0") == (
        "mine.onnx\nmine.frontend.npz")
    said = about("mine.onnx")
    assert json.loads(said["models"]) == [f"{run}-f0", f"{run}-f1"]
    assert said["licence"] == "CC BY 4.0" and "are inputs" in said["normalisation"]


def test_magnitudes_have_no_mel_matrix(untrained):
    run = untrained("DL.type=oNetOne", "DS.specTransform=magnitudeSTFT", "DS.frameSize=64")
    _, beside = utils.export(run).split("\n")
    with np.load(beside) as arrays:
        assert sorted(arrays) == ["hop", "window"]


def test_a_model_of_songs_at_one_level_says_which(untrained):
    path, beside = utils.export(untrained("DL.type=oNetOne", "DS.level=rms")).split("\n")
    assert about(path)["level"] == "rms"
    with np.load(beside) as arrays:
        assert arrays["level"] == 1e-2, "the mean of a song's mel energies"


def test_what_cannot_be_written_leaves_nothing(untrained, monkeypatch):
    run = untrained("DL.type=oNetOne")
    monkeypatch.setattr(graph, "computed", lambda *given: np.zeros((3, 5)))
    before = sorted(os.listdir(files.FOLDER))
    with pytest.raises(UserError, match="the network oNetOne cannot be exported"):
        utils.export(run)
    assert sorted(os.listdir(files.FOLDER)) == before


@pytest.mark.parametrize("path, words", [
    ("model.tflite", "the file 'model.tflite' must end in .onnx"),
    ("nowhere/model.onnx", "there is no folder 'nowhere' to write 'nowhere/model.onnx' to")])
def test_a_path_that_cannot_be_is_refused_before_any_work(untrained, monkeypatch, path, words):
    run = untrained("DL.type=oNetOne")
    monkeypatch.delattr(utils.Tagger, "network")
    with pytest.raises(UserError, match=words):
        utils.export(run, path)


def test_the_front_end_is_none_of_the_models(untrained):
    run = untrained("DL.type=oNetOne")
    utils.export(run)
    with pytest.raises(UserError, match=f"models there: {run}-f0$"):
        models.load("nothing")


def test_a_network_that_has_changed_is_told(untrained, capsys):
    utils.export(untrained("DL.type=oNetOne"))
    assert "Note: the network oNetOne of buildArchitecture.py has changed" in (
        capsys.readouterr().err)


def test_the_page_tells_every_key(untrained):
    utils.export(untrained("DL.type=oNetOne"), "m.onnx")
    with open(os.path.join(ROOT, "docs", "export.md"), encoding="utf-8") as page:
        text = page.read()
    assert [key for key in about("m.onnx") if f"`{key}`" not in text] == []


def test_a_model_of_another_network_is_refused_as_such(untrained):
    run = untrained("DL.type=oNetOne", moments=[(2, 1), (2, 1)])
    other = models.load(f"{run}-f1")
    models.save(other.weights[2:], other.info, other.name)
    with pytest.raises(UserError, match=rf"^the model '.*{run}-f1.npz' does not fit the network"):
        utils.export(run, "m.onnx", "--ensemble")
    assert not os.path.exists("m.onnx")
