import pytest

from mirdl.errors import UserError
from mirdl.songs.groups import groups_of, joined

NAMES = ["rock/d1_s2_110.ogg", "rock/d1_s2_120.ogg", "jazz/d2_s1_90.ogg"]


def test_groups_by_a_regular_expression():
    assert groups_of(NAMES, r"(d\d+)_") == ["d1", "d1", "d2"]
    assert groups_of(NAMES, r"d\d+_s\d") == ["d1_s2", "d1_s2", "d2_s1"]
    with pytest.raises(UserError, match=r"DS.groups=_1\(.\) gives no group to the song 'jazz/d2_s1_90.ogg'"):
        groups_of(NAMES, "_1(.)")
    with pytest.raises(UserError, match=r"DS.groups=\(d is neither a .csv file nor a regular expression"):
        groups_of(NAMES, "(d")


def test_groups_by_a_table(tmp_path):
    path = tmp_path / "takes.csv"
    path.write_text("group,song,bpm\n" + "".join(f"take {name[:7]},{name},1\n" for name in NAMES))
    assert groups_of(NAMES, str(path)) == ["take rock/d1", "take rock/d1", "take jazz/d2"]
    with pytest.raises(UserError, match="gives no group to the song 'new.ogg'"):
        groups_of(NAMES + ["new.ogg"], str(path))
    path.write_text("name,artist\n")
    with pytest.raises(UserError, match=r"has the columns \['name', 'artist'\]; expected song and group"):
        groups_of(NAMES, str(path))
    with pytest.raises(UserError, match="DS.groups=nowhere.csv cannot be read"):
        groups_of(NAMES, "nowhere.csv")


def test_replicas_join_their_groups():
    assert joined(["a", "b", "c", "d"], None, [("a", "c"), ("c", "d"), ("b", "gone")]) == ["a", "b", "a", "a"]
    assert joined(["a", "b", "c", "d"], ["1", "2", "2", "3"], [("a", "b")]) == ["1", "1", "1", "3"]
