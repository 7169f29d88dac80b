from collections import Counter

from mirdl.songs import given_tables, public_sets


def test_the_replicas_of_gtzan_are_left_out_of_the_filtered_split():
    gtzan = public_sets.GTZAN
    _, parts = given_tables.read("filtered", str(gtzan.splits["filtered"]), ("part",))
    assert Counter(parts.values()) == {"train": 443, "validation": 197, "test": 290}
    tags = {song.partition("/")[0] for song in parts}
    names = {f"{tag}/{tag}.{number:05}" for tag in tags for number in range(100)}
    assert {*parts} < names and len(names - {*parts}) == 70
    assert len(gtzan.replicas) == 14
    for kept, left_out in gtzan.replicas:
        assert kept in parts and left_out in names and left_out not in parts


def test_a_public_set_may_have_two_names():
    assert public_sets.SETS["genres"] is public_sets.SETS["GTZAN"]
