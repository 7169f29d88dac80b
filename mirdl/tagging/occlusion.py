"""Where in a song a network looks: what its tag loses where the sound is hidden.

M. Zeiler and R. Fergus, 'Visualizing and understanding convolutional networks', ECCV 2014.
"""

from collections.abc import Callable, Iterable, Iterator
from itertools import islice

import numpy as np

from mirdl.system.progress import bar

SECONDS, STEP = 0.5, 0.25       # that are hidden at a time, and from one place to the next
GROUPS = 5      # of neighbouring bands, hidden one by one
LONG = 5000     # chunks whose progress is shown
BATCH = 16      # chunks that go through the network at a time


def occlusion(forward: Callable, spectrogram: np.ndarray, shown: np.ndarray, starts: list[int],
              width: int, label: int, seconds: float, groups: int = GROUPS) -> np.ndarray:
    """Hide one place of a song after the other.

    What is hidden has the median of its band in the song, as nothing special happens there. A place
    counts in all chunks that hold it.

    Parameters
    ----------
    forward : callable
        x: (BATCH, 1, bands, width) -> probabilities: (BATCH, classes).
    spectrogram : ndarray
        float32, (bands, frames), normalised.
    shown : ndarray of int
        (frames,), the frame of the song that each one is: a short song may have been repeated, and
        then is hidden in each repetition. -1 for what is no part of it.
    starts : list of int
        The first frame of each chunk.
    width : int
        Frames of a chunk.
    label : int
        The class whose probability is watched.
    seconds : float
        From one frame to the next.
    groups : int
        Of neighbouring bands, hidden one by one.

    Returns
    -------
    ndarray
        (groups, places): by how much the mean probability of the chunks falls; below 0 where the
        class gains. A place is the middle of `SECONDS`, each `STEP` (or a
        frame, if that is longer) after the one before, the first at half a step.
    """
    bands, frames = len(spectrogram), shown.max() + 1
    groups = np.array_split(np.arange(bands), min(groups, bands))
    step, half = max(STEP / seconds, 1), max(SECONDS / seconds, 1) / 2      # in frames
    middles = (np.arange(max(1, round(frames / step))) + 0.5) * step
    usual = np.median(spectrogram[:, shown >= 0], axis=1, keepdims=True)
    spans = [(shown >= max(0, round(middle - half))) & (shown < round(middle + half))
             for middle in middles]     # the frames of each place
    pieces = [(group, place, start) for place, span in enumerate(spans)
              for start in starts if span[start:start + width].any()
              for group in range(len(groups))]

    def hidden() -> Iterator[np.ndarray]:
        for group, place, start in pieces:
            chunk = spectrogram[:, start:start + width].copy()
            chunk[np.ix_(groups[group], spans[place][start:start + width])] = usual[groups[group]]
            yield chunk

    whole = [spectrogram[:, start:start + width] for start in starts]
    before = dict(zip(starts, _probabilities(forward, whole, label), strict=True))
    losses = np.zeros((len(groups), len(spans)))
    chunks = bar(hidden(), total=len(pieces), desc="hiding", unit="chunk",
                 disable=len(pieces) < LONG)
    for (group, place, start), after in zip(pieces, _probabilities(forward, chunks, label),
                                            strict=True):
        losses[group, place] += (before[start] - after) / len(starts)
    return losses


def _probabilities(forward: Callable, chunks: Iterable[np.ndarray], label: int) -> Iterator[float]:
    """Yield the probability of a class for each chunk."""
    chunks = iter(chunks)
    while batch := list(islice(chunks, BATCH)):
        x = np.zeros((BATCH, 1, *batch[0].shape), np.float32)
        x[:len(batch), 0] = batch
        yield from forward(x)[:len(batch), label]
