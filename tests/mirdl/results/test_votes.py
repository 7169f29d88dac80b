import numpy as np
import pytest

from mirdl.results.votes import likeliest, majority_vote, share_right


def test_majority_vote_equals_the_originals_for_up_to_eight_classes(oracle):
    for case in oracle("majority_vote.json"):
        if max(case["votes"]) < 8:
            assert majority_vote(case["votes"], 999) == case["winner"]
    assert majority_vote([9, 8, 1, 0], 999) == 0
    assert majority_vote([], 999) == 999


def test_the_mean_may_differ_from_the_vote():
    chunks = np.float32([[0.6, 0.4], [0.6, 0.4], [0, 1]])
    assert majority_vote(chunks.argmax(axis=1), 999) == 0
    assert likeliest(chunks, 999) == 1
    assert likeliest(chunks[:0], 999) == 999


def test_the_mean_may_differ_from_the_largest_probability():
    assert likeliest(np.float32([[0.9, 0.1], [0.2, 0.8], [0.2, 0.8]]), 999) == 1


def test_of_equal_means_the_lowest_class_counts_in_any_order():
    rng = np.random.RandomState(1)
    chunks = rng.rand(1001, 1).astype(np.float32)
    chunks = np.hstack([np.zeros_like(chunks), chunks, rng.permutation(chunks)])
    assert {likeliest(rng.permutation(chunks), 999) for _ in range(20)} == {1}


def test_the_share_of_songs_that_are_right():
    assert share_right([0, 1, 999, 0], [0, 1, 1, 0]) == pytest.approx(75)
