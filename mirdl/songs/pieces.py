"""Names that look like those of pieces of one recording: song07_1.wav and song07_2.wav."""

import re
import shlex
from collections import Counter, defaultdict
from dataclasses import replace
from functools import partial

from mirdl.settings import that_work
from mirdl.songs.checks import divided_groups, folds_of
from mirdl.songs.dataset import DataSet, Split
from mirdl.songs.groups import groups_of
from mirdl.songs.wording import names_of, some

# of TAG/file: what comes before a number or a letter at the end (or before the ending, if neither)
WAYS = (r"^(.+?)(?:[-_.\s](?:part|take)?[0-9]+)?\.[^.]+$", r"^(.+?)(?:\s?\([0-9]+\))?\.[^.]+$",
        r"^(.+?)(?:[-_\s][a-zA-Z])?\.[^.]+$")
MOST = 2 / 3    # of the songs of a tag: waltz_1 to waltz_50 are numbered, not pieces


def note(dataset: DataSet, parameters: dict) -> None:
    """Print which songs look like pieces of one recording, unless they stay in one fold anyway."""
    if dataset.groups is not None:
        return
    for expression in WAYS:
        if pieces := _pieces(dataset, expression):
            break
    else:
        return
    grouped = replace(dataset, groups=groups_of(dataset.names, expression))
    whole = f"DS.groups={expression}"
    divided = len(divided_groups(grouped))
    if divided:
        advice = f"the split puts {divided} of them on both sides; give their pieces one fold"
    elif dataset.split is not None:
        return
    elif any(that_work([whole], parameters, partial(folds_of, grouped, parts=Split._fields))):
        advice = f"{shlex.quote(whole)} keeps them together"
    else:
        advice = "keep them together (DS.groups)"
    print(f"  Note: {sum(map(len, pieces))} songs look like pieces of "
          f"{some(len(pieces), 'recording', 'recordings')}: {names_of(pieces[0])}; if one trains "
          f"and another is tested, accuracy is inflated; {advice}")


def _pieces(dataset: DataSet, expression: str) -> list[list[str]]:
    """Group songs of one tag whose names differ in a number that counts; none if others match."""
    groups, sizes = defaultdict(list), Counter(dataset.tags)
    for name, tag, group in zip(dataset.names, dataset.tags,
                                groups_of(dataset.names, expression), strict=True):
        groups[group].append((name, tag))
    found = []
    for group, songs in groups.items():
        if len(songs) == 1:
            continue
        [tag, *others] = {tag for _, tag in songs}
        numbers = sorted(_number(name[len(group):]) for name, _ in songs)
        counts = numbers[0] in (0, 1) and numbers[-1] <= 2 * len(songs)
        if others or not counts or len(songs) > MOST * sizes[tag]:
            return []
        found.append(sorted(name for name, _ in songs))
    return sorted(found)


def _number(end: str) -> int:
    """Read the number, or the letter as one, at the end of a name; -1 if there is none."""
    found = re.search(r"([0-9]+)\)?\.[^.]+$|([a-zA-Z])\.[^.]+$", end)
    if not found:
        return -1
    return int(found[1]) if found[1] else ord(found[2].lower()) - ord("a")
