"""The temporal filters of a model: their shape in time, their tempo, the class that they raise."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.signal import detrend

from mirdl.errors import UserError
from mirdl.frames import frames_of
from mirdl.results.models import Model

TEMPI = np.arange(30, 301)      # beats per minute that count as a tempo


@dataclass(eq=False)
class Filter:
    """One filter 1xn.

    Attributes
    ----------
    weights : ndarray, (frames,)
        From the first frame to the last. (Theano's convolution flips its filters, so they are
        stored backwards.)
    bias : float
    rate : float
        Frames per second.
    output : ndarray or None
        (pooled bands, classes), the weights by which its maxima enter the output layer; None if
        other layers lie between.
    """

    weights: np.ndarray
    bias: float
    rate: float
    output: np.ndarray | None

    @property
    def seconds(self) -> float:
        """Its length in seconds."""
        return len(self.weights) / self.rate

    @property
    def tempo(self) -> float:
        """The tempo of its main period; see `main_tempo`."""
        return main_tempo(self.weights, self.rate)

    @property
    def weight(self) -> float:
        """The largest sum over the bands of its output weights; 0 if unknown."""
        return 0.0 if self.output is None else float(self.output.sum(axis=0).max())

    @property
    def feeds(self) -> int | None:
        """The label of the class whose output it raises most; None if unknown."""
        return None if self.output is None else int(self.output.sum(axis=0).argmax())

    @property
    def beats(self) -> str:
        """Its tempo in words."""
        return "no tempo" if np.isnan(self.tempo) else f"{self.tempo:.0f} BPM"


class Activation(NamedTuple):
    """How a filter responds to a song.

    Attributes
    ----------
    source : Filter
        The filter, of n frames.
    response : ndarray
        float32, (bands, frames - n + 1), after the ReLU.
    share : float
        What the filter adds to the output of the song's class, before the softmax; its largest
        response if its output weights are unknown.
    """

    source: Filter
    response: np.ndarray
    share: float

    def said(self, tag: str) -> str:
        """Say what filter it is, and what it adds to the song's class."""
        filter_ = self.source
        value = (f"responds with {self.share:.2f} at most" if filter_.output is None else
                 f"adds {self.share:.2f} to {tag}")
        return (f"Filter of {len(filter_.weights)} frames ({filter_.seconds:.2f} s), "
                f"{filter_.beats}: {value}")


def find_filters(model: Model) -> list[Filter]:
    """List the temporal filters of a model, the short ones first.

    Raises
    ------
    UserError
        If the model has no filters of one band.
    """
    weights, parameters = model.weights, model.info.parameters
    frames = frames_of(parameters["DS"])
    rate = frames.rate / frames.hop
    banks = [place for place, value in enumerate(weights) if value.ndim == 4]
    temporal = [place for place in banks
                if weights[place].shape[1:3] == (1, 1) and weights[place].shape[3] > 1]
    if not temporal:
        raise UserError(f"the network {parameters['DL']['type']} has no filters over time in its "
                        "first layer (arrays of the shape (filters, 1, 1, frames)); its first is "
                        f"{weights[0].shape}")
    shapes = [(kernel[0, 0, ::-1], float(bias)) for place in temporal
              for kernel, bias in zip(*_with_bias(weights, place), strict=True)]
    outputs = [None] * len(shapes)
    # the rows of the output layer: filter by filter, each by its groups of pooled bands
    output_layer, bands = weights[-2], parameters["DS"]["yInput"]
    groups, rest = divmod(len(output_layer), len(shapes))
    if (banks == temporal and output_layer.ndim == 2 and not rest
            and bands // max(bands // groups, 1) == groups):
        outputs = np.split(output_layer, len(shapes))
    found = [Filter(kernel, bias, rate, output)
             for (kernel, bias), output in zip(shapes, outputs, strict=True)]
    return sorted(found, key=lambda each: len(each.weights))


def _with_bias(weights: list[np.ndarray], place: int) -> tuple[np.ndarray, np.ndarray]:
    """Give the filters of the array at `place`, and their biases.

    If they are normalised over the batch, as this changes them in a test.
    """
    kernels, after = weights[place], weights[place + 1:place + 5]
    if [value.shape for value in after] != 4 * [kernels.shape[:1]]:
        return kernels, after[0]
    beta, gamma, mean, inv_std = after
    scale = gamma * inv_std
    return kernels * scale[:, None, None, None], beta - mean * scale


def main_tempo(weights: np.ndarray, rate: float) -> float:
    """Find the tempo at which a filter has most energy, without its linear trend.

    Parameters
    ----------
    weights : ndarray, (frames,)
    rate : float
        Frames per second.

    Returns
    -------
    float
        Beats per minute, from 30 to 300; nan if no two beats fit into the filter, or the energy
        has no peak there.
    """
    slowest = 120 * rate / len(weights)      # two beats take the whole filter
    tempi = TEMPI[slowest <= TEMPI]
    if not len(tempi) or not np.any(detrend(weights)):
        return float("nan")
    waves = np.exp(-2j * np.pi / 60 / rate * np.outer(tempi, np.arange(len(weights))))
    peak = np.abs(waves @ detrend(weights)).argmax()
    # at either end it still rises: no peak
    return float(tempi[peak]) if 0 < peak < len(tempi) - 1 else float("nan")


def responses(filters: list[Filter], spectrogram: np.ndarray) -> np.ndarray:
    """Compute the responses of filters of one length to a spectrogram.

    Parameters
    ----------
    filters : list of Filter
        Of n frames each.
    spectrogram : ndarray, (bands, frames)

    Returns
    -------
    ndarray
        float32, (filters, bands, frames - n + 1), after the ReLU.
    """
    weights = np.stack([each.weights for each in filters], axis=1)        # (n, filters)
    windows = np.lib.stride_tricks.sliding_window_view(spectrogram, len(weights), axis=1)
    answers = windows @ weights + np.array([each.bias for each in filters])
    return np.maximum(np.moveaxis(answers, 2, 0), 0).astype(np.float32)


def strongest(filters: list[Filter], spectrogram: np.ndarray, label: int,
              count: int) -> list[Activation]:
    """Find the filters that add most to a class in a song.

    A filter adds its largest response in each group of pooled bands times the output weight of
    that group. Where other layers lie between, its largest response counts.

    Parameters
    ----------
    filters : list of Filter
    spectrogram : ndarray, (bands, frames)
        Normalised, as the network takes it.
    label : int
        The class.
    count : int
        How many are wanted.

    Returns
    -------
    list of Activation
        At most `count`, the strongest first.
    """
    found = []
    for length in sorted({len(each.weights) for each in filters}):
        if length > spectrogram.shape[1]:
            continue
        alike = [each for each in filters if len(each.weights) == length]
        for each, response in zip(alike, responses(alike, spectrogram), strict=True):
            output = np.ones(1) if each.output is None else each.output[:, label]
            size = len(response) // len(output)     # the network ignores bands that are left over
            groups = response[:size * len(output)].reshape(len(output), -1)
            found.append(Activation(each, response, float(groups.max(axis=1) @ output)))
        found = sorted(found, key=lambda activation: -activation.share)[:count]
    return found
