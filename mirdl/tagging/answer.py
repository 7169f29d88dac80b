"""What a model says about a song: by chunk, by stretch of time, and as a whole."""

from dataclasses import dataclass

import numpy as np

from mirdl.tagging.segments import Segment


@dataclass
class Answer:
    """What a model says about a song.

    Attributes
    ----------
    song : str
        The path of the file; "samples" if it was none.
    label : int or None
        The class that most chunks voted for; None where `problem` says why there is no answer.
    probabilities : ndarray
        (chunks, classes), of the chunks that vote.
    start : ndarray
        (chunks,), seconds from the start of the song.
    spectrogram : ndarray
        float32, (bands, frames), normalised as the network saw it.
    problem : str
    segments : list of Segment
        The stretches of time in which all chunks have one class; together they cover the song.
    note : str
        What is odd about the file; empty if nothing is.
    tag : str
        The class that most chunks voted for, by its name; empty if there is no answer.
    """

    song: str
    label: int | None = None
    probabilities: np.ndarray | None = None
    start: np.ndarray | None = None
    spectrogram: np.ndarray | None = None
    problem: str = ""
    segments: list[Segment] | None = None
    note: str = ""
    tag: str = ""

    @property
    def votes(self) -> np.ndarray:
        """How many chunks voted for each class: (classes,)."""
        return np.bincount(self.probabilities.argmax(axis=1),
                           minlength=self.probabilities.shape[1])
