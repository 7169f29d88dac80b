"""Stretches of time that have one tag, and the labels that programs for listening read."""

import csv
import io
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import NamedTuple

import numpy as np

from mirdl.errors import UserError, one_line
from mirdl.results.files import distinct_name
from mirdl.system.whole_files import make_folder, remove_leftovers, whole

UNKNOWN = "unknown"     # the tag of what is rejected


class Segment(NamedTuple):
    """Neighbouring chunks of one class, joined.

    Attributes
    ----------
    start, end : float
        Seconds from the start of the song.
    label : int or None
        The class; None for `UNKNOWN`.
    probability : float
        Of this class, the mean over the chunks; 0 for `UNKNOWN`.
    """

    start: float
    end: float
    label: int | None
    probability: float


def tag_of(label: int | None, classes: list[str]) -> str:
    """Give the name of a class; None is `UNKNOWN`."""
    return UNKNOWN if label is None else classes[label]


def stretches(starts: range, frames: int, width: int) -> np.ndarray:
    """Give the time that each chunk covers: all that is nearest to its middle.

    Chunks overlap where the hop is shorter than they are; these stretches never do, and together
    they cover the whole song.

    Parameters
    ----------
    starts : sequence of int
        The first frame of each chunk.
    frames, width : int
        Frames of the song and of a chunk.

    Returns
    -------
    ndarray
        (chunks, 2), in frames.
    """
    middle = np.asarray(starts) + width / 2
    borders = np.array([0, *(middle[1:] + middle[:-1]) / 2, frames])
    return np.column_stack([borders[:-1], borders[1:]])


def joined(times: np.ndarray, probabilities: np.ndarray, rejected: np.ndarray) -> list[Segment]:
    """Join neighbouring chunks of one class, and those that are rejected.

    Parameters
    ----------
    times : ndarray
        (chunks, 2), start and end of the time that each chunk covers, in order.
    probabilities : ndarray
        (chunks, classes).
    rejected : ndarray of bool
        (chunks,).
    """
    labels = [None if odd else label for label, odd in
              zip(probabilities.argmax(axis=1).tolist(), rejected, strict=True)]
    found = []
    for label, group in groupby(range(len(labels)), labels.__getitem__):
        chunks = list(group)
        mean = 0.0 if label is None else float(probabilities[chunks, label].mean())
        found.append(Segment(float(times[chunks[0], 0]), float(times[chunks[-1], 1]), label, mean))
    return found


def of_each_tag(times: np.ndarray, probabilities: np.ndarray,
                thresholds: np.ndarray) -> list[Segment]:
    """Join neighbouring chunks that have a tag, for each tag: segments of different tags overlap.

    Parameters
    ----------
    times, probabilities
        As for `joined`.
    thresholds : ndarray
        (classes,), which the probability of a tag reaches in the chunks that have it.

    Returns
    -------
    list of Segment
        By their start.
    """
    lacks = probabilities < thresholds
    return sorted(each._replace(label=label) for label in range(len(thresholds))
                  for each in joined(times, probabilities[:, [label]], lacks[:, label])
                  if each.label is not None)


def audacity(segments: list[Segment], classes: list[str]) -> str:
    """Write a label track of Audacity: start, end and tag, a line each, separated by tabs."""
    return "".join(f"{each.start:.6f}\t{each.end:.6f}\t{one_line(tag_of(each.label, classes))}\n"
                   for each in segments)


def sonic(segments: list[Segment], classes: list[str]) -> str:
    """Write a CSV file that Sonic Visualiser shows as a layer of regions.

    The value, which is the height of a region, is the probability.
    """
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\n")
    table.writerow(["TIME", "VALUE", "DURATION", "LABEL"])
    table.writerows([f"{each.start:.6f}", f"{each.probability:.4f}",
                     f"{each.end - each.start:.6f}", one_line(tag_of(each.label, classes))]
                    for each in segments)
    return text.getvalue()


LABELS = {"audacity": (audacity, ".txt"), "sonic": (sonic, ".csv")}    # ending of their files


def labels_of(form: str, songs: list[str], folder: str | None) -> Callable:
    """Make what writes the labels of songs.

    Parameters
    ----------
    form : str
        A key of `LABELS`.
    songs : list of str
        Paths of audio files.
    folder : str or None
        Where each song has a file of its own; None to give the labels of one song as a text.

    Returns
    -------
    callable
        (answers, songs, classes, unit) -> texts to print, one for each song that has a tag.

    Raises
    ------
    UserError
        If several songs come without a folder, or as `paths_in`.
    """
    function, ending = LABELS[form]
    if folder is None and len(songs) > 1:
        raise UserError(f"there are {len(songs)} songs, and labels of several songs need a folder: "
                        "add --out FOLDER")
    paths = [None] if folder is None else paths_in(folder, songs, ending)

    def write(answers: Iterable, songs: list[str], classes: list[str], unit: str) -> Iterator[str]:
        for answer, path in zip(answers, paths, strict=True):
            if answer.problem:
                continue
            text = function(answer.segments, classes)
            if path is None:
                yield text.removesuffix("\n")
                continue
            with whole(path) as file:
                file.write(text)
            yield one_line(f"{answer.song} -> {path}")

    return write


def paths_in(folder: str, songs: list[str], ending: str) -> list[str]:
    """Give each song a path of its own for its labels, in a folder that is made if need be.

    Two songs of one name get different paths: song.txt, song-2.txt.

    Raises
    ------
    UserError
        If there is a file of such a name, which may hold another song's labels, or the folder
        cannot be written to.
    """
    make_folder(folder)
    remove_leftovers(folder, ending)
    paths = []
    for song in songs:
        title = os.path.splitext(os.path.basename(song))[0]
        path = distinct_name(os.path.join(folder, ""), title, ending, paths)
        if os.path.exists(path):
            raise UserError(f"there is a file {path!r} already: name another folder, or move the "
                            "file away")
        paths.append(path)
    return paths
