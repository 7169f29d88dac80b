import pytest

from mirdl.errors import UserError
from mirdl.songs import given_tables

TAGS = {"rock/a.wav": "rock", "rock/deep/b.ogg": "rock", "jazz/a.wav": "jazz"}
COMPOSED, DECOMPOSED = "caf\xe9", "cafe\u0301"


def read(text, tmp_path, columns=("fold", "part"), **options):
    path = tmp_path / "t.csv"
    path.write_text(text)
    return given_tables.read("DS.split=t.csv", str(path), columns, **options)


def test_one_of_the_columns_is_read(tmp_path):
    table = read(f"part,song,bpm\n train ,{DECOMPOSED}.wav,1\n,,\n", tmp_path)
    assert table == ("part", {f"{COMPOSED}.wav": "train"})
    for header in ("song,bpm", "fold", "song,fold,part", "", "song,fold,fold", "song,Song,fold",
                   "song,fold,Fold ", "song|fold"):
        with pytest.raises(UserError, match="has the columns .*; expected song and fold or song "):
            read(header + "\n", tmp_path)


@pytest.mark.parametrize("divider", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_commas_semicolons_or_tabs_divide_a_table_and_headings_may_be_capitals(
        tmp_path, divider, mark):
    others = {",", ";", "\t"} - {divider}
    rows = [["Song", " FOLD ", "bpm"], *([f"a{other}b.wav", "1", ""] for other in others)]
    text = mark + "\r\n".join(map(divider.join, rows))
    values = {f"a{other}b.wav": "1" for other in others}
    assert read(text, tmp_path) == read(text.replace("1", '"1"'), tmp_path) == ("fold", values)


def test_a_separator_inside_a_name_is_refused_unless_it_is_in_quotes(tmp_path):
    with pytest.raises(UserError, match=r"more cells than columns in line 2, .*'1'.*quotes"):
        read("song,fold\na, b.wav,1\n", tmp_path)
    assert read('song,fold\n"a, b.wav",1,\nc.wav,2,,\n', tmp_path) == (
        "fold", {"a, b.wav": "1", "c.wav": "2"})


def test_a_song_is_named_once_or_again_with_the_same_value_where_that_may_be(tmp_path):
    rows = "song,fold\na,1\nb,1\na,1\n"
    with pytest.raises(UserError, match=r"^DS.split=t.csv names the song 'a' twice \(line 4\), "):
        read(rows, tmp_path)
    assert read(rows, tmp_path, twice=True) == ("fold", {"a": "1", "b": "1"})
    for twice in (True, False):
        with pytest.raises(UserError, match="line 3., with the fold '1' and with '2'; leave one"):
            read("song,fold\na,1\na,2\n", tmp_path, twice=twice)


def test_what_is_no_table_is_told(tmp_path):
    with pytest.raises(UserError, match="^DS.split=n.csv cannot be read: .*No such file"):
        given_tables.read("DS.split=n.csv", str(tmp_path / "n.csv"), ("fold",))
    with pytest.raises(UserError, match="Is a directory; give a CSV file with the columns song "
                                        "and fold, or a poem"):
        given_tables.read("DS.split=n.csv", str(tmp_path), ("fold",), instead=", or a poem")


def test_a_song_is_called_by_its_path_or_by_tag_and_file_with_or_without_ending():
    names = given_tables.aliases(TAGS)
    for alias in ("rock/deep/b.ogg", "rock/deep/b", "rock/b.ogg", "rock/b"):
        assert names[alias] == "rock/deep/b.ogg"
    assert names["rock/a"] == "rock/a.wav" and names["jazz/a"] == "jazz/a.wav"
    assert "a.wav" not in names
    twins = given_tables.aliases({"x/1/a.wav": "x", "x/2/a.wav": "x", "x/2/a.mp3": "x"})
    assert twins["x/a.wav"] is None and twins["x/2/a"] is None and twins["x/a.mp3"] == "x/2/a.mp3"
    twin = given_tables.aliases({f"{DECOMPOSED}/1.wav": "x"})
    assert twin[f"{COMPOSED}/1"] == f"{DECOMPOSED}/1.wav"


def test_a_name_with_dots_is_no_ending():
    names = given_tables.aliases({"blues/blues.00029.wav": "blues"})
    assert names["blues/blues.00029"] == "blues/blues.00029.wav" and "blues/blues" not in names


def test_rows_find_their_songs():
    found = given_tables.of_songs({"rock/b": "1", "jazz/a.wav": "2"}, "t.csv", TAGS, "Set")
    assert found == {"rock/deep/b.ogg": "1", "jazz/a.wav": "2"}


@pytest.mark.parametrize("values, message", [
    ({"rock/a": "1", "a": "1", "x": "1", "y": "2", "z": "1"},
     "names 'a', 'x', 'y' and 1 other, but no song of data set 'Set', or more than one, has that "
     "name"),
    ({"rock/b": "1", "rock/deep/b.ogg": "1"},
     "names the song 'rock/deep/b.ogg' twice, as 'rock/b' and 'rock/deep/b.ogg'; leave one"),
])
def test_rows_that_fit_no_song_are_refused(values, message):
    with pytest.raises(UserError, match=message):
        given_tables.of_songs(values, "DS.split=t.csv", TAGS, "Set")
