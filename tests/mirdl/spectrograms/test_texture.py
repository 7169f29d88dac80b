import makeSounds
import numpy as np
import pytest

from mirdl import settings
from mirdl.spectrograms.decoding import spectrogram_of
from mirdl.spectrograms.normalisation import compress
from mirdl.spectrograms.texture import texture

HEARD = 32      # of the 40 published bands
PAIRS = HEARD * (HEARD - 1) // 2


def heard(samples, tmp_path):
    """Return the compressed mel bands of samples."""
    path = tmp_path / "song.wav"
    path.write_bytes(makeSounds.wav(samples, 32, "float"))
    found, _ = spectrogram_of(str(path), settings.published()["DS"])
    return compress(found, "log0m1v")


def test_steady_noise_and_beats_of_it_have_other_textures(tmp_path):
    noise = makeSounds.noise(3)
    beats = noise * (np.arange(len(noise)) % 11025 < 2000)
    steady, beating = (texture(heard(sound, tmp_path)) for sound in (noise, beats + noise / 100))
    assert steady.shape == beating.shape == (7 * HEARD + PAIRS,)
    again = texture(heard(makeSounds.noise(5)[-len(noise):], tmp_path))
    assert np.abs(steady - again).mean() < np.abs(steady - beating).mean() / 3
    together, alone = beating[-PAIRS:].mean(), np.abs(steady[-PAIRS:]).mean()
    assert together > 0.8 > 0.5 > alone, "bands step together"


def test_gain_does_not_count_and_gaps_hardly_do(tmp_path):
    noise = makeSounds.noise(3)
    beats = noise * (1 + 0.9 * np.sin(np.arange(len(noise)) / 5000))
    plain = texture(heard(beats, tmp_path))
    other = np.abs(plain - texture(heard(noise, tmp_path))).mean()
    gap = texture(heard(np.concatenate([np.zeros(99999), beats, np.zeros(99999)]), tmp_path))
    soft = texture(heard(0.03 * beats, tmp_path))
    assert np.abs(soft - plain).max() < 0.01
    assert np.abs(gap - plain).mean() < 0.6 * other, "its edges are steps, too"


@pytest.mark.parametrize("bands, kept", [(12, 10), (40, 32), (50, 40), (51, 40), (96, 40)])
def test_neighbouring_bands_are_averaged_beyond_forty(bands, kept):
    found = texture(np.random.RandomState(0).uniform(1, 2, (bands, 50)).astype(np.float32))
    assert found.shape == (7 * kept + kept * (kept - 1) // 2,) and found.dtype == np.float32


def test_the_upper_fifth_of_the_bands_does_not_count():
    bands = np.random.RandomState(0).uniform(1, 2, (40, 50)).astype(np.float32)
    lower, upper = bands.copy(), bands.copy()
    lower[32:], upper[:32] = 0, 0
    np.testing.assert_array_equal(texture(lower), texture(bands))
    assert texture(upper) is None
    upper[31] = bands[31]
    assert texture(upper) is not None


def test_silence_has_none():
    assert texture(np.zeros((40, 100), np.float32)) is None and texture(None) is None
    click = np.zeros((40, 100), np.float32)
    click[:, 50:52] = 1
    assert texture(click) is None
    click[:, 52] = 2
    assert np.isfinite(texture(click)).all()
