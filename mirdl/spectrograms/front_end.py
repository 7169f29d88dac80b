"""What is done to the samples of a song, as numbers that need no Essentia."""

from typing import Any, NamedTuple

import numpy as np

from mirdl.frames import frames_of
from mirdl.spectrograms import features, plain
from mirdl.spectrograms.level import USUAL

OF_ONE_FILE = {"filename", "audioStream"}


class FrontEnd(NamedTuple):
    """The way from samples to energies.

    Attributes
    ----------
    window : ndarray
        float32, (frameSize,). A frame times the window has the spectrum that Essentia takes.
    mel : ndarray or None
        float32, (frameSize/2+1, melBands). A power spectrum times it are the energies; None with
        specTransform "magnitudeSTFT".
    chain : list of dict
        Essentia's algorithms in order, each with its name ("algorithm") and all "parameters"; empty
        if it is not installed.
    level : float or None
        The mean energy that each song is brought to; None with level "as-is".
    """

    window: np.ndarray
    mel: np.ndarray | None
    chain: list[dict[str, Any]]
    level: float | None


def front_end(ds: dict) -> FrontEnd:
    """Describe the front end of parameters["DS"]."""
    mel, frames = features.weights_of(ds), frames_of(ds)
    level = USUAL[ds["specTransform"]] if ds["level"] == "rms" else None
    if features.essentia is None:
        return FrontEnd(plain.window(ds), mel, [], level)
    chain = [features.streaming.MonoLoader(sampleRate=frames.rate), *features.frame_algorithms(ds)]
    if mel is not None:
        chain.append(features.mel_algorithm(frames.bands, frames.bins, ds["specTransform"]))
    return FrontEnd(_window(ds), mel, [_described(each, frames.size) for each in chain], level)


def _window(ds: dict) -> np.ndarray:
    """Send a frame of ones through Windowing, which puts its second half first (zeroPhase)."""
    (_, windowing, _), size = features.frame_algorithms(ds), frames_of(ds).size
    ones = np.ones((1, size), np.float32)
    [window] = features.sent_through(ones, windowing.frame, windowing.frame)
    return np.roll(window, size // 2)


def _described(algorithm: Any, size: int) -> dict[str, Any]:  # noqa: ANN401 (Essentia's)
    values = {name: algorithm.paramValue(name) for name in algorithm.parameterNames()
              if name not in OF_ONE_FILE}
    if "size" in values:        # Essentia sets it with the first frame
        values["size"] = size
    return {"algorithm": algorithm.name(), "parameters": values}
