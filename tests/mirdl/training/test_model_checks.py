import re
from types import SimpleNamespace

import lasagne
import numpy as np
import pytest

import buildArchitecture
from mirdl.errors import UserError
from mirdl.results import models
from mirdl.results.model_info import ModelInfo
from mirdl.results.models import Model
from mirdl.training import model_checks


@pytest.fixture
def output(parameters):
    return buildArchitecture.buildNet(None, parameters("DL.type=oNetOne"), 2)[0]


@pytest.fixture
def model(parameters, output):
    weights = lasagne.layers.get_all_param_values(output)
    info = ModelInfo(parameters("DL.type=oNetOne"), ["a", "b"], 11, 0, "", {}, [0.0, 1.0],
                     ["a/1", "b/1"], ["a/2"], ["b/2"])
    return Model("m", "data/results/m.npz", weights, info)


@pytest.mark.parametrize("override", [
    "DL.type=pNetOne", "DS.frameSize=1024", "DS.hopSize=512", "DS.specTransform=magnitudeSTFT",
    "DS.melBands=20", "DS.windowType=hann", "DS.xInput=80", "DS.inputNorm=None",
    "DS.inputNormWhere=train", "DS.level=rms"])
def test_other_spectrograms_are_refused_with_the_setting_that_fits(parameters, model, override):
    key = override.split("=")[0]
    with pytest.raises(UserError, match=f"'data/results/m.npz'.*{re.escape(key)}=.*"
                                        f"{re.escape(override)}.*run.py"):
        model_checks.check_input([model], parameters("DL.type=oNetOne", override))


@pytest.mark.parametrize("here, kept", [
    (["DS.dataset=Set"], ("s.csv", "l.csv")), (["DS.dataset=Other"], ("", "")),
    (["DS.dataset=Set", "DS.split=none"], ("none", "l.csv"))])
def test_a_tested_model_keeps_its_split_and_labels(parameters, model, here, kept, workplace,
                                                   capsys):
    model.info.parameters = parameters("DS.dataset=Set", "DS.split=s.csv", "DS.labels=l.csv")
    models.save(model.weights, model.info, "m")
    given = parameters(*here, "mode=m")
    capsys.readouterr()
    data = model_checks.with_split(given)["DS"]
    assert (data["split"], data["labels"]) == kept
    told = "DS.labels=l.csv, as the model was trained\n"
    assert (told in capsys.readouterr().out) == (kept[1] == "l.csv")
    training = parameters(*here)
    assert model_checks.with_split(training) is training


def test_a_model_of_an_earlier_version_heard_songs_as_they_are(parameters, model):
    del model.info.parameters["DS"]["level"]
    model_checks.check_input([model], parameters("DL.type=oNetOne"))
    with pytest.raises(UserError, match="made with DS.level=as-is, here it is DS.level=rms"):
        model_checks.check_input([model], parameters("DL.type=oNetOne", "DS.level=rms"))


def test_what_does_not_shape_the_input_may_differ(parameters, model):
    model_checks.check_input([model], parameters(
        "DL.type=oNetOne", "folds=3", "DL.lr=1", "chunkHop=80", "DS.augment=crop"))
    model.info = None
    model_checks.check_input([model], parameters("DL.type=pNetOne"))


def test_other_classes_and_other_weights_are_refused(parameters, model):
    settled = parameters("DL.type=oNetOne", "DS.dataset=Set")
    data = SimpleNamespace(classes=["a", "b"], several=False)
    model_checks.check_models([model], data, settled, buildArchitecture.buildNet)
    with pytest.raises(UserError, match="'data/results/m.npz'.* a, b.*'Set'.* a, c"):
        model_checks.check_models([model], SimpleNamespace(classes=["a", "c"], several=False),
                                 settled, buildArchitecture.buildNet)
    with pytest.raises(UserError, match="was trained on songs of one tag each, and those of data "
                                        "set 'Set' have several tags; they must be alike"):
        model_checks.check_models([model], SimpleNamespace(classes=["a", "b"], several=True),
                                  settled, buildArchitecture.buildNet)
    model.weights.pop()
    with pytest.raises(UserError, match="'data/results/m.npz'.*oNetOne.*17 arrays and 1780 .*"
                                        "expected 18 arrays and 1782 numbers"):
        model_checks.check_models([model], data, settled, buildArchitecture.buildNet)


def test_songs_that_were_heard_in_training_are_known_by_their_sound(model):
    data = SimpleNamespace(names=["a/1", "b/1", "c/3"], mean=np.array([0.5, 0.25, 0.1]),
                           variance=np.array([1.0, 2.0, 3.0]))
    assert model_checks.seen_songs(model, data).tolist() == [True, True, False], "by name"
    model.info.training_moments = [[0.1 * (1 + 1e-6), 3.0], [0.5, 2.0]]
    assert model_checks.seen_songs(model, data).tolist() == [False, False, True], "by sound"
    model.info = None
    assert not model_checks.seen_songs(model, data).any()
