import makeMiniRhythm
import numpy as np
import pytest
import soundfile

from mirdl.spectrograms import decoding, features
from mirdl.spectrograms.decoding import spectrogram_of
from mirdl.spectrograms.reasons import TemporaryReason, UndecodedError


@pytest.fixture
def here(monkeypatch):
    """Decode in the process of the tests: it must not fork once JAX runs in it."""
    monkeypatch.setattr(decoding, "isolated", lambda function, *given, **_: function(*given))


def test_a_spectrogram_or_the_reason_why_there_is_none(here, tmp_path, parameters):
    (tmp_path / "empty.wav").touch()
    makeMiniRhythm.write_wav(tmp_path / "second.wav", np.ones(44100))
    ds = parameters()["DS"]
    assert spectrogram_of(str(tmp_path / "second.wav"), ds)[0].shape == (40, 45)
    reason = spectrogram_of(str(tmp_path / "empty.wav"), ds)[0]
    assert reason == "is empty" and not isinstance(reason, TemporaryReason)


def test_a_missing_file_may_be_there_at_the_next_run(here, tmp_path, parameters):
    reason = spectrogram_of(str(tmp_path / "missing.wav"), parameters()["DS"])[0]
    assert isinstance(reason, TemporaryReason)
    assert reason == "cannot be opened: No such file or directory"


@pytest.mark.parametrize("error, words", [
    (MemoryError(), "takes more than 2.0 GB of memory; split it into shorter files"),
    (decoding.ProcessDiedError("crashed (SIGSEGV)"),
     "the decoder crashed (SIGSEGV); convert it to wav or flac"),
])
def test_what_a_decoder_that_fails_may_do_at_the_next_run(parameters, monkeypatch, error, words):
    def fail(*_, **__):
        raise error
    monkeypatch.setattr(decoding, "isolated", fail)
    monkeypatch.setattr(decoding, "memory", lambda: 2**31)
    reason = spectrogram_of("song.wav", parameters()["DS"])[0]
    assert isinstance(reason, TemporaryReason) and reason == f"cannot be decoded: {words}"


def test_want_of_memory_says_how_much_and_is_not_kept(here, tmp_path, parameters, monkeypatch):
    path = tmp_path / "long.flac"
    soundfile.write(path, np.zeros(60 * 44100), 44100)
    monkeypatch.setattr(decoding, "memory", lambda: 2**20)
    asked = []

    def fail(file, ds, *way):
        asked.append(way)
        raise MemoryError
    monkeypatch.setattr(features, "compute_spectrogram", fail)
    ds = parameters("DS.specTransform=magnitudeSTFT")["DS"]
    reason = spectrogram_of(str(path), ds)[0]
    assert isinstance(reason, TemporaryReason) and len(asked) == 1
    assert reason == ("cannot be decoded: takes about 20 MB of memory, and may take 1 MB; "
                      "split it into shorter files")


def test_want_of_memory_of_libsndfile_is_no_unknown_codec(here, tmp_path, parameters,
                                                                 monkeypatch):
    path = tmp_path / "long.opus"
    soundfile.write(path, np.zeros(10 * 48000), 48000, "OPUS", format="OGG")

    def fail(file, ds, reader, *_):
        raise UndecodedError("codec") if reader == "essentia" else MemoryError
    monkeypatch.setattr(features, "compute_spectrogram", fail)
    reason = spectrogram_of(str(path), parameters()["DS"])[0]
    assert isinstance(reason, TemporaryReason) and " GB of memory; split it" in reason


def test_a_long_song_goes_through_frame_by_frame(here, tmp_path, parameters, monkeypatch):
    path = tmp_path / "long.flac"
    soundfile.write(path, np.random.RandomState(1).uniform(-0.3, 0.3, 10 * 44100), 44100)
    ds = parameters()["DS"]
    usual = spectrogram_of(str(path), ds)[0]
    original, asked = features.compute_spectrogram, []

    def compute(file, ds, reader, sparing, promised):
        asked.append((reader, sparing))
        return original(file, ds, reader, sparing, promised)
    monkeypatch.setattr(features, "compute_spectrogram", compute)
    monkeypatch.setattr(decoding, "memory", lambda: 2**20)
    sparing = spectrogram_of(str(path), ds)[0]
    assert asked == [("essentia", True)]
    np.testing.assert_allclose(sparing, usual, rtol=2e-6, atol=0)


def test_a_larger_machine_gives_more():
    for machine, most in (2**30, 2**30), (2**33, 2**31 + 1000), (2**40, 2**37):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(decoding, "memory", lambda machine=machine: machine)
            assert decoding._most_memory(1) == most
