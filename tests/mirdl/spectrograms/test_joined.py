import numpy as np
import pytest
import soundfile

from mirdl.spectrograms.features import compute_spectrogram
from mirdl.spectrograms.joined import parts_of

CODINGS = ("ogg", "flac", "mp3")


@pytest.fixture
def tone(tmp_path):
    """Returns the bytes of some seconds of 440 Hz: tone("mp3", 22050)."""
    def make(coding, rate, seconds=2, channels=1):
        samples = 0.3 * np.sin(2 * np.pi * 440 * np.arange(int(seconds * rate)) / rate)
        path = tmp_path / f"tone.{coding}"
        soundfile.write(path, np.repeat(samples[:, None], channels, axis=1), rate)
        return path.read_bytes()
    return make


@pytest.fixture
def ds(parameters):
    return parameters("DS.specTransform=magnitudeSTFT")["DS"]


def parts(path, content):
    path.write_bytes(content)
    return parts_of(str(path))


@pytest.mark.parametrize("coding", CODINGS)
def test_parts_of_other_rates_are_found(tmp_path, tone, coding):
    one, two = tone(coding, 22050), tone(coding, 44100)
    assert parts(tmp_path / "song", one) == []
    assert parts(tmp_path / "song", one + two) == [one, two]
    assert parts(tmp_path / "song", two + one + two) == [two, one, two]


def test_mp3_parts_with_other_channels_behind_a_tag(tmp_path, tone):
    mono, stereo = tone("mp3", 44100), tone("mp3", 44100, channels=2)
    tag = b"ID3\4\0\0\0\0\1\0" + b"\xff\xfb\x90\0" * 32
    assert [len(part) for part in parts(tmp_path / "song", tag + mono + stereo)] == [
        len(mono), len(stereo)]
    assert parts(tmp_path / "song", mono + mono) == [], "a decoder goes on by itself"


@pytest.mark.parametrize("content", [b"x", b"OggS", b"ID3", b"\xff\xfb\x90\0", b"RIFF....WAVE",
                                     b"\xff" * 5000, b"OggS\0\2" * 100, b"fLaC\0\0\0\x22" * 2])
def test_what_is_no_sound_does_no_harm(tmp_path, content):
    assert len(parts(tmp_path / "song", content)) in (0, 2)


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("rates", [(22050, 44100), (44100, 22050), (48000, 32000)])
def test_each_part_is_decoded_at_its_own_rate(tmp_path, tone, ds, coding, rates):
    (tmp_path / "song").write_bytes(b"".join(tone(coding, rate) for rate in rates))
    spectra = compute_spectrogram(str(tmp_path / "song"), ds)[0]
    assert 173 <= spectra.shape[1] <= 177, "4 s"
    pitches = np.delete(spectra[:, 3:-4], np.s_[80:92], axis=1).argmax(axis=0)
    assert set(pitches * 44100 / ds["frameSize"]) <= {430.6640625, 452.197265625}


@pytest.mark.essentia
@pytest.mark.parametrize("coding", CODINGS)
def test_equal_parts_stay_with_the_first_reader(tmp_path, tone, ds, coding):
    (tmp_path / "song").write_bytes(2 * tone(coding, 44100))
    assert 173 <= compute_spectrogram(str(tmp_path / "song"), ds)[0].shape[1] <= 177
