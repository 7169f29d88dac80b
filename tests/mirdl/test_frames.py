import pytest

from mirdl.frames import before_network, frames_of


@pytest.mark.parametrize("overrides, rate, size, hop, bands", [
    ((), 44100, 2048, 1024, 40),
    (("DS.frameSize=1024", "DS.hopSize=300", "DS.melBands=20"), 44100, 1024, 300, 20),
    (("DS.specTransform=magnitudeSTFT", "DS.frameSize=1024"), 44100, 1024, 1024, 513),
    (("DS.specTransform=musicnn-mel", "DS.inputNorm=None"), 16000, 512, 256, 96),
    (("DS.specTransform=musicnn-MTT", "DS.inputNorm=bands"), 16000, 187 * 256, 93 * 256, 1506)])
def test_a_frame_is_what_its_transform_says(parameters, overrides, rate, size, hop, bands):
    ds = parameters(*overrides)["DS"]
    assert frames_of(ds) == (rate, size, hop, bands) and ds["yInput"] == bands
    assert frames_of(ds).seconds == hop / rate and frames_of(ds).bins == size // 2 + 1


def test_before_the_network_are_musicnns_mel_bands_of_all_windows(parameters):
    ds = parameters("DS.specTransform=musicnn-MSD", "DS.inputNorm=bands", "DS.xInput=3")["DS"]
    before = before_network(ds)
    assert before["specTransform"] == "musicnn-mel" and before["yInput"] == 96
    assert before["xInput"] == 187 + 2 * 93
    for other in (), ("DS.specTransform=musicnn-mel", "DS.inputNorm=None"):
        unchanged = parameters(*other)["DS"]
        assert before_network(unchanged) is unchanged
