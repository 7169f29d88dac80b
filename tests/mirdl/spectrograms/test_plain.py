import numpy as np
import pytest
from makeSounds import by_libsndfile, noise, wav

from mirdl.errors import UserError
from mirdl.frames import frames_of
from mirdl.spectrograms import features, plain
from mirdl.spectrograms.features import compute_spectrogram
from mirdl.spectrograms.normalisation import compress

WINDOWS = ("hamming", "hann", "hannnsgcq", "triangular", "square", "blackmanharris62",
           "blackmanharris70", "blackmanharris74", "blackmanharris92")
MONO, STEREO = noise(), np.stack([noise(), noise()[::-1] / 3], axis=1)


@pytest.fixture
def without_essentia(monkeypatch):
    """Compute something as where Essentia is not installed: without_essentia(function, ...)."""
    def call(function, *arguments):
        with monkeypatch.context() as patch:
            patch.setattr(features, "essentia", None)
            features.mel_weights.cache_clear()
            found = function(*arguments)
        features.mel_weights.cache_clear()
        return found
    return call


@pytest.mark.essentia
@pytest.mark.parametrize("content, overrides, last", [
    (wav(MONO), [], 0),
    (wav(MONO[:5000], 32, "float"), ["DS.hopSize=700"], 0),
    (wav(MONO * 0), [], 0),
    (by_libsndfile(STEREO, "FLAC", "PCM_16"), ["DS.specTransform=magnitudeSTFT"], 0),
    (by_libsndfile(STEREO, "FLAC", "PCM_24"), ["DS.melBands=96", "DS.frameSize=1024"], 0),
    *[(wav(MONO), [f"DS.windowType={window}", "DS.frameSize=512"], 0) for window in WINDOWS],
    *[(by_libsndfile(MONO, "WAV", "PCM_16", rate), [], 0) for rate in (8000, 32000, 48000, 96000)],
    (by_libsndfile(MONO, "WAV", "PCM_16", 16000),
     ["DS.specTransform=musicnn-mel", "DS.inputNorm=None"], 0),
    # Essentia leaves out one sample, or adds some
    (by_libsndfile(MONO, "WAV", "PCM_16", 22050), [], 2),
    (by_libsndfile(MONO, "OGG", "VORBIS"), [], 2)])
def test_spectrograms_equal_essentias(tmp_path, parameters, without_essentia, content, overrides,
                                      last):
    """They agree in all frames but the `last` ones."""
    ds, path = parameters(*overrides)["DS"], tmp_path / "sound"
    path.write_bytes(content)
    expected, _ = compute_spectrogram(str(path), ds)
    found, note = without_essentia(compute_spectrogram, str(path), ds)
    assert found.dtype == np.float32 and note == ""
    assert found.shape == expected.shape
    frames = slice(found.shape[1] - last)
    # musicnn's energies are larger, and rounded in float32 by both
    close = 1e-4 if ds["specTransform"] == "musicnn-mel" else 1e-5
    np.testing.assert_allclose(compress(found, ds["inputNorm"])[:, frames],
                               compress(expected, ds["inputNorm"])[:, frames], rtol=0, atol=close)


def test_a_band_without_a_bin_is_refused_with_what_works(without_essentia):
    with pytest.raises(UserError) as error:
        without_essentia(features.mel_weights, 500, 1025)
    most = int(str(error.value).partition("set DS.melBands=")[2])
    assert plain.mel_weights(most, 1025).any(axis=0).all()
    assert not plain.mel_weights(most + 1, 1025).any(axis=0).all()


def test_long_songs_are_computed_in_blocks(parameters, monkeypatch):
    ds = parameters()["DS"]
    whole = plain.spectra(np.float32(MONO), ds)
    monkeypatch.setattr(plain, "BLOCK", 7)
    np.testing.assert_allclose(plain.spectra(np.float32(MONO), ds), whole, rtol=1e-6)


def test_what_only_essentia_reads_is_told(tmp_path, parameters, without_essentia):
    path = tmp_path / "song.m4a"
    path.write_bytes(b"\0\0\0\x20ftypM4A " + bytes(2000))
    with pytest.raises(features.UndecodedError, match="only Essentia reads; convert it to wav"):
        without_essentia(compute_spectrogram, str(path), parameters()["DS"])


@pytest.mark.parametrize("overrides", [
    [], ["DS.melBands=96"], ["DS.specTransform=musicnn-mel", "DS.inputNorm=None"]])
def test_the_middle_of_a_band_is_where_it_weighs_most(parameters, overrides):
    ds = parameters(*overrides)["DS"]
    frames, middles = frames_of(ds), plain.middles_of_bands(ds)
    weights = plain.mel_weights(frames.bands, frames.bins, ds["specTransform"])
    peaks = weights.argmax(axis=0) * frames.rate / frames.size
    assert abs(peaks - middles).max() <= 0.75 * frames.rate / frames.size


def test_magnitudes_have_frequencies_and_windows_none(parameters):
    middles = plain.middles_of_bands(parameters("DS.specTransform=magnitudeSTFT")["DS"])
    assert len(middles) == 1025 and middles[[0, 1, -1]].tolist() == [0, 44100 / 2048, 22050]
    ds = parameters("DS.specTransform=musicnn-MTT", "DS.inputNorm=bands")["DS"]
    assert plain.middles_of_bands(ds) is None
