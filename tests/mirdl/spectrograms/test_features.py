import os

import makeMiniRhythm
import numpy as np
import pytest

from mirdl.errors import UserError
from mirdl.spectrograms.features import compute_spectrogram, mel_weights
from mirdl.spectrograms.reasons import UnopenedError, UnreadableError


def logarithm(mel):
    return np.log10(1e4 * mel + 1)


@pytest.mark.parametrize("clip", ["disco_00", "waltz_07"])
def test_mel_bands_equal_the_originals(miniRhythm, oracle, parameters, clip):
    path = miniRhythm / clip.split("_")[0] / f"{clip}.wav"
    mel = compute_spectrogram(str(path), parameters()["DS"])[0]
    assert mel.shape == (40, 1293) and mel.dtype == np.float32 and mel.flags.c_contiguous
    expected = oracle("features.npz")[clip]
    np.testing.assert_allclose(logarithm(mel[:, ::10]), logarithm(expected), rtol=0, atol=1e-6)


def test_magnitudes_equal_the_originals(miniRhythm, oracle, parameters):
    ds = parameters("DS.specTransform=magnitudeSTFT")["DS"]
    magnitude = compute_spectrogram(str(miniRhythm / "samba" / "samba_03.wav"), ds)[0]
    assert magnitude.shape == (1025, 1293)
    expected = oracle("features.npz")["stft_samba_03"]
    np.testing.assert_allclose(magnitude[:, :300:30], expected, rtol=0, atol=1e-6)


@pytest.mark.essentia
def test_equals_essentias_loop_over_frames_including_silence(tmp_path, parameters):
    import essentia.standard as standard
    samples = np.random.RandomState(1).randint(-9000, 9000, 60000)
    samples[20000:40000] = 0
    path = str(tmp_path / "half.wav")
    makeMiniRhythm.write_wav(path, samples)
    audio = standard.MonoLoader(filename=path)()
    window, spectrum = standard.Windowing(type="blackmanharris62"), standard.Spectrum()
    mel = standard.MelBands(numberBands=40)
    cut = standard.FrameGenerator(audio, frameSize=2048, hopSize=1024)
    frames = [mel(spectrum(window(frame))) for frame in cut]
    found = compute_spectrogram(path, parameters()["DS"])[0]
    np.testing.assert_allclose(found, np.array(frames).T, rtol=2e-6, atol=0)
    assert not found[:, 22:38].any(), "silence is 0"


def test_too_many_bands_for_the_frame_are_refused():
    assert mel_weights(120, 1025).shape == (1025, 120)
    message = "DS.melBands=500 is more than the 1025 bins of DS.frameSize=2048 can give"
    with pytest.raises(UserError, match=message):
        mel_weights(500, 1025)


@pytest.mark.parametrize("content, reason", [
    (b"", "is empty"),
    (b"hello", "cannot be decoded: it is not a sound file, or "),
])
def test_unreadable_files_say_why(tmp_path, parameters, content, reason):
    (tmp_path / "song.wav").write_bytes(content)
    with pytest.raises(UnreadableError, match=reason):
        compute_spectrogram(str(tmp_path / "song.wav"), parameters()["DS"])[0]


def test_missing_files_and_wavs_without_samples_say_why(tmp_path, parameters):
    with pytest.raises(UnreadableError, match="cannot be opened: No such file"):
        compute_spectrogram(str(tmp_path / "missing.wav"), parameters()["DS"])[0]
    makeMiniRhythm.write_wav(tmp_path / "none.wav", np.zeros(0))
    with pytest.raises(UnreadableError):
        compute_spectrogram(str(tmp_path / "none.wav"), parameters()["DS"])[0]


@pytest.mark.xdist_group("serial")
def test_a_song_that_may_not_be_read_and_later_may(public, without_rights, parameters):
    path = os.path.join(public, "song.wav")
    makeMiniRhythm.write_wav(path, np.ones(2 * 44100))
    ds = parameters()["DS"]
    with without_rights(path, 0), pytest.raises(UnopenedError) as error:
        compute_spectrogram(path, ds)[0]
    assert str(error.value) == "cannot be opened: Permission denied"
    assert compute_spectrogram(path, ds)[0].shape == (40, 88)
