import pytest

from mirdl.errors import UserError
from mirdl.songs import public_sets
from mirdl.songs.public_sets import known_replicas


def test_what_is_known_adds_up():
    ballroom = public_sets.SETS["Ballroom"]
    assert sum(ballroom.songs.values()) == 698 and len(ballroom.songs) == 8
    assert {song.split("/")[0] for pair in ballroom.replicas for song in pair} <= {*ballroom.songs}
    assert sum(public_sets.SETS["GTZAN"].songs.values()) == 1000
    assert public_sets.SETS["genres"] is public_sets.SETS["GTZAN"]


def test_replicas_are_known_of_ballroom_only():
    assert len(known_replicas({"dataset": "Ballroom", "replicas": "drop"})) == 13
    for dataset in ("Ballroom", "Beats"):
        assert known_replicas({"dataset": dataset, "replicas": "keep"}) == ()
    for dataset in ("Beats", "GTZAN"):
        message = ("DS.replicas=together needs a data set whose replicas are known: Ballroom, "
                   f"not {dataset}; name songs")
        with pytest.raises(UserError, match=message):
            known_replicas({"dataset": dataset, "replicas": "together"})
