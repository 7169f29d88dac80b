"""One stretch of a recording, and its name."""

import math
import re
from typing import NamedTuple

from mirdl.songs.tags import Tags

NAME = re.compile(r" (\d+\.\d{3})-(\d+\.\d{3}|end)$")


class Stretch(NamedTuple):
    """A stretch of a recording that has a tag.

    Attributes
    ----------
    recording : str
        Its name, a path below the folder of the data set.
    start, end : float
        Seconds; the end is inf for that of the recording.
    tag : str or tuple of str
        All tags at that time, where there may be several.
    """

    recording: str
    start: float
    end: float
    tag: Tags

    @property
    def name(self) -> str:
        """As that of a song: 'takes/1.wav 12.500-17.000'."""
        end = "end" if math.isinf(self.end) else f"{self.end:.3f}"
        return f"{self.recording} {self.start:.3f}-{end}"


def recording_of(name: str) -> str:
    """Give the recording of a stretch by its name; a song is its own."""
    return NAME.sub("", name)


def times_of(name: str) -> tuple[float, float]:
    """Give start and end of a stretch by its name, in seconds; those of a song are 0 and inf."""
    found = NAME.search(name)
    start, end = found.groups() if found else ("0", "end")
    return float(start), math.inf if end == "end" else float(end)
