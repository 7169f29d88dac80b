import numpy as np
import pytest

from mirdl import settings
from mirdl.errors import UserError
from mirdl.training.run import Run, base_seed


@pytest.fixture
def run(workplace, parameters):
    settled, _ = settings.divide(parameters("DS.dataset=Beats", "DL.type=oNetOne", "folds=2"))
    fingerprint = {"songs": "x", "mean": np.arange(3.0)}
    return Run(settled, "20260101-000000-0000abcd", 7, fingerprint, "hash")


def test_another_network_and_other_songs_are_refused(run):
    class data:
        @staticmethod
        def fits(fingerprint):
            return fingerprint is not run.fingerprint
    run.check_source("hash")
    with pytest.raises(UserError, match="oNetOne .*buildArchitecture.py.*new run"):
        run.check_source("another")
    with pytest.raises(UserError, match="'Beats'.*tags.*split.*new run"):
        run.check_songs(data)


def test_the_seed_is_that_of_the_parameters_or_a_new_one(parameters):
    assert base_seed(parameters("random_seed=5")) == 5
    seeds = {base_seed(parameters("use_random_seed=False")) for _ in range(5)}
    assert len(seeds) == 5 and all(0 <= seed < 2**32 for seed in seeds)
