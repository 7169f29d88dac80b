import json

import pytest

from mirdl.results.baseline import Baseline, PairedTest

FOREST = Baseline("random forest", [[0, 1], [1, 1, 0]], [50.0, 100.0])


def test_a_baseline_reads_back():
    content = json.loads(json.dumps(FOREST.to_json()))
    assert Baseline.from_json({**content, "unknownHere": 1}) == FOREST
    assert FOREST.mean == 75
    assert FOREST.of_folds([1]) == Baseline("random forest", [[1, 1, 0]], [100.0])


@pytest.mark.parametrize("change", [
    {"accuracies": [50.0]}, {"accuracies": ["much", "more"]}, {"accuracies": None},
    {"voted": 3}])
def test_what_is_no_baseline(change):
    with pytest.raises((ValueError, TypeError)):
        Baseline.from_json({**FOREST.to_json(), **change})


def test_McNemars_exact_test_counts_the_songs_that_only_one_has_right():
    true = [0] * 12
    test = PairedTest.of(true, [0] * 9 + [1] * 3, [0, 1] + [1] * 7 + [0, 1, 999])
    assert test == (8, 1)
    assert test.p == pytest.approx(2 * (1 + 9) / 2**9), "both tails of nine throws of a coin"
    assert PairedTest(1, 8).p == test.p
    assert PairedTest(0, 0).p == 1 == PairedTest(3, 3).p


def test_what_sees_a_published_networks_numbers_stays_not_simple():
    learnt = Baseline("forest on musicnn-MSD", [[0]], [100.0], simple=False)
    assert Baseline.from_json(learnt.to_json()) == learnt == learnt.of_folds([0]) and FOREST.simple
