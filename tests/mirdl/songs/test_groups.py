import pytest

from mirdl.errors import UserError
from mirdl.songs.groups import groups_of, joined

NAMES = ["rock/d1_s2_110.ogg", "rock/d1_s2_120.ogg", "jazz/d2_s1_90.ogg"]


def test_groups_by_a_regular_expression():
    assert groups_of(NAMES, r"(d\d+)_") == ["d1", "d1", "d2"]
    assert groups_of(NAMES, r"d\d+_s\d") == ["d1_s2", "d1_s2", "d2_s1"]
    assert groups_of(NAMES, r"(\w+)/d\d+_(s\d)_(90)?") == ["rocks2", "rocks2", "jazzs190"]
    message = r"DS.groups=_1\(.\) gives no group to the song 'jazz/d2_s1_90.ogg'"
    with pytest.raises(UserError, match=message):
        groups_of(NAMES, "_1(.)")
    message = r"DS.groups=\(d is neither a .csv file nor a regular expression"
    with pytest.raises(UserError, match=message):
        groups_of(NAMES, "(d")


def test_groups_by_a_table(tmp_path):
    path = tmp_path / "takes.csv"
    path.write_text("group,song,bpm\n" + "".join(f"take {name[:7]},{name},1\n" for name in NAMES))
    assert groups_of(NAMES, str(path)) == ["take rock/d1", "take rock/d1", "take jazz/d2"]
    with pytest.raises(UserError, match="gives no group to the song 'new.ogg'"):
        groups_of([*NAMES, "new.ogg"], str(path))
    path.write_text("name,artist\n")
    message = r"has the columns \['name', 'artist'\]; expected song and group"
    with pytest.raises(UserError, match=message):
        groups_of(NAMES, str(path))
    with pytest.raises(UserError, match="DS.groups=nowhere.csv cannot be read"):
        groups_of(NAMES, "nowhere.csv")


COMPOSED, DECOMPOSED = "caf\xe9/\xe9t\xe9.wav", "cafe\u0301/e\u0301te\u0301.wav"


@pytest.mark.parametrize("song, row", [(COMPOSED, DECOMPOSED), (DECOMPOSED, COMPOSED)])
def test_composed_and_decomposed_names_match(tmp_path, song, row):
    path = tmp_path / "takes.csv"
    path.write_text(f"song,group\n{row},{row}\nother.wav,{song}\n")
    assert groups_of([song, "other.wav"], str(path)) == [COMPOSED, COMPOSED]
    assert groups_of([song], row[:row.index("/")]) == ["caf\xe9"]


def test_a_table_that_contradicts_itself_is_refused(tmp_path):
    path = tmp_path / "takes.csv"
    path.write_text("song,group\na.wav,1\nb.wav,1\na.wav,1\n")
    assert groups_of(["a.wav"], str(path)) == ["1"], "the same again does no harm"
    path.write_text("song,group\na.wav,1\nb.wav,1\na.wav,2\n")
    message = r"the song 'a.wav' twice \(line 4\), with the group '1' and with '2'; leave one of "
    with pytest.raises(UserError, match=message):
        groups_of(["b.wav"], str(path))
    path.write_text(f"song,group\n{COMPOSED},1\n{DECOMPOSED},2\n")
    with pytest.raises(UserError, match="with the group '1' and with '2'"):
        groups_of([COMPOSED], str(path))


def test_rows_without_a_song_are_passed_over(tmp_path):
    path = tmp_path / "takes.csv"
    path.write_text("group,song\n1,a.wav\n2\n3,\n")
    assert groups_of(["a.wav"], str(path)) == ["1"]
    path.write_text("song,group\na.wav\n")
    with pytest.raises(UserError, match="gives no group to the song 'a.wav'"):
        groups_of(["a.wav"], str(path))


def test_replicas_join_their_groups():
    names = ["a", "b", "c", "d"]
    pairs = [("a", "c"), ("c", "d"), ("b", "gone")]
    assert joined(names, None, pairs) == ["a", "b", "a", "a"]
    assert joined(names, ["1", "2", "2", "3"], [("a", "b")]) == ["1", "1", "1", "3"]
