from collections import Counter

from mirdl.songs import given_tables, public_sets


def test_the_replicas_of_gtzan_are_left_out_of_the_filtered_split():
    gtzan = public_sets.GTZAN
    table = given_tables.read("filtered", str(gtzan.splits["filtered"]), ("part",))
    assert Counter(table.values.values()) == {"train": 443, "validation": 197, "test": 290}
    names = {f"{tag}/{tag}.{number:05}" for tag in gtzan.songs for number in range(100)}
    assert {*table.values} < names and len(names - {*table.values}) == 70
    assert len(gtzan.replicas) == 14
    for kept, left_out in gtzan.replicas:
        assert kept in table.values and left_out in names and left_out not in table.values


def test_what_is_known_adds_up():
    ballroom = public_sets.SETS["Ballroom"]
    assert sum(ballroom.songs.values()) == 698 and len(ballroom.songs) == 8
    assert {song.split("/")[0] for pair in ballroom.replicas for song in pair} <= {*ballroom.songs}
    assert sum(public_sets.SETS["GTZAN"].songs.values()) == 1000
    assert public_sets.SETS["genres"] is public_sets.SETS["GTZAN"]
