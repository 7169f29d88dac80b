"""Models of any network to export, with weights that were never trained."""

import numpy as np
import pytest

CLASSES = ["fast", "middle", "slow", "waltz", "tango"]


@pytest.fixture
def untrained(workplace, parameters):
    """Save models of a network in data/results: untrained("DL.type=time", ...) -> their run.

    Its folds are its models: untrained(..., moments=[(2, 1.3), (1, 2)]) -> a run of two folds.
    """
    import lasagne

    import buildArchitecture
    import utils
    from mirdl.results import files, models
    from mirdl.results.model_info import ModelInfo
    from mirdl.results.outcome import CrossValidation, Outcome

    def make(*overrides, moments=((2.0, 1.3),)):
        utils._tagger.cache_clear()     # all these runs have one name
        settled, rng, outcomes = parameters(*overrides), np.random.RandomState(5), []
        run = files.name_of(settled, "20260101-000000-00000000")
        for fold, own in enumerate(moments):
            lasagne.random.set_rng(rng)
            output, _ = buildArchitecture.buildNet(None, settled, len(CLASSES))
            weights = [value + rng.uniform(0.01, 0.2, value.shape).astype(np.float32)
                       if value.ndim < 2 or not value.any() else value
                       for value in lasagne.layers.get_all_param_values(output)]
            info = ModelInfo(settled, CLASSES, 11, fold, "", {}, own and list(own), [], [], [])
            models.save(weights, info, f"{run}-f{fold}")
            outcomes.append(Outcome(f"{run}-f{fold}", 1, 0, 50.0, fold=fold))
        files.write_cross_validation(CrossValidation(settled, CLASSES, 1, outcomes),
                                     files.cross_validation(run))
        return run
    return make
