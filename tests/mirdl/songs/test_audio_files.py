import os
import shutil

import pytest

from mirdl.errors import UserError
from mirdl.songs.audio_files import below, folder_of, in_folders


def find_songs(dataset):
    return in_folders(folder_of(dataset))


def touch(folder, *names):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_songs_are_found_at_any_depth_and_behind_links(tmp_path):
    touch(tmp_path, "tag/b.wav", "tag/a/deep/c.MP3", "elsewhere/album/d.flac")
    os.symlink(tmp_path / "elsewhere", tmp_path / "tag/linked")
    found = [os.path.relpath(path, tmp_path / "tag") for path in below(tmp_path / "tag")]
    assert found == ["a/deep/c.MP3", "b.wav", "linked/album/d.flac"]


def test_hidden_folders_other_files_and_circles_are_skipped(tmp_path):
    touch(tmp_path, "tag/b.wav", "tag/.trash/old.wav", "tag/.hidden.wav", "tag/notes.txt",
          "elsewhere/album/d.flac")
    os.symlink(tmp_path / "elsewhere", tmp_path / "tag/linked")
    os.symlink(tmp_path / "tag", tmp_path / "elsewhere/album/back")
    os.symlink(".", tmp_path / "tag/itself")
    os.symlink("nothing", tmp_path / "tag/nowhere")
    found = [os.path.relpath(path, tmp_path / "tag") for path in below(tmp_path / "tag")]
    assert found == ["b.wav", "linked/album/d.flac"]


def test_folders_that_cannot_be_read_are_handed_on(tmp_path):
    errors = []
    assert below(str(tmp_path / "missing"), errors.append) == []
    assert [type(error) for error in errors] == [FileNotFoundError]


def test_the_songs_of_a_data_set_come_in_sorted_order(workplace):
    touch(workplace / "data/datasets/Set", "b/2.wav", "b/deep/er/1.FLAC", "b/.hidden.wav",
          "b/cover.jpg", "a/1.mp3", ".git/x.wav", "loose.wav")
    os.symlink("..", workplace / "data/datasets/Set/a/loop")
    songs = find_songs("Set")
    assert list(songs.files) == ["a/1.mp3", "b/2.wav", "b/deep/er/1.FLAC"]
    assert songs.paths["a/1.mp3"] == str(workplace / "data/datasets/Set/a/1.mp3")
    assert list(songs.tags.values()) == ["a", "b", "b"]


def test_missing_data_sets_empty_tags_and_broken_links_are_refused(workplace):
    folder = workplace / "data/datasets/Beats"
    touch(folder, "slow/1.wav")
    with pytest.raises(UserError, match=r"there is no data set 'Beets'.*data sets there: Beats"):
        find_songs("Beets")
    (folder / "fast").mkdir()
    with pytest.raises(UserError, match="the tag 'fast' of data set 'Beats' has no audio file"):
        find_songs("Beats")
    os.symlink("nothing", folder / "middle")
    with pytest.raises(UserError, match="Beats/middle' is a broken link; fix or remove it"):
        find_songs("Beats")
    shutil.rmtree(workplace / "data/datasets")
    with pytest.raises(UserError, match="data sets there: none"):
        find_songs("Beats")


@pytest.mark.xdist_group("serial")
def test_a_folder_that_may_not_be_read_is_told(public, without_rights, monkeypatch):
    monkeypatch.chdir(public)
    os.makedirs("data/datasets/Set/a")
    with without_rights("data/datasets/Set/a", 0), pytest.raises(UserError) as error:
        find_songs("Set")
    folder = os.path.realpath("data/datasets/Set/a")
    assert str(error.value) == (f"cannot read the folder '{folder}': Permission denied; change "
                                "its permissions or remove it")


def test_what_is_passed_over_is_counted_by_ending(workplace):
    folder = workplace / "data/datasets/Set"
    touch(folder, "a/1.wav", "b/1.opus", "b/2.w64")
    assert find_songs("Set").notes == []
    touch(folder, "a/2.webm", "a/cover.JPG", "b/deep/cover.jpg", "b/README", "a/.DS_Store",
          "notes.txt", "one.wav", "two.mp3")
    assert list(find_songs("Set").files) == ["a/1.wav", "b/1.opus", "b/2.w64"]
    assert find_songs("Set").notes == [
        "4 other files were passed over: .jpg 2, .webm 1, no ending 1",
        "2 audio files are outside the folders of the tags and have no tag: 'one.wav', 'two.mp3'",
    ]
    touch(folder, "c/1.webm")
    with pytest.raises(UserError, match=r"the tag 'c' .* no audio file \(but .webm 1\); put songs"):
        find_songs("Set")


def test_tags_that_differ_in_the_form_of_unicode_only_are_refused(workplace):
    touch(workplace / "data/datasets/Set", "caf\xe9/1.wav", "other/1.wav")
    assert list(find_songs("Set").files) == ["caf\xe9/1.wav", "other/1.wav"]
    touch(workplace / "data/datasets/Set", "cafe\u0301/1.wav")
    with pytest.raises(UserError) as error:
        find_songs("Set")
    assert str(error.value).startswith(r"the folders 'cafe\u0301' and 'caf\xe9' of ")
    assert str(error.value).endswith("differ only in how their accents are encoded, and would be "
                                     "two tags; put their songs into one")
