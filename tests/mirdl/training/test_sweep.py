import os
import re

import pytest

from mirdl import settings
from mirdl.errors import UserError
from mirdl.training import sweep


def test_combinations_are_the_product_in_order():
    assert sweep.combinations("DL.type=a,b  folds=4 random_seed=1,2") == [
        [f"DL.type={name}", "folds=4", f"random_seed={seed}"] for name in "ab" for seed in "12"]


@pytest.mark.parametrize("text, part", [
    ("DL.type", "DL.type"), ("folds=", "folds="), ("folds=2,,3", "folds=2,,3"),
    ("folds=2 folds=3", "folds=3"), ("workers=1,2", "workers=1,2"), ("mode=x", "mode=x")])
def test_what_is_no_sweep_is_refused(text, part):
    message = f"sweep={re.escape(text)} .*{re.escape(repr(part))}.*expected key=value,value"
    with pytest.raises(UserError, match=message):
        sweep.combinations(text)


def test_a_stopped_sweep_is_known_by_what_was_asked_for(workplace, parameters, capsys):
    settled, _ = settings.divide(parameters("DS.dataset=Beats", "DL.type=oNetOne"))

    def plan(text, given=settled):
        return sweep.plan(text, given, lambda *_: None, lambda settled: [settled])
    asked = "folds=4 random_seed=1,2"
    assert sweep.find_equal(plan(asked)) is None
    with sweep.begun(plan(asked)) as sweep_id:
        assert sweep.find_equal(plan(asked)) is None, "it is under way"
        sweep.drop(sweep_id, plan(asked)[0])
    assert sweep.find_equal(plan(asked)) == sweep_id
    assert f"remove data/results/Sweep_{sweep_id}.sweep" in capsys.readouterr().out
    for other in ("folds=4 random_seed=1", "folds=4 random_seed=1,2,3", "folds=4 chunkHop=1,2"):
        assert sweep.find_equal(plan(other)) is None
    other, _ = settings.divide(parameters("DS.dataset=Beats", "DL.type=oNetOne", "DL.lr=1"))
    assert sweep.find_equal(plan(asked, other)) is None
    for name in os.listdir("data/results"):
        if name.endswith(".sweep"):
            with open(os.path.join("data/results", name), "wb") as file:
                file.write(b"damaged")
    assert sweep.find_equal(plan(asked)) is None, "an old or damaged file stops no new sweep"


def test_what_follows_from_a_swept_value_follows_anew(parameters):
    settled, _ = settings.divide(parameters("DS.dataset=Beats", "DL.type=oNetOne"))
    planned = sweep.plan("DS.melBands=40,80 testSplit=0.1,0.2", settled, lambda *_: None,
                         lambda settled: [settled])
    found = [(run.parameters["DS"]["yInput"], round(run.parameters["valSplit"], 3))
             for run in planned]
    assert found == [(40, 0.1), (40, 0.0), (80, 0.1), (80, 0.0)]
