import types

import pytest

from mirdl.errors import UserError
from mirdl.songs import loaders, public_sets
from mirdl.songs.dataset import Songs

MODULE = types.ModuleType("someDatasets")
MODULE.__file__ = "someDatasets.py"
DS = {"dataset": "Set", "labels": "", "background": "", "groups": "", "replicas": "keep"}


@pytest.fixture
def folder(workplace):
    folder = workplace / "data/datasets/Set"
    for name in ("b/2.wav", "b/deep/1.wav", "a/3.wav", "loose.wav", "notes.txt"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return folder


def module_with(load):
    """Return a module that has the function `load`, of its own, as the loader of Set."""
    module = types.ModuleType("ownDatasets")
    load.__module__, load.__name__ = module.__name__, "Set"
    module.__file__, module.Set = "/somewhere/ownDatasets.py", load
    return module


def given(**attributes):
    """Return what a module gives whose loader gives these songs."""
    files = {"y.wav": ("/y.wav", "slow"), "x.wav": ("/x.wav", "quick")}
    return module_with(lambda folder: Songs(files, **attributes))


def test_a_loader_is_a_function_of_the_module_that_takes_a_folder(folder):
    def helper(folder, tag):
        pass
    assert list(loaders.songs_of(DS, given()).files) == ["x.wav", "y.wav"]
    module = module_with(helper)
    # the last is of another module
    for module.Set in (helper, pytest.fail, 3, lambda folder: None):
        assert len(loaders.songs_of(DS, module).files) == 3, "by its folders"


def test_without_a_loader_folders_are_tags(folder):
    songs = loaders.songs_of(DS, MODULE)
    assert songs.tags == {"a/3.wav": "a", "b/2.wav": "b", "b/deep/1.wav": "b"}
    assert songs.split == "" and songs.groups is None and loaders.groups_in(songs, [], DS) is None


def test_labels_give_songs_their_tags_wherever_these_lie(folder, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("song,tag\nloose,quick\nb/2.wav, slow\na/3.wav,quick\n")
    songs = loaders.songs_of({**DS, "labels": str(path)}, MODULE)
    assert songs.tags == {"a/3.wav": "quick", "b/2.wav": "slow", "loose.wav": "quick"}
    assert songs.paths["loose.wav"] == str(folder / "loose.wav")
    assert songs.notes == [f"1 song has no tag in DS.labels={path} and is passed over: "
                           "'b/deep/1.wav'"]
    path.write_text("song,tag\nloose,quick\nnone.wav,slow\n")
    message = "labels.csv names 'none.wav', but no song of data set 'Set'"
    with pytest.raises(UserError, match=message):
        loaders.songs_of({**DS, "labels": str(path)}, MODULE)


def test_labels_replace_the_tags_of_a_loader(folder, tmp_path):
    path = tmp_path / "labels.csv"
    path.write_text("song,tag\nquick/x,1\ny.wav,2\n")
    songs = loaders.songs_of({**DS, "labels": str(path)}, given())
    assert songs.tags == {"x.wav": "1", "y.wav": "2"} and songs.paths["x.wav"] == "/x.wav"


def test_a_loader_is_given_the_folder_and_its_groups_count(folder):
    seen = []
    groups = {"x.wav": "1", "y.wav": "2"}
    load = given(groups=groups).Set
    module = module_with(lambda folder: seen.append(folder) or load(folder))
    songs = loaders.songs_of(DS, module)
    assert seen == [str(folder)] and list(songs.files) == ["x.wav", "y.wav"]
    assert loaders.groups_in(songs, ["y.wav"], DS) == ["2"]
    assert loaders.groups_in(songs, ["y.wav"], {**DS, "groups": "(y)"}) == ["y"]


def test_replicas_are_left_out_or_put_together(folder):
    module = given(replicas=[("y", "x.wav"), ("x", "gone")])
    assert loaders.songs_of(DS, module).replicas == ()
    for how, left in (("drop", ["y.wav"]), ("together", ["x.wav", "y.wav"])):
        ds = {**DS, "replicas": how}
        songs = loaders.songs_of(ds, module)
        assert songs.replicas == (("y.wav", "x.wav"),)
        assert list(loaders.without_replicas(songs, ds, None).files) == left
        assert "x.wav" in loaders.without_replicas(songs, ds, {"x.wav"}).files, "y.wav is unused"
    assert loaders.groups_in(songs, ["x.wav", "y.wav"], ds) == ["y.wav", "y.wav"]
    message = ("DS.replicas=drop needs a data set whose replicas are known: Ballroom or GTZAN, not "
               "Set; name songs")
    with pytest.raises(UserError, match=message):
        loaders.songs_of({**DS, "replicas": "drop"}, MODULE)


@pytest.mark.parametrize("load, message", [
    (lambda folder: {"x.wav": "quick"}, "gives dict; expected Songs"),
    (lambda folder: None, "gives NoneType; expected Songs"),
    (lambda folder: Songs({"x.wav": "quick"}), "that are not of the form song -> .path, tag."),
    (lambda folder: Songs({"x.wav": ("/x.wav", 3)}), "gives 3 for a song, a path or a tag"),
    (lambda folder: Songs({"x.wav": ("/x.wav", "")}), "gives '' for a song, a path or a tag"),
    (lambda folder: Songs({"x.wav": ("/x.wav", "a")}, groups={}), "no group to the song 'x.wav'"),
])
def test_what_a_loader_may_not_give(folder, load, message):
    with pytest.raises(UserError, match=f"^the loader Set of ownDatasets.py .*{message}"):
        loaders.songs_of(DS, module_with(load))


def test_a_loader_that_fails_is_told_with_its_line(folder):
    def load(folder):
        return dict([folder])
    module = module_with(load)
    module.__file__ = __file__
    line = load.__code__.co_firstlineno + 1
    with pytest.raises(UserError) as error:
        loaders.songs_of(DS, module)
    assert str(error.value) == (
        f"the loader Set of test_loaders.py failed in line {line}, 'return dict([folder])': "
        f"ValueError: dictionary update sequence element #0 has length {len(str(folder))}; 2 is "
        "required")
    module = module_with(lambda folder: loaders.in_folders(folder + "/nowhere"))
    with pytest.raises(UserError, match="^cannot read the folder '.*/nowhere': No such file"):
        loaders.songs_of(DS, module)


def test_of_a_public_set_replicas_faults_and_splits_are_known(folder, tmp_path):
    (tmp_path / "split.csv").write_text("song,part\nb/2,train\na/3,test\ngone,test\n")
    known = public_sets.PublicSet("", "", "", {}, (("b/2", "a/3"),), ("it is old",),
                                  {"new": tmp_path / "split.csv"})
    songs = loaders.public_songs(str(folder), known)
    assert songs.splits == {"new": {"b/2.wav": "train", "a/3.wav": "test"}}
    assert songs.replicas == known.replicas and songs.notes[-1] == "it is old"
    assert songs.split == "", "only if it is asked for"
