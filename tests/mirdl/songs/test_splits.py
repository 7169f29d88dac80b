import numpy as np
import pytest

from mirdl.errors import UserError
from mirdl.songs.dataset import DataSet
from mirdl.songs.splits import published_split, shuffled, split


def test_shuffle_and_splits_equal_the_originals(oracle, parameters):
    splits = oracle("splits.json")
    for songs, order in splits["shuffle_seed11"].items():
        assert shuffled(range(int(songs))) == order
    for case in splits["folds"]:
        settled = parameters(f"folds={case['folds']}")
        for number, expected in enumerate(case["split"]):
            found = published_split(case["songs"], number, settled)
            assert found.train.tolist() == expected["train"]
            assert found.validation.tolist() == expected["val"]
            assert found.test.tolist() == expected["test"]


@pytest.mark.parametrize("songs, folds, published", [
    (7, 2, True), (4, 2, False), (9, 3, False), (23, 10, False),
])
def test_every_split_is_a_partition_with_songs_in_each_part(parameters, songs, folds, published):
    settled, tested = parameters(f"folds={folds}", f"asPublished={published}"), []
    for number in range(folds):
        parts = published_split(songs, number, settled)
        assert sorted(np.concatenate(parts)) == list(range(songs)) and all(map(len, parts))
        tested += parts.test.tolist()
    assert sorted(tested) == list(range(songs))


def dataset_of(groups, labels, given=None):
    names = [f"song {number}" for number in range(len(labels))]
    spectrograms = [np.zeros((2, 3), np.float32)] * len(labels)
    return DataSet(["a", "b"], names, np.array(labels, np.uint8), spectrograms, groups,
                   given)


@pytest.mark.parametrize("stratified", [True, False])
@pytest.mark.parametrize("folds, published", [(2, True), (4, True), (4, False)])
def test_groups_stay_together_in_every_part(parameters, stratified, folds, published):
    rng = np.random.RandomState(2)
    groups, labels = [f"g{number}" for number in rng.randint(0, 15, 60)], rng.randint(0, 2, 60)
    dataset, tested = dataset_of(groups, labels), []
    settled = parameters(f"folds={folds}", f"stratified={stratified}",
                         f"asPublished={published}", "DS.groups=by hand")
    for number in range(folds):
        parts = split(dataset, number, settled)
        assert sorted(np.concatenate(parts)) == list(range(60)) and all(map(len, parts))
        train, validation, test = ({groups[song] for song in part} for part in parts)
        assert not train & validation and not train & test and not validation & test
        tested += parts.test.tolist()
    assert sorted(tested) == list(range(60))


def test_stratified_folds_have_the_classes_in_equal_shares(parameters):
    dataset = dataset_of(None, [0] * 30 + [1] * 10)
    for number in range(5):
        parts = split(dataset, number, parameters("folds=5", "stratified=True"))
        for part in parts.validation, parts.test:
            assert np.bincount(dataset.labels[part]).tolist() == [6, 2]


def test_groups_are_divided_by_class_only_if_stratified(parameters):
    groups = np.repeat(list("abcdefghijklmnop"), 3).tolist()
    dataset = dataset_of(groups, np.repeat([0, 0, 0, 1] * 4, 3))

    def tested(*more):
        parts = [split(dataset, number, parameters("folds=4", *more)) for number in range(4)]
        return [np.bincount(dataset.labels[part.test], minlength=2).tolist() for part in parts]
    assert tested("stratified=True", "DS.groups=by hand") == [[9, 3]] * 4
    assert sorted(tested("DS.groups=by hand")) == [[0, 12], [12, 0], [12, 0], [12, 0]]


def test_without_groups_and_stratified_the_split_is_the_published_one(parameters):
    dataset, settled = dataset_of(None, [0] * 30 + [1] * 10), parameters("folds=5")
    for found, expected in zip(split(dataset, 0, settled), published_split(40, 0, settled),
                               strict=True):
        np.testing.assert_array_equal(found, expected)


def test_given_folds_are_tested_and_the_next_ones_validate(parameters):
    given = [2, 0, 1, 2, 1, 0]
    dataset = dataset_of(None, [0, 1] * 3, given)
    found = [[part.tolist() for part in split(dataset, number, parameters("folds=3"))]
             for number in range(3)]
    assert found == [[[0, 3], [2, 4], [1, 5]], [[1, 5], [0, 3], [2, 4]], [[2, 4], [1, 5], [0, 3]]]


def test_of_two_given_folds_half_of_the_other_validates(parameters):
    dataset = dataset_of(None, [0, 1] * 3, [0, 1, 0, 1, 0, 0])
    parts = split(dataset, 1, parameters("folds=2"))
    assert [part.tolist() for part in parts] == [[4, 5], [0, 2], [1, 3]]
    grouped = dataset_of(list("axbycb"), [0, 1] * 3, [0, 1, 0, 1, 0, 0])
    train, validation, _ = split(grouped, 1, parameters("folds=2"))
    assert {0, 2, 4, 5} == {*train, *validation}
    assert (2 in train) == (5 in train), "they are one group"


def test_given_parts_are_one_split(parameters):
    dataset = dataset_of(["x"] * 4, [0, 1] * 2, ["test", "train", "validation", "train"])
    parts = split(dataset, 0, parameters("folds=1", "asPublished=False"))
    assert [part.tolist() for part in parts] == [[1, 3], [2], [0]]


def test_validation_counts_for_given_parts_as_for_any_split(parameters):
    given = ["test", *["train"] * 5, *["validation"] * 3, "test"]
    dataset = dataset_of(None, [0, 1] * 5, given)
    parts = split(dataset, 0, parameters("folds=1", "validation=0"))
    assert [part.tolist() for part in parts] == [[1, 2, 3, 4, 5, 6, 7, 8], [], [0, 9]]
    parts = split(dataset, 0, parameters("folds=1", "validation=0.25"))
    assert [part.tolist() for part in parts] == [[3, 4, 5, 6, 7, 8], [1, 2], [0, 9]]


def test_fewer_groups_or_songs_of_a_tag_than_folds_are_refused(parameters):
    dataset = dataset_of(["x", "y", "z"] * 4, [0, 1] * 6)
    with pytest.raises(UserError, match="folds=4 is more than 3 groups"):
        split(dataset, 0, parameters("folds=4"))
    dataset = dataset_of(None, [0, 1] * 3)
    with pytest.raises(UserError, match="folds=7 is more than the 6 usable songs"):
        split(dataset, 0, parameters("folds=7"))
    split(dataset, 5, parameters("folds=6"))
    with pytest.raises(UserError, match="folds=4 .* no tag has more than 3 songs"):
        split(dataset, 0, parameters("folds=4", "stratified=True"))
    with pytest.raises(UserError, match="folds=1 is the published .* need folds of 2 or more"):
        parameters("folds=1", "DS.groups=x")


@pytest.mark.parametrize("more", [[], ["stratified=True"], ["DS.groups=by hand"]])
@pytest.mark.parametrize("published", [True, False])
def test_a_share_of_the_songs_that_are_not_tested_validates(parameters, more, published):
    groups = [f"g{number // 3}" for number in range(60)] if "DS.groups=by hand" in more else None
    dataset = dataset_of(groups, np.random.RandomState(2).randint(0, 2, 60))
    for number in range(4):
        asked = "folds=4", f"asPublished={published}", *more
        before = split(dataset, number, parameters(*asked))
        tenth = split(dataset, number, parameters("validation=0.1", *asked))
        none = split(dataset, number, parameters("validation=0", *asked))
        for parts in (tenth, none):
            np.testing.assert_array_equal(parts.test, before.test)
            assert sorted(np.concatenate(parts)) == list(range(60))
        assert 3 <= len(tenth.validation) <= 6 and len(none.validation) == 0
        if groups:
            assert not {groups[song] for song in tenth.validation} & {
                groups[song] for song in tenth.train}


def test_a_share_with_the_fixed_split(parameters):
    parts = split(dataset_of(None, [0, 1] * 20), 0, parameters("folds=1", "validation=0"))
    assert [len(part) for part in parts] == [35, 0, 5]
    settled = parameters("folds=1", "trainSplit=0.6", "testSplit=0.2")
    assert [part.tolist() for part in published_split(5, 0, settled)] == [[0, 1, 2], [3], [4]]


def test_the_next_block_validates_unless_as_published(parameters):
    settled = parameters("folds=3", "asPublished=False")
    found = [published_split(6, number, settled).validation.tolist() for number in range(3)]
    assert found == [[2, 3], [4, 5], [0, 1]]


def test_a_share_is_the_first_block_of_the_songs_that_are_not_tested(parameters):
    dataset = dataset_of(None, [0, 1] * 20)
    parts = split(dataset, 0, parameters("folds=4", "validation=0.1"))
    assert parts.validation.tolist() == [10, 11, 12] and parts.test.tolist() == list(range(10))
    parts = split(dataset, 1, parameters("folds=2", "validation=0.25"))
    assert parts.validation.tolist() == list(range(5))


def test_as_many_groups_or_songs_of_a_tag_as_folds_are_enough(parameters):
    grouped = dataset_of(["x", "y", "z"] * 2, [0, 1] * 3)
    assert split(grouped, 0, parameters("folds=3")).test.tolist() in ([0, 3], [1, 4], [2, 5])
    stratified = split(dataset_of(None, [0, 1] * 3), 0, parameters("folds=3", "stratified=True"))
    assert stratified.test.tolist() == [0, 1]


@pytest.mark.parametrize("groups", [None, [f"g{song // 3}" for song in range(60)]])
def test_fewer_songs_train_and_the_same_ones_are_tested(parameters, groups):
    labels = [0 if song % 60 < 6 else 1 for song in range(60)]
    dataset = dataset_of(groups, labels)

    def folds(share):
        settled = parameters("folds=4", "stratified=True", f"trainShare={share}")
        return [split(dataset, number, settled) for number in range(4)]
    every, half, few, tiny = folds(1), folds(0.5), folds(0.07), folds(0.001)
    for whole, part, less, least in zip(every, half, few, tiny, strict=True):
        for some in (part, less, least):
            assert some.test.tolist() == whole.test.tolist()
            assert some.validation.tolist() == whole.validation.tolist()
            assert set(dataset.labels[some.train]) == set(dataset.labels[whole.train])
        assert set(least.train) <= set(less.train) < set(part.train) < set(whole.train)
        units = np.array(groups or dataset.names)
        assert not set(units[part.train]) & set(units[np.setdiff1d(whole.train, part.train)])
        for label in (0, 1):
            count, left = (len(set(units[some.train[dataset.labels[some.train] == label]]))
                           for some in (whole, part))
            assert left == -(-count // 2), "of each tag, rounded up"
