from mirdl.songs.wording import names_of, some


def test_one_and_more():
    assert some(1, "song is", "songs are") == "1 song is"
    assert some(20, "song is", "songs are") == "20 songs are"


def test_three_names_and_how_many_others():
    assert names_of(["a", "b", "c"]) == "'a', 'b', 'c'"
    assert names_of(["a", "b", "c", "d"]) == "'a', 'b', 'c' and 1 other"
    assert names_of(list("abcdefg")) == "'a', 'b', 'c' and 4 others"
