import os
import subprocess
import sys

import numpy as np
import pytest
from conftest import ORACLE

from mirdl.errors import UserError
from mirdl.pretrained import musicnn
from mirdl.spectrograms.features import compute_spectrogram

CLIP = os.path.join(ORACLE, "musicnn.ogg")      # the oracle's window is its first 3 s


@pytest.fixture
def pip(monkeypatch):
    """Let pip answer: pip("a line") fails with it; note what it was asked for."""
    asked = []

    def answering(text):
        def run(command, **options):
            asked.append(command)
            return subprocess.CompletedProcess(command, 1, text)
        monkeypatch.setattr(subprocess, "run", run)
        return asked
    return answering


@pytest.mark.parametrize("text, reason", [
    ("WARNING: retrying\nERROR: No matching distribution", "No matching distribution"),
    ("/usr/bin/python3: No module named pip\n", "No module named pip"),
    ("", "nothing was fetched")])
def test_without_pip_or_network_one_line_says_what_to_put_where(workplace, pip, text, reason):
    asked = pip(text)
    with pytest.raises(UserError) as error:
        musicnn.weights("musicnn-MSD")
    told = str(error.value)
    assert reason in told and "\n" not in told and musicnn.SHA256 in told
    assert "put the file musicnn-0.1.0-py3-none-any.whl" in told and "into data/preloaded" in told
    assert asked[0][:4] == [sys.executable, "-m", "pip", "download"] and "--no-deps" in asked[0]
    assert os.listdir("data/preloaded") == ["models"], "nothing is left"


def test_another_wheel_is_refused(workplace, pip):
    asked = pip("")
    (workplace / musicnn.WHEEL).write_bytes(b"not a wheel")
    with pytest.raises(UserError, match="is not the wheel of musicnn 0.1.0: its sha256 is"):
        musicnn.weights("musicnn-MTT")
    assert not asked and not os.path.exists(musicnn.KEPT)


@pytest.mark.parametrize("damage", [
    lambda content: content[:5000], lambda content: b"",
    lambda content: content.replace(b"\0\0\x80\x3f", b"\1\0\x80\x3f")])
def test_damaged_weights_are_refused_in_one_line(workplace, damage):
    names = [f"MTT/{layer}/{name}" for layer in musicnn.LAYERS for name in musicnn.NAMES[layer]]
    np.savez(workplace / musicnn.KEPT, **{name: np.ones(99, np.float32) for name in names})
    content = (workplace / musicnn.KEPT).read_bytes()
    (workplace / musicnn.KEPT).write_bytes(damage(content))
    with pytest.raises(UserError, match=r"npz' is damaged .*; remove it and run again"):
        musicnn.weights("musicnn-MTT")


def test_the_mel_bands_of_a_clip_are_the_originals(oracle, parameters):
    ds = parameters("DS.specTransform=musicnn-mel", "DS.inputNorm=None")["DS"]
    heard, _ = compute_spectrogram(CLIP, ds)
    difference = np.abs(heard[:, :187].T - oracle("musicnn.npz")["input"][0]).mean(axis=0)
    assert difference[:91].max() < 0.001, "below the edge of the resamplers"
    assert difference.mean() < 0.004


@pytest.mark.slow
@pytest.mark.parametrize("model", ["musicnn-MTT", "musicnn-MSD"])
def test_the_network_gives_what_the_original_gives(musicnn_weights, oracle, parameters, model):
    import lasagne
    from lasagne.nonlinearities import sigmoid

    import buildArchitecture
    import theano
    import theano.tensor as T
    numbers, x, start = oracle("musicnn.npz"), T.tensor4("x"), model.removeprefix("musicnn-")
    ds = ("DS.specTransform=musicnn-mel", "DS.inputNorm=None", "DS.xInput=187")
    output, layers = buildArchitecture.buildNet(x, parameters("DL.type=musicnn", *ds), 50)
    output.nonlinearity = sigmoid       # a song may have several of its tags
    lasagne.layers.set_all_param_values(output, musicnn.weights(model))
    given = lasagne.layers.get_output([output, layers["pool"], layers["hidden"]],
                                      deterministic=True)
    windows = numbers["input"].transpose(0, 2, 1)[:, None].astype(np.float32)
    network = theano.function([x], given)
    taggram, pool, hidden = network(windows)
    np.testing.assert_allclose(taggram, numbers[f"{start}_taggram"], rtol=0, atol=1e-5)
    np.testing.assert_allclose(pool[:, :753], numbers[f"{start}_mean_pool"], rtol=0, atol=1e-4)
    np.testing.assert_allclose(pool[:, 753:], numbers[f"{start}_max_pool"], rtol=0, atol=1e-3)
    np.testing.assert_allclose(hidden, numbers[f"{start}_penultimate"], rtol=0, atol=1e-4)
    assert musicnn.tags(model) == numbers[f"{start}_labels"].tolist()
    heard, _ = compute_spectrogram(CLIP, parameters(*ds)["DS"])
    from_audio, *_ = network(heard[np.newaxis, np.newaxis, :, :187])
    assert np.abs(from_audio - taggram).mean() < 0.001
    published = buildArchitecture.windowsOf(model)(windows)
    np.testing.assert_allclose(published, pool, rtol=1e-6)
