import json
import os

import pytest

import run
from mirdl import settings
from mirdl.errors import UserError

published = settings.published()


def test_published_settings_are_allowed():
    checked = settings.check(published)
    assert checked["DS"]["yInput"] == 40
    assert checked["valSplit"] == pytest.approx(0.1)
    assert "yInput" not in published["DS"], "check must not change what it is given"


def test_override_parses_each_type_and_prints(capsys):
    changed = settings.override(published, ["DL.type=pNetOne", "folds=4", "DL.lr=1e-3",
                                            "asPublished=false", "DL.momentum=0"])
    assert changed["DL"]["type"] == "pNetOne" and changed["folds"] == 4
    assert changed["DL"]["lr"] == 1e-3
    assert changed["asPublished"] is False and changed["DL"]["momentum"] == 0.0
    assert published["folds"] == 10
    assert "override: folds = 4 (was 10)" in capsys.readouterr().out


@pytest.mark.parametrize("argument, words", [
    ("DL.typ=pNetOne", "unknown parameter 'DL.typ'; did you mean DL.type?"),
    ("lr=0.1", "did you mean DL.lr?"),
    ("DS.melbands=40", "did you mean DS.melBands?"),
    ("zzz=1", "unknown parameter 'zzz' ('python run.py --help'"),
    ("DL.lr=fast", "DL.lr=fast is not allowed: expected a number above 0"),
    ("DL.lr=nan", "DL.lr=nan is not allowed"),
    ("DL.lr=-1", "DL.lr=-1.0 is not allowed"),
    ("folds=2.5", "folds=2.5 is not allowed: expected a whole number of 1 or more"),
    ("folds=0", "expected a whole number of 1 or more"),
    ("asPublished=perhaps", "expected True or False"),
    ("DS.inputNorm=log", "expected one of 'log0m1v', 'bands', 'None'"),
    ("DS.dataset=../secret", "expected the name of a folder in data/datasets"),
    ("DS.yInput=80", "it follows from DS.melBands"),
    ("DS.numChannels=2", "a spectrogram has one channel"),
    ("pNetOne", "argument 'pNetOne' is not of the form key=value"),
])
def test_override_refuses(argument, words):
    with pytest.raises(UserError) as error:
        settings.override(published, [argument])
    assert words in str(error.value)


def test_check_refuses_missing_keys_and_impossible_combinations(parameters):
    incomplete = settings.published()
    del incomplete["DL"]["lr"]
    with pytest.raises(UserError, match="parameter DL.lr is missing"):
        settings.check(incomplete)
    with pytest.raises(UserError, match="add up to more than 1"):
        parameters("trainSplit=0.8", "testSplit=0.3")
    with pytest.raises(UserError, match="DS.melBands=4096"):
        parameters("DS.melBands=4096")


def test_yInput_follows_the_transform(parameters):
    assert parameters("DS.melBands=80")["DS"]["yInput"] == 80
    assert parameters("DS.specTransform=magnitudeSTFT", "DS.frameSize=512")["DS"]["yInput"] == 257


def test_settled_parameters_survive_json(parameters):
    settled = parameters()
    assert json.loads(json.dumps(settled)) == settled == settings.check(settled)


def test_run_py_sets_every_setting_once():
    assert sorted(key for key, _ in settings.flat(run.parameters)) == sorted(settings.SETTINGS)


@pytest.mark.skipif("CI" not in os.environ, reason="whoever uses run.py edits it")
def test_run_py_is_as_published():
    assert run.parameters == published


def test_every_setting_has_one_role():
    roles = (settings.SPECTROGRAM, settings.INPUT, settings.EXPERIMENT, settings.EXECUTION)
    assert sorted(key for role in roles for key in settings.keys(role)) == sorted(settings.SETTINGS)
    assert settings.keys(settings.SPECTROGRAM) == (
        "DS.frameSize", "DS.hopSize", "DS.specTransform", "DS.melBands", "DS.windowType",
        "DS.level")


def test_parameters_are_divided_into_experiment_and_execution(parameters):
    asked = parameters("workers=2", "DS.store=disk")
    experiment, execution = settings.divide(asked)
    assert execution == {"workers": 2, "cluster": "", "foldsTogether": False, "quiet": False,
                         "sweep": "", "checkpointEvery": 1, "DS.store": "disk"}
    assert {**dict(settings.flat(experiment)), **execution} == dict(settings.flat(asked))
    assert asked["DS"]["store"] == "disk", "what was given is not changed"


def test_no_groups_may_be_written_as_none(parameters):
    assert parameters("DS.groups=None")["DS"]["groups"] == ""
    given = settings.published()
    given["DS"]["groups"] = None
    assert settings.check(given)["DS"]["groups"] == ""


def test_help_lists_every_setting():
    text = settings.help_text(published)
    assert all(f"  {key}=" in text for key in settings.SETTINGS)


def test_of_several_ways_those_that_work_are_found(parameters):
    def attempt(changed):
        if changed["folds"] * changed["DS"]["yInput"] > 240:
            raise UserError("too many")
        seen.append(changed)
    seen, settled = [], parameters("folds=10")
    given, _ = settings.divide(settled)
    ways = settings.that_work(["folds=7", "folds=6", "folds=0", "DS.melBands=20 folds=9",
                               "workers=2", "folds=5"], given, attempt)
    assert next(ways) == "folds=6" and len(seen) == 1, "each is tried when it is asked for"
    assert list(ways) == ["DS.melBands=20 folds=9", "folds=5"]
    assert given["folds"] == 10 and "workers" not in seen[0]


@pytest.mark.parametrize("overrides, advice", [
    (["DS.specTransform=musicnn-mel"], "set DS.inputNorm=bands or None"),
    (["DS.specTransform=musicnn-MTT"], "set DS.inputNorm=bands or None"),
    (["DS.specTransform=musicnn-MTT", "DS.inputNorm=bands", "DS.short=pad"], "DS.short=repeat"),
    (["DL.start=musicnn-MSD"], "DL.type=musicnn DS.specTransform=musicnn-mel DS.inputNorm=None"),
    (["DL.start=musicnn-MSD", "DL.type=musicnn"], "DS.specTransform=musicnn-mel")])
def test_musicnn_is_refused_what_it_cannot_take(overrides, advice):
    with pytest.raises(UserError) as error:
        settings.check(settings.override(settings.published(), overrides))
    assert overrides[0].partition("=")[2] in str(error.value) and advice in str(error.value)
    settings.check(settings.override(settings.published(), [
        "DL.start=musicnn-MSD", "DL.type=musicnn", "DS.specTransform=musicnn-mel",
        "DS.inputNorm=None"]))
