import os
import re
import resource
import threading
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
import soundfile

from mirdl.errors import UserError
from mirdl.tagging import as_files
from mirdl.tagging.as_files import check, file_of, file_of_samples


@pytest.mark.parametrize("kind, subtype", [
    ("float32", "FLOAT"), ("float64", "DOUBLE"), ("int16", "PCM_16"), ("int32", "PCM_32"),
    ("uint8", "PCM_U8")])
def test_samples_become_a_wav_of_their_kind(kind, subtype):
    rng, limits = np.random.RandomState(1), np.iinfo(kind) if "int" in kind else None
    for shape in (500,), (500, 2), (3, 7):
        given = (rng.uniform(-1, 1, shape) if limits is None
                 else rng.randint(limits.min, limits.max, shape)).astype(kind)
        with file_of_samples(given, np.int64(22050)) as path:
            found, rate = soundfile.read(path)
            assert (rate, soundfile.info(path).subtype) == (22050, subtype)
        expected = given if limits is None else (
            (given.astype(float) - 128 * (kind == "uint8")) / 2.0 ** (limits.bits - 1))
        np.testing.assert_array_equal(found, expected)
        assert not os.path.exists(path)


@pytest.mark.parametrize("samples, rate, words", [
    (np.zeros(9, int), 44100, "of type int64 .* expected float32, .*; convert them"),
    (np.zeros(9, np.float16), 44100, "of type float16"),
    ("song.wav", 44100, "of type str"),
    (np.zeros((1, 2, 3)), 44100, r"of shape \(1, 2, 3\) .* expected \(samples,\) or"),
    (np.zeros((2, 1025)), 44100, r"of shape \(2, 1025\) .* transpose"),
    (np.zeros((2, 0)), 44100, r"of shape \(2, 0\)"),
    (np.zeros(9), 0, "a rate of 0 .* from 1 to 384000"),
    (np.zeros(9), 384001, "a rate of 384001"),
    (np.zeros(9), "44100", "a rate of '44100'"),
    (np.zeros(9), 44100.5, "a rate of 44100.5"),
])
def test_other_samples_are_refused(samples, rate, words):
    with pytest.raises(UserError, match=words), file_of_samples(samples, rate):
        pass


@pytest.mark.parametrize("channels, rate", [(1, 1), (1024, 384000)])
def test_the_most_extreme_that_is_allowed_is_written(channels, rate):
    with file_of_samples(np.zeros((2, channels)), rate) as path:
        assert (soundfile.info(path).channels, soundfile.info(path).samplerate) == (channels, rate)


@pytest.fixture
def fed(tmp_path):
    """Make a FIFO that a thread writes bytes to: fed(content) -> its path."""
    threads = []

    def make(content):
        path = str(tmp_path / "pipe")
        os.mkfifo(path)

        def write():
            with suppress(BrokenPipeError), open(path, "wb", buffering=0) as pipe:
                pipe.write(content)
        threads.append(threading.Thread(target=write))
        threads[-1].start()
        return path
    yield make
    for thread in threads:
        thread.join(10)


def test_all_that_comes_through_a_pipe_is_in_the_file(fed):
    content = np.random.RandomState(2).bytes(3 * as_files.BLOCK + 5)
    path = fed(content)
    check(path)
    with file_of(path) as copy:
        assert Path(copy).read_bytes() == content
    assert not os.path.exists(copy)


def test_a_pipe_that_has_ended_is_read_to_its_end():
    reader, writer = os.pipe()          # as <(cat song.wav) in bash
    os.write(writer, b"all of it")
    os.close(writer)
    with file_of(f"/dev/fd/{reader}") as copy:
        assert Path(copy).read_bytes() == b"all of it"
    os.close(reader)


def test_a_file_is_itself(tmp_path):
    (tmp_path / "song.wav").write_bytes(b"sound")
    os.symlink("song.wav", tmp_path / "link")
    with file_of(str(tmp_path / "link")) as path:
        assert path == os.path.realpath(tmp_path / "song.wav")
    assert (tmp_path / "song.wav").read_bytes() == b"sound"


@pytest.mark.parametrize("size, fits", [(2000, True), (2001, False)])
def test_more_than_fits_is_refused(fed, monkeypatch, size, fits):
    monkeypatch.setattr(as_files, "MOST", 2000)
    path = fed(bytes(size))
    if fits:
        with file_of(path) as copy:
            assert os.path.getsize(copy) == size
        return
    with pytest.raises(UserError, match="more than .* came through .*: save the sound to a file"):
        file_of(path).__enter__()


def test_a_pipe_to_which_nobody_writes_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(as_files, "PATIENCE", 0.05)
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UserError, match=re.escape(f"nothing came through '{tmp_path}/pipe' for ")):
        file_of(str(tmp_path / "pipe")).__enter__()


def test_a_full_disk_is_told(fed):
    path = fed(bytes(10000))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))
    try:
        with pytest.raises(UserError, match=f"what comes through '{path}' cannot be kept in a "
                                            "temporary file: File too large; make room"):
            file_of(path).__enter__()
        with pytest.raises(UserError, match="the samples cannot be kept"):
            file_of_samples(np.zeros(9000), 44100).__enter__()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize("path, words", [
    ("/dev/null", "'/dev/null' is a device .* or a folder, not a file or a pipe"),
    ("/tmp", "'/tmp' is a device .* or a folder"),
    ("nowhere.wav", "there is no file or folder 'nowhere.wav'")])
def test_what_is_no_file_and_no_pipe_is_refused(path, words):
    with pytest.raises(UserError, match=words):
        check(path)
