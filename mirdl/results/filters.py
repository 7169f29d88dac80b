"""The temporal filters of a model: their shape in time, the tempo they repeat at, the class they speak for."""

from dataclasses import dataclass

import numpy as np
from scipy.signal import detrend

from mirdl.errors import UserError
from mirdl.spectrograms.decoding import SAMPLE_RATE

TEMPI = np.arange(30, 301)      # beats per minute that count as a tempo


@dataclass
class Filter:
    """One filter 1xn.

    Attributes
    ----------
    weights : ndarray, (frames,)
        In the order in which time passes. (Theano's convolution flips its filters, so they are stored backwards.)
    bias : float
    rate : float
        Frames per second.
    output : ndarray or None
        (pooled bands, classes), the weights by which its maxima enter the output layer; None if other layers lie between.
    """

    weights: np.ndarray
    bias: float
    rate: float
    output: np.ndarray

    @property
    def seconds(self):
        """Its length."""
        return len(self.weights) / self.rate

    @property
    def tempo(self):
        """The tempo (beats per minute) of its main period, nan if no period of a tempo fits into it twice."""
        return main_tempo(self.weights, self.rate)

    @property
    def weight(self):
        """The largest sum over the bands of its output weights, 0 if unknown."""
        return 0.0 if self.output is None else float(self.output.sum(axis=0).max())

    @property
    def feeds(self):
        """The label of the class whose output it feeds most, None if unknown."""
        return None if self.output is None else int(self.output.sum(axis=0).argmax())


def find_filters(values, about):
    """The temporal filters of a model, by length.

    Parameters
    ----------
    values : list of ndarray
        The model's parameter values, in get_all_params order.
    about : dict
        What its file says of it.

    Returns
    -------
    list of Filter

    Raises
    ------
    UserError
        If the model has no filters of one band.
    """
    rate = SAMPLE_RATE / about["parameters"]["DS"]["hopSize"]
    banks = [(place, value) for place, value in enumerate(values) if value.ndim == 4]
    temporal = [(place, value) for place, value in banks if value.shape[1:3] == (1, 1) and value.shape[3] > 1]
    if not temporal:
        raise UserError(f"the network {about['parameters']['DL']['type']} has no filters over time in its first layer "
                        f"(arrays of the shape (filters, 1, 1, frames)); it has {[value.shape for value in values]}")
    shapes = [(weights[0, 0, ::-1], float(bias)) for place, value in temporal
              for weights, bias in zip(value, values[place + 1])]
    outputs, bands = [None] * len(shapes), about["parameters"]["DS"]["yInput"]
    groups, over = divmod(len(values[-2]), len(shapes))     # rows of the output layer: filter by filter, each by its bands
    if len(banks) == len(temporal) and values[-2].ndim == 2 and not over and bands // max(bands // groups, 1) == groups:
        outputs = np.split(values[-2], len(shapes))
    found = [Filter(weights, bias, rate, output) for (weights, bias), output in zip(shapes, outputs)]
    return sorted(found, key=lambda one: len(one.weights))


def main_tempo(weights, rate):
    """The tempo at which `weights`, (frames,) at `rate` frames per second, has most energy once its trend is taken off.

    It is sought from 30 to 300 beats per minute where two beats fit into the weights; nan if there is no peak.
    """
    tempi = TEMPI[TEMPI >= 120 * rate / len(weights)]
    if not len(tempi) or not np.any(detrend(weights)):
        return float("nan")
    waves = np.exp(-2j * np.pi / 60 / rate * np.outer(tempi, np.arange(len(weights))))
    peak = np.abs(waves @ detrend(weights)).argmax()
    return float(tempi[peak]) if 0 < peak < len(tempi) - 1 else float("nan")     # at an end it still rises: no peak


def responses(filters, spectrogram):
    """What the filters, all of one length n, answer to a spectrogram: (filters, bands, frames - n + 1), after the ReLU."""
    weights = np.stack([one.weights for one in filters], axis=1)        # (n, filters)
    windows = np.lib.stride_tricks.sliding_window_view(spectrogram, len(weights), axis=1)
    answers = windows @ weights + np.array([one.bias for one in filters])
    return np.maximum(np.moveaxis(answers, 2, 0), 0).astype(np.float32)


def strongest(filters, spectrogram, label, count):
    """The `count` filters that speak most for the class `label` in a song, with their responses.

    A filter speaks by its largest response in each group of pooled bands times the output weight of that group; where
    other layers lie between, by its largest response.

    Returns
    -------
    list of (Filter, ndarray, float)
        The response is (bands, frames - n + 1); the last one is what the filter adds to the class.
    """
    found = []
    for length in sorted({len(one.weights) for one in filters}):
        if length > spectrogram.shape[1]:
            continue
        alike = [one for one in filters if len(one.weights) == length]
        for one, response in zip(alike, responses(alike, spectrogram)):
            output = np.ones(1) if one.output is None else one.output[:, label]
            size = len(response) // len(output)         # bands left over are ignored, as by the network
            largest = response[:size * len(output)].reshape(len(output), -1).max(axis=1)
            found.append((one, response, float(largest @ output)))
        found = sorted(found, key=lambda entry: -entry[2])[:count]
    return found
