import makeSounds
import numpy as np
import pytest

from mirdl.spectrograms.features import compute_spectrogram
from mirdl.spectrograms.level import levelled, odd_levels
from mirdl.spectrograms.normalisation import compress

# Levels of songs, in dB: the 0, 25, 50, 75 and 100 % of ESC-10, Groove and DanceLoops
ESC10 = [-30.5, -11.7, -7.1, -2.4, 3.6]
GROOVE = [-19.8, -12.1, -10.6, -9.4, -5.3]
DANCE = [-14.1, -9.6, -7.8, -6.4, -3.6]


@pytest.fixture
def ds(parameters):
    return lambda *changes: parameters(*changes)["DS"]


def of_levels(levels):
    """Give the means of compressed spectrograms of these levels."""
    return np.log10(10 ** (np.array(levels) / 10) + 1)


@pytest.mark.parametrize("levels", [ESC10, GROOVE, DANCE])
def test_songs_of_varied_data_sets_are_at_a_usual_level(levels, ds):
    assert odd_levels(of_levels(levels), of_levels(levels), ds()) == [""] * 5


@pytest.mark.parametrize("levels, far", [(ESC10, 23), (DANCE, 8), ([-9.0] * 3, 8)])
def test_a_level_is_odd_from_some_distance_of_most_songs_on(levels, far, ds):
    low, high = np.percentile(levels, (25, 75))
    width = max(2.5 * (high - low), 8)
    asked = low - width + 0.1, low - width - 0.1, high + width - 0.1, high + width + 0.1
    inside, quiet, within, loud = odd_levels(of_levels(asked), of_levels(levels), ds())
    assert inside == within == ""
    assert quiet.startswith(f"at least {far} dB quieter than most training songs")
    assert loud.startswith(f"at least {far} dB louder than most training songs")
    assert quiet.endswith("best brought to their level")


@pytest.mark.parametrize("transform, power", [("mel", 2), ("magnitudeSTFT", 1)])
@pytest.mark.parametrize("norm", ["log0m1v", "None"])
def test_a_tenth_of_the_amplitude_is_odd_however_songs_are_compressed(norm, transform, power, ds):
    noise = np.random.RandomState(0).gamma(1, 1e-5, (40, 200))
    known, quarter, tenth = (compress(noise * gain ** power, norm).mean()
                             for gain in (1, 0.5, 0.1))
    asked = ds(f"DS.inputNorm={norm}", f"DS.specTransform={transform}")
    usual, odd = odd_levels(np.array([quarter, tenth]), np.array([known] * 4), asked)
    assert usual == "" and "quieter" in odd


def test_silence_is_told_also_where_no_level_is_known(ds):
    for norm, silence in ("log0m1v", 1e-8), ("None", 1e-11):
        asked = ds(f"DS.inputNorm={norm}")
        means = np.array([0, silence, 2 * silence])
        for training in np.zeros(0), np.zeros(3):
            *silent, quiet = odd_levels(means, training, asked)
            assert silent == ["silence, or two channels that cancel out; better left out"] * 2
            assert quiet == ""


def test_silent_songs_do_not_count_among_those_of_a_usual_level(ds):
    training = of_levels([*[-400] * 30, -9, -8, -7])
    assert odd_levels(of_levels([-8, -30]), training, ds())[0] == ""
    assert "quieter" in odd_levels(of_levels([-8, -30]), training, ds())[1]


@pytest.fixture
def heard(tmp_path, ds):
    """Compute the spectrogram of noise of two parts in a file of floats, and its note."""
    sound = makeSounds.noise(1.5) * np.repeat([1, 0.02, 0.3], 22050)

    def call(gain, *changes, reader="essentia", sparing=False):
        path = tmp_path / "song.wav"
        path.write_bytes(makeSounds.wav(sound * gain, 32, "float"))
        return compute_spectrogram(str(path), ds(*changes), reader, sparing)
    return call


@pytest.mark.parametrize("reader", ["essentia", "libsndfile"])
@pytest.mark.parametrize("transform, power, usual", [
    ("mel", 1, 1e-2), ("magnitudeSTFT", 2, 1e-3), ("musicnn-mel", 1, 0.1)])
def test_a_gain_changes_nothing_at_one_level(heard, reader, transform, power, usual):
    changes = ["DS.level=rms", f"DS.specTransform={transform}", "DS.inputNorm=None"]
    loud, note = heard(1, *changes, reader=reader)
    energies = (np.power(10, loud.astype(float)) - 1) / 1e4 if transform == "musicnn-mel" else loud
    assert np.mean(energies ** power) == pytest.approx(usual, rel=1e-4) and note == ""
    for gain in (0.1, 0.01, 1e-3):
        for sparing in (False, True):
            found, note = heard(gain, *changes, reader=reader, sparing=sparing)
            np.testing.assert_allclose(found, loud, rtol=1e-4, atol=1e-6 * loud.max())
            assert note == ""
    assert not np.allclose(heard(0.1, *changes[1:])[0], loud, rtol=0.1), "as published"


@pytest.mark.parametrize("transform", ["mel", "magnitudeSTFT", "musicnn-mel"])
def test_silence_is_told_and_stays_silence(heard, transform):
    changes = ["DS.level=rms", f"DS.specTransform={transform}", "DS.inputNorm=None"]
    found, note = heard(0, *changes)
    assert note == "is silence, or two channels that cancel out; better left out"
    assert not found.any() and heard(0, *changes[1:])[1] == ""
    found, note = heard(1e-35, *changes)
    assert note.startswith("is silence") and np.isfinite(found).all()


@pytest.mark.parametrize("transform", ["mel", "magnitudeSTFT", "musicnn-mel"])
def test_the_last_bit_at_random_is_silence(tmp_path, ds, transform):
    notes = []
    for most in (1, 4):
        samples = np.random.RandomState(0).randint(-most, most + 1, 66150) / 2**15
        (tmp_path / "song.wav").write_bytes(makeSounds.wav(samples, 32, "float"))
        notes.append(compute_spectrogram(str(tmp_path / "song.wav"), ds(
            "DS.level=rms", f"DS.specTransform={transform}", "DS.inputNorm=None"))[1])
    assert notes[0].startswith("is silence") and notes[1] == ""


def test_at_one_level_no_level_is_odd(ds):
    far = of_levels([-90, -9, -9, 40])
    assert odd_levels(far, far, ds("DS.level=rms")) == [""] * 4
    assert "" in odd_levels(far, far, ds()) != [""] * 4
    published = np.ones((2, 40), np.float32)
    assert levelled(published, ds()) == "" and (published == 1).all()
