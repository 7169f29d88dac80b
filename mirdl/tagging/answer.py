"""What a model says about a song: by chunk, by stretch of time, and as a whole."""

from dataclasses import dataclass

import numpy as np

from mirdl.results.calibration import tempered
from mirdl.results.votes import likeliest, majority_vote
from mirdl.tagging.segments import Segment

MOST = 5        # tags of a song that are shown, where it may have several
BY = {"vote": lambda probabilities: majority_vote(probabilities.argmax(axis=1), 0),
      "mean": lambda probabilities: likeliest(probabilities, 0)}      # a song has a chunk or more


def usual_way(parameters: dict) -> str:
    """Give the key of `BY` that a model's songs are tagged by: the vote, as published.

    With other recipes it is the mean probability, which was right for as many songs or more
    wherever both were measured (docs/recipes.md).
    """
    return "vote" if parameters["recipe"] == "published" else "mean"


@dataclass
class Answer:
    """What a model says about a song.

    Attributes
    ----------
    song : str
        The path of the file; "samples" if it was none.
    label : int or None
        The class of the song, found as `by` says; None where it is rejected, or `problem` says why
        there is no answer.
    probabilities : ndarray
        (chunks, classes), of the chunks that vote.
    start : ndarray
        (chunks,), seconds from the start of the song.
    spectrogram : ndarray
        float32, (bands, frames), normalised as the network saw it.
    frames : int
        How many of these are the song's own: one shorter than a chunk may have been lengthened.
    length : float
        Seconds.
    problem : str
    segments : list of Segment
        The stretches of time in which all chunks have one class; together they cover the song. With
        `thresholds` those in which they have a tag, for each tag.
    note : str
        What is odd about the file; empty if nothing is.
    tag : str
        The name of the class, "unknown" where the song is rejected; empty if there is no answer.
    by : {"vote", "mean"}
        The class is the one that most chunks voted for, or the one of the largest mean probability.
    several : bool
        A song may have several of the classes; `label` is the likeliest.
    thresholds : ndarray or None
        Then the probabilities that a tag must reach, (classes,); None if they are not known.
    temperature : float or None
        See `final`.
    likeness : float or None
        See `mirdl.tagging.likeness`; None if the run has not learnt it.
    rejected : ndarray of bool or None
        (chunks,), which chunks are "unknown" by themselves; None if nothing is to be rejected.
    times : ndarray
        (chunks, 2), start and end of the time that each chunk speaks for, in seconds.
    """

    song: str
    label: int | None = None
    probabilities: np.ndarray | None = None
    start: np.ndarray | None = None
    spectrogram: np.ndarray | None = None
    frames: int = 0
    length: float = 0.0
    problem: str = ""
    segments: list[Segment] | None = None
    note: str = ""
    tag: str = ""
    by: str = "vote"
    several: bool = False
    thresholds: np.ndarray | None = None
    temperature: float | None = None
    likeness: float | None = None
    rejected: np.ndarray | None = None
    times: np.ndarray | None = None

    @property
    def labels(self) -> list[int | None]:
        """The class of each chunk, None where it is rejected."""
        found = self.probabilities.argmax(axis=1).tolist()
        if self.rejected is None:
            return found
        return [None if odd else label for label, odd in zip(found, self.rejected, strict=True)]

    @property
    def final(self) -> np.ndarray:
        """The probabilities of the song, (classes,): the mean over its chunks, calibrated."""
        return tempered(self.probabilities.mean(axis=0), self.temperature)

    @property
    def votes(self) -> np.ndarray:
        """How many chunks voted for each class: (classes,)."""
        return np.bincount(self.probabilities.argmax(axis=1),
                           minlength=self.probabilities.shape[1])

    def tags(self, probabilities: np.ndarray) -> list[int]:
        """Give the labels whose probabilities, (classes,), reach their thresholds, likeliest first.

        Without thresholds they are the `MOST` likeliest.
        """
        labels = np.argsort(-probabilities, kind="stable")
        if self.thresholds is None:
            return labels[:MOST].tolist()
        return labels[(probabilities >= self.thresholds)[labels]].tolist()
