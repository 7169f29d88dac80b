import os

from mirdl.songs import audio_files
from mirdl.spectrograms import decoding


def test_songs_are_found_at_any_depth_and_behind_links_but_not_in_hidden_folders_nor_in_circles(tmp_path):
    for name in ("tag/b.wav", "tag/a/deep/c.MP3", "tag/.trash/old.wav", "tag/.hidden.wav", "tag/notes.txt", "elsewhere/album/d.flac"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    os.symlink(tmp_path / "elsewhere", tmp_path / "tag/linked")
    os.symlink(tmp_path / "tag", tmp_path / "elsewhere/album/back")
    os.symlink(".", tmp_path / "tag/itself")
    os.symlink("nothing", tmp_path / "tag/nowhere")
    assert audio_files.below(tmp_path / "tag") == [str(tmp_path / "tag" / name) for name in ("a/deep/c.MP3", "b.wav", "linked/album/d.flac")]
