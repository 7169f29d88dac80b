import makeMiniRhythm
import numpy as np
import pytest

from mirdl.errors import UserError
from mirdl.spectrograms.decoding import is_audio
from mirdl.spectrograms.features import Unreadable, compute_spectrogram, mel_weights


def logarithm(mel):
    return np.log10(1e4 * mel + 1)


@pytest.mark.parametrize("clip", ["disco_00", "waltz_07"])
def test_mel_bands_equal_the_originals(miniRhythm, oracle, parameters, clip):
    mel = compute_spectrogram(str(miniRhythm / clip.split("_")[0] / f"{clip}.wav"), parameters()["DS"])
    assert mel.shape == (40, 1293) and mel.dtype == np.float32 and mel.flags.c_contiguous
    np.testing.assert_allclose(logarithm(mel[:, ::10]), logarithm(oracle("features.npz")[clip]), rtol=0, atol=1e-6)


def test_magnitudes_equal_the_originals(miniRhythm, oracle, parameters):
    DS = parameters("DS.specTransform=magnitudeSTFT")["DS"]
    magnitude = compute_spectrogram(str(miniRhythm / "samba" / "samba_03.wav"), DS)
    assert magnitude.shape == (1025, 1293)
    np.testing.assert_allclose(magnitude[:, :300:30], oracle("features.npz")["stft_samba_03"], rtol=0, atol=1e-6)


def test_equals_essentias_loop_over_frames_silence_included(tmp_path, parameters):
    import essentia.standard as standard
    samples = np.random.RandomState(1).randint(-9000, 9000, 60000)
    samples[20000:40000] = 0
    makeMiniRhythm.write_wav(tmp_path / "half.wav", samples)
    audio = standard.MonoLoader(filename=str(tmp_path / "half.wav"))()
    window, spectrum, mel = standard.Windowing(type="blackmanharris62"), standard.Spectrum(), standard.MelBands(numberBands=40)
    frames = [mel(spectrum(window(frame))) for frame in standard.FrameGenerator(audio, frameSize=2048, hopSize=1024)]
    found = compute_spectrogram(str(tmp_path / "half.wav"), parameters()["DS"])
    np.testing.assert_allclose(found, np.array(frames).T, rtol=2e-6, atol=0)
    assert not found[:, 22:38].any(), "silence is 0"


def test_too_many_bands_for_the_frame_are_refused():
    assert mel_weights(120, 1025).shape == (1025, 120)
    with pytest.raises(UserError, match="DS.melBands=500 is more than the 1025 bins of DS.frameSize=2048 can give"):
        mel_weights(500, 1025)


@pytest.mark.parametrize("content, reason", [(b"", "is empty"), (b"hello", "cannot be decoded: Invalid data found")])
def test_unreadable_files_say_why(tmp_path, parameters, content, reason):
    (tmp_path / "song.wav").write_bytes(content)
    with pytest.raises(Unreadable, match=reason):
        compute_spectrogram(str(tmp_path / "song.wav"), parameters()["DS"])


def test_missing_files_and_wavs_without_samples_say_why(tmp_path, parameters):
    with pytest.raises(Unreadable, match="cannot be opened: No such file"):
        compute_spectrogram(str(tmp_path / "missing.wav"), parameters()["DS"])
    makeMiniRhythm.write_wav(tmp_path / "none.wav", np.zeros(0))
    with pytest.raises(Unreadable):
        compute_spectrogram(str(tmp_path / "none.wav"), parameters()["DS"])


def test_isAudio():
    assert is_audio("a.wav") and is_audio("A.MP3") and is_audio("x.y.flac")
    assert not (is_audio(".a.wav") or is_audio("cover.jpg") or is_audio("wav") or is_audio("notes.wav.txt"))
