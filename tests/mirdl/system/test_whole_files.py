import os
import resource
import signal
import subprocess
import sys

import pytest
from conftest import ROOT

from mirdl.errors import UserError
from mirdl.system.whole_files import make_folder, remove_leftovers, whole

pytestmark = pytest.mark.xdist_group("serial")


def test_whole_replaces_only_when_complete(tmp_path):
    path = tmp_path / "table.txt"
    path.write_text("old")
    with whole(path) as file:
        file.write("new")
        assert path.read_text() == "old"
    assert path.read_text() == "new"
    assert os.stat(path).st_mode & 0o777 == 0o666 & ~os.umask(os.umask(0o22))


def test_whole_leaves_nothing_behind_after_an_error(tmp_path):
    path = tmp_path / "table.txt"
    with pytest.raises(RuntimeError), whole(path) as file:
        file.write("half")
        raise RuntimeError
    assert os.listdir(tmp_path) == []


def test_what_a_killed_process_left_is_removed_and_what_is_being_written_is_not(tmp_path):
    subprocess.run([sys.executable, "-c", (
        "import os, signal; from mirdl.system.whole_files import whole\n"
        f"with whole({str(tmp_path / 'killed.txt')!r}) as file:\n"
        "    file.write('half'); file.flush(); os.kill(os.getpid(), signal.SIGKILL)")], cwd=ROOT)
    assert [name.split(".")[1] for name in os.listdir(tmp_path)] == ["killed"]
    with whole(tmp_path / "table.txt") as file:
        remove_leftovers(tmp_path)
        file.write("whole")
    assert os.listdir(tmp_path) == ["table.txt"]


def test_of_a_users_folder_only_what_this_program_left_is_removed(tmp_path):
    ours = [".s073.txt.abcd_123.part", f".{'s' * 96}.txt.00000000.part", "..txt.abcdefgh.part"]
    others = [".s073.csv.abcd_123.part", ".s073.txt.abcd_12.part", ".s073.txt.ABCD_123.part",
              "s073.txt.abcd_123.part", ".s073.txt.part", ".s073txt.abcd_123.part", "s073.txt"]
    for name in (*ours, *others):
        (tmp_path / name).touch()
    remove_leftovers(tmp_path, ".txt")
    assert sorted(os.listdir(tmp_path)) == sorted(others)


@pytest.mark.parametrize("name", ["s073.txt", "s" * 251 + ".txt", "\u00e9" * 125 + ".txt"])
def test_what_was_left_of_a_name_of_any_length_is_known_by_its_ending(tmp_path, name):
    with whole(tmp_path / name):
        [left] = os.listdir(tmp_path)
    os.rename(tmp_path / name, tmp_path / left)
    remove_leftovers(tmp_path, (".csv", ".txt"))
    assert os.listdir(tmp_path) == []


def test_a_file_that_is_about_to_get_its_name_is_not_removed(tmp_path, monkeypatch):
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda *paths: remove_leftovers(tmp_path) or replace(*paths))
    with whole(tmp_path / "table.txt") as file:
        file.write("whole")
    assert (tmp_path / "table.txt").read_text() == "whole"


def test_the_umask_that_all_threads_share_is_left_alone(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "umask", None)
    with whole(tmp_path / "table.txt") as file:
        file.write("whole")


def test_no_space_is_one_clear_error_and_the_old_file_stays(tmp_path):
    path = tmp_path / "table.txt"
    path.write_text("old")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))    # a real OSError
    try:
        with (pytest.raises(UserError, match="table.txt.*File too large.*free some space"),
              whole(path) as file):
            file.write("x" * 100000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["table.txt"]


def test_of_a_long_name_the_advice_is_a_shorter_one(tmp_path):
    with (pytest.raises(UserError, match="too long.*shorter name.*run again"),
          whole(tmp_path / (100 * "song"))):
        pass


def test_a_folder_that_is_a_file_is_refused(tmp_path):
    (tmp_path / "results").write_text("")
    with pytest.raises(UserError, match="results"):
        make_folder(str(tmp_path / "results"))
