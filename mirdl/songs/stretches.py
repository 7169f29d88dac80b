"""Stretches of recordings, each of which has tags and is an example like a song."""

import itertools
import math
import os
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial

import numpy as np

from mirdl.errors import UserError
from mirdl.frames import frames_of
from mirdl.songs import given_tables, label_files
from mirdl.songs.audio_files import cannot_read, files_below
from mirdl.songs.dataset import Songs
from mirdl.songs.given_splits import GivenSplit
from mirdl.songs.stretch import Stretch
from mirdl.songs.tags import Tags
from mirdl.songs.wording import names_of
from mirdl.spectrograms.store import Stored

ROUNDING = 0.001    # seconds by which stretches of one tag may overlap
BEYOND = 0.1        # seconds by which one may end after its recording, if its end was rounded
LEAST = 1.0         # seconds of what is unlabelled, to count as DS.background, and of an overlap
                    # that is no slip
ENDINGS = (".txt", ".csv")


def read(songs: Songs, ds: dict) -> tuple[Stretch, ...]:
    """Read the stretches of recordings that DS.labels names.

    Parameters
    ----------
    songs : Songs
        The recordings.
    ds : dict
        parameters["DS"]; used are labels, background and dataset.

    Returns
    -------
    tuple of Stretch
        Sorted; with DS.background also what lies between them. If two stretches of different tags
        overlap by `LEAST` anywhere, there may be several tags at a time: then each stretch lasts
        from one start or end to the next, with a tuple of the tags.

    Raises
    ------
    UserError
        If a file cannot be used or belongs to no recording; if two stretches of one tag overlap, or
        all overlaps are so short that they look like slips.
    """
    source = f"DS.labels={ds['labels']}"
    found = _labels(songs, ds["labels"], source, ds["dataset"])
    several, background = _overlap(found.values()), ds["background"].strip()
    stretches = []
    for recording, labels in sorted(found.items()):
        each = (_parts(recording, labels) if several else
                [Stretch(recording, label.start, label.end, label.tag) for label in labels])
        between = _between(recording, each, (background,) if several else background)
        stretches += sorted([*each, *(between if background else ())])
    if not stretches:
        raise UserError(f"{source} has no labels; expected files {' or '.join(ENDINGS)} with "
                        f"{label_files.FORMS}, or a table with {', '.join(label_files.TABLE)}")
    return tuple(stretches)


def divided(songs: Songs, split: GivenSplit | None) -> tuple[Songs, GivenSplit | None]:
    """Take the stretches of recordings in the place of these; those of one stay together.

    Parameters
    ----------
    songs : Songs
        The recordings, with stretches or without.
    split : GivenSplit or None
        Of the recordings.
    """
    if not songs.stretches:
        return songs, split
    stretches = [each for each in songs.stretches if each.recording in songs.files]
    files = {each.name: (songs.files[each.recording][0], each.tag) for each in stretches}
    groups = {each.name: (songs.groups or {}).get(each.recording, each.recording)
              for each in stretches}
    if split:
        split = split._replace(places={each.name: split.places[each.recording]
                                       for each in stretches if each.recording in split.places})
    return replace(songs, files=files, groups=groups, stretches=tuple(stretches)), split


def cut(spectrograms: dict, songs: Songs, ds: dict) -> dict:
    """Cut the stretches out of the spectrograms of their recordings.

    A stretch has the frames whose middle lies in it.

    Parameters
    ----------
    spectrograms : dict
        Name of each recording -> ndarray or Stored, (bands, frames), or why there is none.
    songs : Songs
        As `divided` gives them.
    ds : dict
        parameters["DS"].

    Returns
    -------
    dict
        As `spectrograms`, by the names of the stretches, without those of background at the end of
        a recording that has no more. Without stretches it is that of the songs.
    """
    if not songs.stretches:
        return spectrograms
    parts = {each.name: _part(spectrograms[each.recording], each, ds) for each in songs.stretches}
    return {name: part for name, part in parts.items() if part is not None}


def _part(spectrogram: np.ndarray | Stored | str, stretch: Stretch, ds: dict,
          ) -> np.ndarray | Stored | str | None:
    if isinstance(spectrogram, str):
        return spectrogram
    each, frames = frames_of(ds).seconds, spectrogram.shape[1]
    if math.isinf(stretch.end) and stretch.start + LEAST > frames * each:
        return None
    if stretch.start >= frames * each or (
            math.isfinite(stretch.end) and stretch.end > frames * each + BEYOND):
        return (f"is beyond the end of its recording, which has {frames * each:.2f} s; correct its "
                "labels")

    def place(seconds: float) -> int:
        """Give the first frame whose middle is not before; label files round times."""
        return math.ceil(round(min(seconds / each, frames), 3))

    first, last = place(stretch.start), place(stretch.end)
    if first >= last:
        return "is shorter than a frame; make it longer"
    if isinstance(spectrogram, Stored):
        return spectrogram.part(first, last)
    return spectrogram[:, first:last].copy()    # compressed in place later


def _labels(songs: Songs, labels: str, source: str, dataset: str,
            ) -> dict[str, list[label_files.Label]]:
    """Give the labels of each recording; a file may have none, so that all is background."""
    names, found, seen = given_tables.aliases(songs.tags), defaultdict(list), {}
    if not os.path.isdir(labels):
        rows = label_files.of_table(labels, source)
        unknown = [row.song for row in rows if not names.get(row.song)]
        if unknown:
            raise UserError(_unknown(f"{source} names {names_of(unknown)}", dataset))
        for row in rows:
            found[names[row.song]].append(row)
        return found
    for path in sorted(files_below(labels, cannot_read)):
        stem, ending = os.path.splitext(os.path.relpath(path, labels))
        if ending.lower() not in ENDINGS:
            continue
        recording = names.get(given_tables.composed(stem))
        if not recording:
            raise UserError(_unknown(f"{path!r} belongs to no recording", dataset))
        if recording in seen:
            raise UserError(f"{path!r} and {seen[recording]!r} are labels of one recording; "
                            "leave one of them")
        seen[recording] = path
        found[recording] = label_files.of_file(path)
    return found


def _unknown(start: str, dataset: str) -> str:
    return (f"{start}: no song of data set {dataset!r}, or more than one, has that name; expected "
            "a path below its folder, with capitals as there")


def _overlap(recordings: Iterable[list[label_files.Label]]) -> bool:
    """Tell whether there are several tags at a time; refuse overlaps that are none.

    Parameters
    ----------
    recordings : iterable of list of Label
        The labels of each, which are sorted by their start.
    """
    pairs = [pair for labels in recordings for pair in _overlapping(labels)]
    several = any(one.tag != other.tag and seconds >= LEAST for one, other, seconds in pairs)
    for one, other, _ in pairs:
        if not several or one.tag == other.tag:
            raise UserError(f"{other.where} starts at {other.start} s, within {one.tag!r} from "
                            f"{one.start} to {one.end} s; a stretch of time has one tag, unless "
                            f"different ones overlap by {LEAST:g} s or more: move or join them")
    return several


def _overlapping(labels: list[label_files.Label]) -> Iterator[tuple]:
    """Sort labels; yield two that overlap, and by how many seconds."""
    labels.sort(key=lambda label: label.start)
    longest = itertools.accumulate(labels, partial(max, key=lambda label: label.end))
    for one, other in zip(longest, labels[1:], strict=False):
        seconds = min(one.end, other.end) - other.start
        if seconds > ROUNDING:
            yield one, other, seconds


def _parts(recording: str, labels: list[label_files.Label]) -> list[Stretch]:
    """Give the stretches from each start or end of a label to the next, with all their tags."""
    borders, found = sorted({time for label in labels for time in (label.start, label.end)}), []
    for start, end in itertools.pairwise(borders):
        tags = {label.tag for label in labels if label.start <= start and end <= label.end}
        if tags and end - start > ROUNDING:
            found.append(Stretch(recording, start, end, tuple(sorted(tags))))
    return found


def _between(recording: str, stretches: list[Stretch], tag: Tags) -> Iterator[Stretch]:
    """Yield what is unlabelled in a recording, with this tag."""
    starts = [*(each.start for each in stretches), math.inf]
    ends = [0.0, *(each.end for each in stretches)]
    for start, end in zip(ends, starts, strict=True):
        if end - start >= LEAST:
            yield Stretch(recording, start, end, tag)
