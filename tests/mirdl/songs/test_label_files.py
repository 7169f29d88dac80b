import pytest

from mirdl.errors import UserError
from mirdl.songs import label_files
from mirdl.tagging import segments
from mirdl.tagging.segments import Segment


def written(tmp_path, name, *lines):
    path = tmp_path / name
    path.write_text("".join(line + "\n" for line in lines), "utf-8")
    return str(path)


def said(labels):
    return [(label.song, label.start, label.end, label.tag) for label in labels]


@pytest.mark.parametrize("form", segments.LABELS)
def test_what_predict_writes_is_read(tmp_path, form):
    function, ending = segments.LABELS[form]
    text = function([Segment(0, 1.5, 1, 0.7), Segment(1.5, 30.047, 0, 0.9)], ["a b", 'x,"y"'])
    path = written(tmp_path, "song" + ending, text)
    assert said(label_files.of_file(path)) == [
        ("", 0, 1.5, 'x,"y"'), ("", 1.5, 30.047, "a b")]


@pytest.mark.parametrize("name, lines", [
    # a range of frequencies, an empty line, an accent of two characters, spaces
    ("a.txt", ["0.5\t2.25\tcafe\u0301 ", "\\\t100.0\t4000.0", "", "2.25\t4\tb, c"]),
    ("a.csv", ["0.5,1,1.75,cafe\u0301", '2.25,1,1.75,"b, c"']),
    ("a.csv", ["", "LABEL,DURATION,TIME", "cafe\u0301,1.75,0.5", '"b, c",1.75,2.25']),
])
def test_lines_as_other_programs_write_them(tmp_path, name, lines):
    path = written(tmp_path, name, *lines)
    assert said(label_files.of_file(path)) == [("", 0.5, 2.25, "caf\u00e9"), ("", 2.25, 4, "b, c")]


def test_a_table_of_all_recordings(tmp_path):
    path = written(tmp_path, "l.csv", "Song;tag;END;start", "a.wav;x;2.5;1", '"b;c.wav";y;3;2')
    assert label_files.is_table(path)
    assert said(label_files.of_table(path, "l")) == [("a.wav", 1, 2.5, "x"), ("b;c.wav", 2, 3, "y")]
    assert not label_files.is_table(written(tmp_path, "m.csv", "song,tag", "start,1"))


@pytest.mark.parametrize("line, told", [
    ("1\tx", "line 2, has ['1', 'x']; expected start, end and tag"),
    ("1 2 x", "line 2, has ['1 2 x']; expected start, end and tag"),
    ("1,5\t2\tx", "line 2, has the times '1,5' and '2'; expected seconds"),
    ("1\tinf\tx", "line 2, has the times '1' and 'inf'; expected seconds"),
    ("nan\t2\tx", "line 2, has the times 'nan' and '2'; expected seconds"),
    ("3\t2\tx", "line 2, has the times '3' and '2'; expected seconds (12.5): a start of 0"),
    ("2\t2\tx", "line 2, has the times '2' and '2'"),
    ("-1\t2\tx", "line 2, has the times '-1' and '2'"),
    ("1\t2\t ", "line 2, has the tag ''; give it one"),
    ("1\t2\ta\tb", r"line 2, has the tag 'a\tb'; give it one without tabs"),
])
def test_a_wrong_line_is_named(tmp_path, line, told):
    path = written(tmp_path, "a.txt", "0\t1\tx", line)
    with pytest.raises(UserError) as error:
        label_files.of_file(path)
    assert str(error.value).startswith(repr(path)) and told in str(error.value)


@pytest.mark.parametrize("lines, told", [
    (["song,start,tag", "a,1,x"], "has the columns ['song', 'start', 'tag']; expected song, start"),
    (["song,start,end,tag", "a,1,2"], "line 2, has the tag ''"),
    (["song,start,end,tag", "a,,2,x"], "line 2, has the times '' and '2'"),
    (["song,start,end,tag", ",,,", "a,0,2,5,x"], "has more cells than columns in line 3, ['x']"),
])
def test_a_wrong_table_is_named(tmp_path, lines, told):
    with pytest.raises(UserError) as error:
        label_files.of_table(written(tmp_path, "l.csv", *lines), "DS.labels=l.csv")
    assert str(error.value).startswith("DS.labels=l.csv") and told in str(error.value)


def test_regions_without_a_length_and_other_encodings_are_named(tmp_path):
    with pytest.raises(UserError, match=r"a.csv', line 1, has the times '1' and 'x'; expected"):
        label_files.of_file(written(tmp_path, "a.csv", "1,2,x"))
    with pytest.raises(UserError, match=r"a.csv' has more cells .* line 1, \[' heavy'\]"):
        label_files.of_file(written(tmp_path, "a.csv", "0,1,5,rain, heavy"))
    (tmp_path / "b.txt").write_bytes("1\t2\té\n".encode("latin-1"))
    with pytest.raises(UserError, match=r"b.txt' cannot be read: it is not UTF-8"):
        label_files.of_file(str(tmp_path / "b.txt"))
