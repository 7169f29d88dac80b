import numpy as np
import pytest
from makeSounds import noise, wav

from mirdl.spectrograms.features import compute_spectrogram
from mirdl.spectrograms.front_end import front_end
from mirdl.spectrograms.normalisation import compress


@pytest.mark.parametrize("overrides", [
    (), ("DS.windowType=hann", "DS.frameSize=1024", "DS.hopSize=300", "DS.melBands=20"),
    ("DS.specTransform=magnitudeSTFT",)])
def test_window_and_mel_matrix_give_what_essentia_gives(parameters, tmp_path, overrides):
    ds = parameters(*overrides)["DS"]
    found = front_end(ds)
    samples, path = noise()[:30000], tmp_path / "noise.wav"
    path.write_bytes(wav(samples, 32, "float"))
    expected = compute_spectrogram(str(path), ds)[0]
    size, hop = ds["frameSize"], ds["hopSize"]
    assert found.window.shape == (size,)
    at = 7 * hop - size // 2        # the eighth frame, whose middle is at 7 hops
    frame = samples.astype(np.float32)[max(0, at):at + size]
    spectrum = np.abs(np.fft.rfft(frame * found.window))
    energies = spectrum if found.mel is None else spectrum ** 2 @ found.mel
    np.testing.assert_allclose(compress(energies.astype(np.float32), "log0m1v"),
                               compress(expected[:, 7].copy(), "log0m1v"), atol=1e-5)


@pytest.mark.essentia
def test_the_chain_names_each_algorithm_with_all_that_is_set(parameters):
    ds = parameters("DS.melBands=20", "DS.hopSize=512")["DS"]
    chain = {each["algorithm"]: each["parameters"] for each in front_end(ds).chain}
    assert list(chain) == ["MonoLoader", "FrameCutter", "Windowing", "Spectrum", "MelBands"]
    assert chain["FrameCutter"] == {
        "frameSize": 2048, "hopSize": 512, "silentFrames": "keep", "startFromZero": False,
        "lastFrameToEndOfFile": False, "validFrameThresholdRatio": 0.0}
    assert chain["Windowing"]["type"] == "blackmanharris62" and chain["Windowing"]["size"] == 2048
    assert chain["MelBands"]["numberBands"] == 20 and chain["MelBands"]["inputSize"] == 1025
    magnitudes = front_end(parameters("DS.specTransform=magnitudeSTFT")["DS"])
    assert [each["algorithm"] for each in magnitudes.chain][-1] == "Spectrum"
