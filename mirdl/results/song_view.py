"""What a model does with a song, as values to be drawn."""

from dataclasses import dataclass

import numpy as np

from mirdl.songs.wording import some

LIKELIEST = 5       # classes whose probabilities are shown over time
LEAST = 0.001       # change of a probability that is shown


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

    @property
    def unvoted(self) -> str:
        """Say that the last chunk has no vote, if so; it begins with a semicolon."""
        end = self.times[-1, 1]
        return "" if end == self.length else f"; the last chunk, from {end:.1f} s, has no vote"

    def misclassified(self, true: str) -> str:
        """Say how sure the model was of the wrong tag, and of the song's own."""
        wrong, right = (self.probabilities[:, label]
                        for label in (self.label, self.classes.index(true)))
        votes = (self.probabilities.argmax(axis=1) == self.label).sum()
        start, end = self.times[wrong.argmax()]
        return (f"Classified as {self.tag} by {votes} of {some(len(wrong), 'chunk', 'chunks')}, "
                f"with a mean probability of {wrong.mean():.2f}; its own tag, {true}, has "
                f"{right.mean():.2f}. {self.tag} is likeliest from {start:.1f} to {end:.1f} s, "
                f"with {wrong.max():.2f}.")

    def hiding(self, losses: np.ndarray) -> str:
        """Say where a tag loses most: losses (groups of bands, places), by occlusion."""
        group, place = np.unravel_index(losses.argmax(), losses.shape)
        before, lost = self.probabilities[:, self.label].mean(), losses[group, place]
        if lost < LEAST:
            return ("hiding any place lowers its mean probability of "
                    f"{before:.3f} by less than {LEAST}")
        bands = np.array_split(np.arange(len(self.spectrogram)), len(losses))[group]
        what = (f"{self.frequency(bands[0])} to {self.frequency(bands[-1])}" if len(losses) > 1 else
                "the sound")
        time = (place + 0.5) * self.length / losses.shape[1]
        return (f"hiding {what} around {time:.1f} s lowers its mean probability most, "
                f"from {before:.3f} to {before - lost:.3f}")

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
