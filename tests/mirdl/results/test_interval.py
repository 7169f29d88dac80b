import numpy as np
import pytest
from scipy.stats import binomtest

from mirdl.results.interval import Interval


@pytest.mark.parametrize("right, songs", [(188, 200), (1, 3), (20, 20), (0, 5)])
def test_of_songs_it_is_wilsons(right, songs):
    found = Interval.of([True] * right + [False] * (songs - right))
    expected = binomtest(right, songs).proportion_ci(method="wilson")
    np.testing.assert_allclose([found.low, found.high], [100 * expected.low, 100 * expected.high],
                               atol=1e-9)
    assert found.accuracy == pytest.approx(100 * right / songs) and found.by == "songs"


def test_songs_of_one_group_say_less_than_as_many_others():
    rng, inside = np.random.RandomState(0), {"songs": 0, "groups": 0}
    groups = np.repeat(np.arange(20), 8)
    for _ in range(300):
        # each group has a chance of its own, 70 % on average
        right = rng.uniform(size=160) < rng.beta(2.1, 0.9, 20)[groups]
        for found in (Interval.of(right), Interval.of(right, list(map(str, groups)))):
            inside[found.by] += found.low <= 70 <= found.high
    assert 0.93 <= inside["groups"] / 300 <= 0.98
    assert inside["songs"] / 300 < 0.8


def test_groups_of_one_song_are_songs_and_few_groups_say_little():
    right = [True] * 60 + [False] * 20
    alone = Interval.of(right, list(map(str, range(80))))
    np.testing.assert_allclose(alone[1:3], Interval.of(right)[1:3], atol=0.6)
    all_right = [Interval.of([True] * 20, [str(song % count) for song in range(20)])
                 for count in (1, 2, 10, 20)]
    assert [found.high for found in all_right] == [100] * 4
    low = [found.low for found in all_right]
    assert low == sorted(low) and low[0] == 0 and low[1] < 5 and 50 < low[2] < 70 < low[3] < 85
