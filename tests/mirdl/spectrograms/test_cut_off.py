import os

import makeSounds
import pytest
from conftest import ROOT

from mirdl.spectrograms import cut_off

NOISE = makeSounds.noise(1)
MP4 = b"\0\0\0\x0cftypM4A \0\0\0\0mdat" + b"rest"       # its size is 0: up to the end


def half(path):
    os.truncate(path, os.path.getsize(path) // 2)
    return str(path)


@pytest.mark.parametrize("container, coding", [
    ("WAV", "PCM_16"), ("WAV", "MS_ADPCM"), ("WAVEX", "PCM_24"), ("RF64", "PCM_16"),
    ("W64", "PCM_16"), ("AIFF", "PCM_16"), ("AU", "PCM_16")])
def test_a_header_promises_bytes(tmp_path, container, coding):
    path = tmp_path / "song"
    path.write_bytes(makeSounds.by_libsndfile(NOISE, container, coding))
    whole = os.path.getsize(path)
    assert cut_off.note_of(str(path)) == ""
    note = cut_off.note_of(half(path))
    start, _, end = note.partition(" of the ")
    assert start == f"is cut off: {whole // 2}"
    assert abs(int(end.split()[0]) - whole) <= 8 and end.endswith("its header promises are there")


@pytest.mark.parametrize("coding, rate", [("VORBIS", 44100), ("OPUS", 48000)])
def test_an_ogg_marks_its_last_page(tmp_path, coding, rate):
    path = tmp_path / "song"
    path.write_bytes(makeSounds.by_libsndfile(makeSounds.noise(3, rate), "OGG", coding, rate))
    assert cut_off.note_of(str(path)) == ""
    assert cut_off.note_of(half(path)) == "is cut off: its last page is missing"


def test_the_boxes_of_an_mp4(tmp_path):
    with open(os.path.join(ROOT, "tests", "sounds", "tone.m4a"), "rb") as file:
        content = file.read()
    path = tmp_path / "song"
    for whole in (content, MP4):
        path.write_bytes(whole)
        assert cut_off.note_of(str(path)) == ""
    path.write_bytes(content[:-len(content) // 3])
    assert cut_off.note_of(str(path)).startswith("is cut off: ")


@pytest.mark.parametrize("content", [
    makeSounds.wav(NOISE)[:4] + b"\xff" * 4 + makeSounds.wav(NOISE)[8:],
    makeSounds.wav(NOISE)[:4] + bytes(4) + makeSounds.wav(NOISE)[8:],
    b"ID3 no promise", b"R", b"OggS"[:3]])
def test_where_nothing_is_promised_nothing_is_noted(tmp_path, content):
    (tmp_path / "song").write_bytes(content)
    assert cut_off.note_of(str(tmp_path / "song")) == ""
