"""What a frame of a spectrogram is, by DS.specTransform."""

from typing import Any, NamedTuple

SAMPLE_RATE = 44100         # Hz, of the published spectrograms
MEL, MAGNITUDES, MUSICNN_MEL = "mel", "magnitudeSTFT", "musicnn-mel"
MUSICNN = ("musicnn-MTT", "musicnn-MSD")    # windows: what the network makes of musicnn's mel bands
LOGARITHMS = (MUSICNN_MEL, *MUSICNN)        # whose numbers are logarithms, or come from some
WINDOW, WINDOW_HOP = 187, 93                # frames of a window, and from one to the next


class Frames(NamedTuple):
    """What a frame is.

    Attributes
    ----------
    rate : int
        Of the samples, in Hz.
    size, hop : int
        Samples of a frame, and from one to the next.
    bands : int
        Numbers of a frame.
    """

    rate: int
    size: int
    hop: int
    bands: int

    @property
    def seconds(self) -> float:
        """From one frame to the next."""
        return self.hop / self.rate

    @property
    def bins(self) -> int:
        """Of a spectrum."""
        return self.size // 2 + 1


def frames_of(ds: dict[str, Any]) -> Frames:
    """Tell what a frame is with parameters["DS"]."""
    transform = ds["specTransform"]
    if transform in MUSICNN:
        return Frames(16000, 256 * WINDOW, 256 * WINDOW_HOP, 1506)
    if transform == MUSICNN_MEL:
        return Frames(16000, 512, 256, 96)
    size = ds["frameSize"]
    bands = ds["melBands"] if transform == MEL else size // 2 + 1
    return Frames(SAMPLE_RATE, size, ds["hopSize"], bands)


def before_network(ds: dict[str, Any]) -> dict[str, Any]:
    """Give parameters["DS"] of the spectrograms that a network makes windows of, otherwise `ds`."""
    if ds["specTransform"] not in MUSICNN:
        return ds
    before = {**ds, "specTransform": MUSICNN_MEL}
    return {**before, "yInput": frames_of(before).bands,
            "xInput": WINDOW + (ds["xInput"] - 1) * WINDOW_HOP}


def windows_beside(ds: dict[str, Any]) -> dict[str, Any]:
    """Give parameters["DS"] of musicnn's windows of songs: `ds`, if these are its spectrograms."""
    if ds["specTransform"] in MUSICNN:
        return ds
    beside = {**ds, "specTransform": MUSICNN[-1], "level": "rms", "inputNorm": "bands"}
    return {**beside, "yInput": frames_of(beside).bands}
