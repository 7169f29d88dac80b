import io
import json
import os
import zipfile

import numpy as np
import pytest

from mirdl.errors import UserError
from mirdl.results import files, models
from mirdl.results.model_info import ModelInfo

INFO = ModelInfo({"DL": {}}, ["Ty Dolla $ign & A$AP", "accuracy"], 11, 0, "abc", {}, None, [], [],
                 [])
WEIGHTS = [np.ones((2, 1, 1, 3), np.float32), np.zeros(2, np.float32)]


def test_a_model_reads_back(workplace):
    models.save(WEIGHTS, INFO, "m")
    found = models.load("m")
    assert (found.name, found.path, found.info) == ("m", "data/results/m.npz", INFO)
    assert all(np.array_equal(*pair) for pair in zip(found.weights, WEIGHTS, strict=True))
    assert json.loads(str(np.load(found.path)["about"]))["classes"] == INFO.classes


def test_a_preloaded_model_is_found(workplace):
    models.save(WEIGHTS, INFO, "m")
    (workplace / "data/results/m.npz").rename(workplace / "data/preloaded/models/m.npz")
    assert models.load_best("m").path == "data/preloaded/models/m.npz"


def test_a_run_stands_for_its_best_model(finished_run):
    name = finished_run()
    assert models.load_best(name).name == name + "-f1", "whose validation accuracy is 71 %, not 70"
    assert models.load_best(name + "-f0").name == name + "-f0"


def test_a_song_is_answered_by_the_model_that_was_tested_on_it(finished_run, workplace):
    """The first fold tests the songs 0 and 2 of each class, the second 1 and 3."""
    name = finished_run()
    for tag in ("slow", "fast"):
        (workplace / "data/datasets/Beats" / tag).mkdir(parents=True)
        for song in range(4):
            (workplace / f"data/datasets/Beats/{tag}/{song}.wav").write_text(f"{tag} {song}")
    os.symlink(workplace / "data/datasets/Beats/slow", workplace / "linked")
    for song in ("data/datasets/Beats/slow/2.wav", "linked/2.wav",
                 f"{workplace}/data/datasets/Beats/../Beats/slow/2.wav"):
        model = models.load_for(name, song)
        assert (model.name, models.part_of(song, model)) == (f"{name}-f0", "test")
        second = models.load_for(f"{name}-f1", song)
        assert (second.name, models.part_of(song, second)) == (f"{name}-f1", "training")
    assert models.load_for(name, "data/datasets/Beats/slow/3.wav").name == f"{name}-f1"
    (workplace / "2.wav").write_text("another song")
    for song in ("2.wav", "data/datasets/Beats/slow/4.wav", "nowhere/2.wav"):
        model = models.load_for(name, song)
        assert (model.name, models.part_of(song, model)) == (f"{name}-f1", ""), "the best one"


def test_a_model_that_is_not_ours(workplace):
    np.savez("data/results/m.npz", *WEIGHTS)
    assert models.load("m").info is None
    with pytest.raises(UserError, match="'data/results/m.npz' does not say what it is made for"):
        models.load_best("m")


@pytest.mark.parametrize("arrays, reason", [
    ({"arr_0": np.array([1.0, np.nan])}, "not finite numbers"),
    ({"arr_1": np.ones(2)}, "arr_0"),
    ({"arr_0": np.array([{}], dtype=object)}, ""),
    ({"arr_0": np.ones(2), "about": np.array("{")}, ""),
    ({"arr_0": np.ones(2), "about": np.array('{"parameters": {}}')}, ""),
])
def test_a_damaged_model_is_told(workplace, arrays, reason):
    file = io.BytesIO()
    np.savez(file, **arrays)
    (workplace / "data/results/m.npz").write_bytes(file.getvalue())
    with pytest.raises(UserError, match="'data/results/m.npz' is not a model file.*" + reason):
        models.load("m")


def test_a_model_with_more_numbers_than_its_header_says_is_told(workplace):
    file = io.BytesIO()
    np.save(file, np.ones(2))
    with zipfile.ZipFile("data/results/m.npz", "w") as archive:
        archive.writestr("arr_0.npy", file.getvalue())
    assert models.load("m").weights[0].tolist() == [1, 1]
    with zipfile.ZipFile("data/results/m.npz", "w") as archive:
        archive.writestr("arr_0.npy", file.getvalue() + b"1234")
    with pytest.raises(UserError, match="'arr_0.npy' holds more than its header says"):
        models.load("m")


def test_a_model_that_is_not_there(workplace):
    models.save(WEIGHTS, INFO, "m")
    with pytest.raises(UserError, match="there is no model 'n' in data/results or "
                                        "data/preloaded/models; models there: m"):
        models.load("n")
    with pytest.raises(UserError, match="is not the name of a model"):
        models.load("../m")
    with pytest.raises(UserError, match="there is no run 'n'"):
        models.load_best("n")
    assert files.FOLDER in models.load("m").path
