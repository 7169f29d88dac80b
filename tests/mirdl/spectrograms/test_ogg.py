import io

import numpy as np
import pytest
import soundfile

from mirdl.spectrograms import ogg

RATE = 22050


@pytest.fixture
def song(tmp_path):
    """A file of two channels: clicks 0.7 s apart in noise, each a little lower than the last."""
    samples = np.random.RandomState(1).normal(0, 0.02, (6 * RATE, 2))
    time = np.arange(2000) / RATE
    for place in range(8):
        start = int((0.2 + 0.7 * place) * RATE)
        click = 0.5 * np.sin(2 * np.pi * (2000 - 200 * place) * time) * np.exp(-30 * time)
        samples[start:start + 2000, place % 2] += click
    soundfile.write(tmp_path / "song.wav", samples, RATE)
    return str(tmp_path / "song.wav"), samples.mean(axis=1)


@pytest.mark.parametrize("start, end", [(0, np.inf), (1.3, 4.1), (3, np.inf)])
def test_what_is_heard_is_the_song_at_its_own_time(song, start, end):
    file, samples = song
    content = ogg.compressed(file, start, end)
    expected = samples[round(start * RATE):round(min(end, 6) * RATE)]
    heard, rate = soundfile.read(io.BytesIO(content))
    assert rate == RATE and heard.shape == expected.shape
    assert np.corrcoef(heard, expected)[0, 1] > 0.9
    shifted = [np.corrcoef(np.roll(heard, lag), expected)[0, 1] for lag in range(-20, 21)]
    assert np.argmax(shifted) == 20
    assert len(content) < 0.2 * 4 * len(expected)


def test_a_long_song_is_written_in_pieces(tmp_path):
    samples = np.zeros(5 * ogg.BLOCK + 7, np.float32)
    soundfile.write(tmp_path / "long.wav", samples, 44100)
    heard, _ = soundfile.read(io.BytesIO(ogg.compressed(str(tmp_path / "long.wav"))))
    assert len(heard) == len(samples)


def test_what_cannot_be_read_is_told(tmp_path):
    (tmp_path / "text.wav").write_text("no sound")
    assert ogg.compressed(str(tmp_path / "text.wav")).startswith("libsndfile cannot read it: ")
    assert ogg.compressed("nowhere.wav").startswith("libsndfile cannot read it: ")


def test_parts_of_several_rates_are_not_one_sound(monkeypatch):
    parts = [(np.ones(10, np.float32), 44100), (np.ones(10, np.float32), 22050)]
    monkeypatch.setattr(ogg.libsndfile, "read", lambda file: parts)
    with pytest.raises(ValueError, match="2 sample rates"):
        ogg.samples_of("joined.ogg", 0, np.inf)
    parts[1] = np.zeros(5, np.float32), 44100
    samples, rate = ogg.samples_of("joined.ogg", 0, np.inf)
    assert samples.tolist() == [1] * 10 + [0] * 5 and rate == 44100
