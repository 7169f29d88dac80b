import numpy as np
import pytest

from mirdl.errors import UserError
from mirdl.songs import tags
from mirdl.songs.stratification import blocks_of


def test_a_cell_has_one_tag_several_or_none():
    assert [tags.in_cell(cell, "t.csv", "a") for cell in ("rock", "rock| live", "")] == [
        ("rock",), ("rock", "live"), ()]
    for cell in ("rock|", "|", "rock||live", "x|y|x"):
        with pytest.raises(UserError, match="t.csv gives the song 'a' the tags .* none empty"):
            tags.in_cell(cell, "t.csv", "a")


def test_songs_of_one_tag_each_have_texts_others_sorted_tuples():
    assert tags.settled({"a": ("x",), "b": "y"}, "t") == {"a": "x", "b": "y"}
    assert tags.settled({"a": ("y", "x"), "b": "y", "c": ()}, "t") == {
        "a": ("x", "y"), "b": ("y",), "c": ()}
    with pytest.raises(UserError, match="^t gives no tag to the song 'b'; give it one"):
        tags.settled({"a": ("x",), "b": ()}, "t")


def test_labels_are_places_or_rows_of_tags():
    one = tags.labels_of(["y", "x"], ["x", "y"])
    assert one.tolist() == [1, 0] and one.dtype == np.uint8
    several = tags.labels_of([("x", "rare"), (), ("x", "y")], ["x", "y"])
    assert several.tolist() == [[1, 0], [0, 0], [1, 1]] and several.dtype == np.float32


@pytest.mark.parametrize("count", [2, 5])
@pytest.mark.parametrize("grouped", [False, True])
def test_blocks_share_every_tag_and_keep_groups_together(count, grouped):
    rng = np.random.RandomState(3)
    shares = np.array([0.5, 0.3, 0.1, 0.05])
    has = rng.rand(200, 4) < shares
    units = [f"g{number // 2}" if grouped else str(number) for number in range(200)]
    blocks = blocks_of(has, units, count)
    assert sorted(np.concatenate(blocks)) == list(range(200))
    assert len({unit for block in blocks for unit in {units[song] for song in block}}) == sum(
        len({units[song] for song in block}) for block in blocks)
    every = np.column_stack([has, ~has.any(axis=1)])
    counts = np.array([every[block].sum(axis=0) for block in blocks])
    assert np.ptp(counts, axis=0).max() <= 2 + grouped
    assert np.ptp(list(map(len, blocks))) <= 8
    alone = np.array_split(np.arange(200), count)       # what blocks in order would give
    assert np.ptp([every[block].sum(axis=0) for block in alone], axis=0).sum() > np.ptp(
        counts, axis=0).sum()
