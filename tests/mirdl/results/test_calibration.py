import json
import shutil

import numpy as np
import pytest

from mirdl.errors import UserError
from mirdl.results import beside, calibration, figures, files, models
from mirdl.results.calibration import FoldAnswers, fitted, losses, tempered
from mirdl.results.outcome import Outcome


@pytest.fixture(scope="module")
def sure():
    """Make 600 songs of 4 classes whose probabilities are the true ones to the power of 2.5."""
    rng = np.random.RandomState(3)
    fair = rng.dirichlet(np.full(4, 0.7), 600)
    true = np.array([rng.choice(4, p=song) for song in fair])
    raised = np.maximum(fair, 1e-3) ** 2.5
    raised /= raised.sum(axis=1, keepdims=True)
    return FoldAnswers(raised.round(4), true, np.arange(600) % 3)


def test_the_temperature_undoes_a_power(sure):
    assert sure.temperature == pytest.approx(2.5, rel=0.15)
    before, after = (losses(found, sure.true).mean() for found in (
        sure.probabilities, tempered(sure.probabilities, sure.temperature)))
    assert after < before - 0.1
    grid = [losses(tempered(sure.probabilities, each), sure.true).sum()
            for each in sure.temperature * np.array([0.9, 1, 1.1])]
    assert grid[1] == min(grid)


def test_no_tag_changes_and_probabilities_stay_probabilities(sure):
    for temperature in (0.3, 1.01, 4):
        found = tempered(sure.probabilities, temperature)
        np.testing.assert_allclose(found.sum(axis=1), 1)
        np.testing.assert_array_equal(found.argmax(axis=1), sure.probabilities.argmax(axis=1))
    np.testing.assert_allclose(tempered(np.float32([0.8, 0.2]), 2), [2 / 3, 1 / 3], rtol=1e-6)
    assert np.isfinite(np.log(tempered(np.float32([1, 0, 0]), 0.5))).all()
    for nothing in (None, 1.0):
        assert tempered(sure.probabilities, nothing) is sure.probabilities


def test_a_fold_is_calibrated_by_the_others(sure):
    its = sure.fold == 1
    expected = tempered(sure.probabilities[its],
                        fitted(sure.probabilities[~its], sure.true[~its]))
    np.testing.assert_array_equal(sure.crossed()[its], expected)
    assert sure._replace(fold=np.zeros(600, int)).crossed() is None


def test_what_helps_no_other_fold_is_left_out(sure):
    fair = tempered(sure.probabilities, sure.temperature)
    unlike = np.where((sure.fold == 0)[:, None], tempered(fair, 0.4), tempered(fair, 2.5))
    assert sure._replace(probabilities=unlike).temperature == 1
    alone = sure._replace(probabilities=unlike, fold=np.zeros(600, int))
    assert alone.temperature == fitted(unlike, sure.true) != 1


def test_a_few_right_songs_make_nobody_sure():
    right = np.tile([0.9, 0.1], (5, 1))
    assert 0.5 < fitted(right, np.zeros(5, int)) < 1 < fitted(right[:1], [0])
    found = tempered(np.array([1, 0, 0]), fitted(np.eye(3)[[0] * 18], np.zeros(18, int)))
    np.testing.assert_allclose(found, np.array([18 + 1 / 3, 1 / 3, 1 / 3]) / 19, rtol=1e-3)
    assert fitted(right, np.ones(5, int)) == pytest.approx(calibration.HIGHEST, rel=1e-3)


@pytest.fixture
def run(finished_run, sure):
    """Write a run that has ended, and its calibration."""
    name = finished_run()
    outcomes = [Outcome(f"n-f{fold}", 1, 0, 50.0, true=sure.true[sure.fold == fold].tolist(),
                        probabilities=sure.probabilities[sure.fold == fold].tolist())
                for fold in range(3)]
    outcomes[0].true.append(0)
    outcomes[0].probabilities.append([0, 0, 0, 0])      # without chunks
    beside.write(outcomes, list("abcd"), name)
    return name


def test_models_bring_the_temperature_that_lies_beside_them(run, sure):
    with open(files.path_of(run, ".calibration.json")) as file:
        assert json.load(file) == {"temperature": round(sure.temperature, 4), "songs": 600}
    model = models.load(f"{run}-f0")
    assert beside.read_temperature(model) == round(sure.temperature, 4)
    for ending in ("-f0t3.npz", "-f1.npz"):
        shutil.copy(model.path, f"data/preloaded/models/Other{ending}")
    assert beside.read_temperature(models.load("Other-f0t3")) is None, "it does not lie beside it"
    shutil.copy(files.path_of(run, ".calibration.json"),
                "data/preloaded/models/Other.calibration.json")
    for name in ("Other-f0t3", "Other-f1"):
        assert beside.read_temperature(models.load(name)) == round(sure.temperature, 4)


@pytest.mark.parametrize("content", ["", "[]", '{"temperature": 0}', '{"temperature": NaN}',
                                     '{"temperature": "warm"}', '{"temperature": null}'])
def test_a_damaged_file_is_refused_in_one_line(run, content):
    with open(files.path_of(run, ".calibration.json"), "w") as file:
        file.write(content)
    with pytest.raises(UserError, match="is damaged: expected a temperature from 0.1 to 20.*; rem"):
        beside.read_temperature(models.load(f"{run}-f0"))


def test_without_probabilities_there_is_no_calibration(finished_run):
    name = finished_run()
    beside.write(files.read_outcomes(name).outcomes, ["slow", "fast"], name)
    assert beside.read_temperature(models.load(f"{name}-f0")) is None


def test_the_picture_shows_both(sure):
    axes, counts = figures.reliability(sure, "n").axes
    raw, calibrated = axes.lines[1:]
    assert raw.get_label() == f"not calibrated: log loss {losses(*sure[:2]).mean():.3f}"
    off = [np.abs(np.subtract(*line.get_data())).mean() for line in (raw, calibrated)]
    assert off[1] < off[0] / 2, "it is nearer to the diagonal"
    assert [patch.get_data().values.sum() for patch in counts.patches] == [600, 600]
