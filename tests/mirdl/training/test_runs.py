import os

import numpy as np
import pytest

from mirdl import settings
from mirdl.errors import UserError
from mirdl.results import files
from mirdl.system import pickles
from mirdl.training import runs
from mirdl.training.run import Run
from mirdl.training.trial import all_trials


@pytest.fixture
def run(workplace, parameters):
    settled, _ = settings.divide(parameters("DS.dataset=Beats", "DL.type=oNetOne", "folds=2"))
    fingerprint = {"songs": "x", "mean": np.arange(3.0)}
    return Run(settled, "20260101-000000-0000abcd", 7, fingerprint, "hash")


def test_a_run_is_kept_until_it_is_forgotten(run):
    with runs.begun(run):
        assert runs.is_stopped(run.name)
    with runs.resumed(run.run_id) as found:
        assert found.name == run.name == "Beats_oNetOne_20260101-000000-0000abcd"
        assert (found.parameters, found.seed, found.source) == (run.parameters, 7, "hash")
        np.testing.assert_array_equal(found.fingerprint["mean"], np.arange(3.0))
        for trial in all_trials(found):
            open(files.path_of(trial.name, ".state"), "w").close()
        runs.forget(found, all_trials(found))
        assert os.listdir(files.FOLDER) == [f"{run.name}.lock"], "it is still held"
    assert os.listdir(files.FOLDER) == [] and not runs.is_stopped(run.name)


def test_a_run_that_cannot_be_gone_on_with_has_one_remedy(run):
    with pytest.raises(UserError, match="new run$"), runs.resumable("7"):
        run.check_source("another")
    with pytest.raises(UserError, match="full.* run.py resume=7$"), runs.resumable("7"):
        raise UserError("full")


def test_a_run_begun_before_a_setting_existed_has_its_published_value(run):
    del run.parameters["DS"]["augment"], run.parameters["recipe"]
    with runs.begun(run):
        pass
    found = runs.read(run.name).parameters
    assert found["DS"]["augment"] == "" and found["recipe"] == "published"


def test_a_run_that_is_worked_on_is_refused(run):
    # in this process too, as the lock belongs to the file that was opened
    message = f"another process.*'{run.name}'.*wait"
    with runs.begun(run), pytest.raises(UserError, match=message), runs.resumed("last"):
        pass


def test_a_run_that_is_not_there_is_answered_with_those_that_are(run):
    with pytest.raises(UserError, match="'last'.*data/results.*none"), runs.resumed("last"):
        pass
    with runs.begun(run):
        pass
    with pytest.raises(UserError, match=f"'x'.*{run.name}"), runs.resumed("x"):
        pass


def test_a_run_of_another_version_is_refused(run):
    path = files.path_of(run.name, ".checkpoint")
    pickles.dump({"format": "mirdl checkpoint 3", "run": {}}, path)
    with pytest.raises(UserError, match="another version.*new run"):
        runs.read(run.name)


@pytest.mark.parametrize("error, text", [
    (UserError("the disk is full"), "the disk is full; then resume with: python run.py resume=5"),
    (UserError("resume with: python run.py resume=5"), "resume with: python run.py resume=5"),
    (KeyboardInterrupt(), "resume with: python run.py resume=5"),
])
def test_an_early_end_says_how_to_go_on(error, text):
    with pytest.raises(type(error)) as raised, runs.resumable("5"):
        raise error
    assert str(raised.value) == text
