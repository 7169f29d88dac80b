"""What a model does with a song, as values to be drawn."""

from dataclasses import dataclass

import numpy as np

LIKELIEST = 5       # classes whose probabilities are shown over time


@dataclass(eq=False)
class SongView:
    """A song as a model sees it, and what the model says about it.

    Attributes
    ----------
    title : str
    by : str
        Whose answer it is, and what the song was for this model.
    classes : list of str
    label : int
        The class that the song was given.
    spectrogram : ndarray
        float32, (bands, frames), normalised; without what lengthened it.
    hertz : ndarray or None
        (bands,), the frequency at the middle of each band; None if the numbers are no bands.
    length : float
        Of the song, in seconds.
    times : ndarray
        (chunks, 2), start and end of the time for which each chunk that votes speaks, in seconds.
    probabilities : ndarray
        (chunks, classes), of these.
    segments : list of tuple
        Start and end in seconds, label and probability of each stretch of time that has one class.
    """

    title: str
    by: str
    classes: list[str]
    label: int
    spectrogram: np.ndarray
    hertz: np.ndarray | None
    length: float
    times: np.ndarray
    probabilities: np.ndarray
    segments: list[tuple[float, float, int, float]]

    @property
    def tag(self) -> str:
        """The class that the song was given."""
        return self.classes[self.label]

    @property
    def likeliest(self) -> list[int]:
        """The labels of the `LIKELIEST` classes, by their mean probability."""
        return np.argsort(-self.probabilities.mean(axis=0), kind="stable")[:LIKELIEST].tolist()

    def frequency(self, band: float) -> str:
        """Name a place on the axis of the bands: '430 Hz', or the number of the band."""
        if self.hertz is None:
            return f"number {int(band) + 1}"
        hertz = np.interp(band, np.arange(len(self.hertz)), self.hertz)
        return in_hertz(float(f"{hertz:.2g}"))

    def most_lost(self, losses: np.ndarray) -> str:
        """Say where a tag loses most: losses (groups of bands, places), by occlusion."""
        group, place = np.unravel_index(losses.argmax(), losses.shape)
        if losses[group, place] <= 0:
            return "nothing, whatever is hidden"
        bands = np.array_split(np.arange(len(self.spectrogram)), len(losses))[group]
        where = (f", {self.frequency(bands[0])} to {self.frequency(bands[-1])},"
                 if len(losses) > 1 else "")
        return (f"most where the sound around {(place + 0.5) * self.length / losses.shape[1]:.1f} "
                f"s{where} is hidden: log p falls by {losses[group, place]:.2g}")

    def ticks(self) -> list[tuple[float, str]]:
        """Choose frequencies for an axis: the height of each, from 0 to 1, and its name."""
        if self.hertz is None:
            return []
        bands, found = len(self.hertz), []
        for hertz in (100, 200, 500, 1000, 2000, 5000, 10000, 20000):
            height = (np.interp(hertz, self.hertz, np.arange(bands), -1, bands) + 0.5) / bands
            if 0.05 < height < 0.95 and (not found or height > found[-1][0] + 0.17):
                found.append((float(height), in_hertz(hertz)))
        return found


def in_hertz(hertz: float) -> str:
    """Write a frequency as one says it: '430 Hz', '4.3 kHz'."""
    return f"{hertz:g} Hz" if hertz < 1000 else f"{hertz / 1000:g} kHz"
