"""Songs that share sound: found once, then named, kept together or left out (DS.duplicates)."""

import csv
import hashlib
import json
import os
from collections import defaultdict
from collections.abc import Mapping

import numpy as np

from mirdl.settings import that_work
from mirdl.songs.dataset import DataSet, moments_of
from mirdl.songs.groups import joined
from mirdl.songs.wording import MOST_NAMES, first_of, names_of, some
from mirdl.spectrograms.cache import FOLDER
from mirdl.spectrograms.fingerprints import pairs_sharing
from mirdl.spectrograms.store import Stored
from mirdl.system.whole_files import whole

FORMAT = "mirdl shared sound 1"
Pairs = list[tuple[str, str]]


def find(songs: Mapping[str, np.ndarray | Stored], ds: dict) -> Pairs:
    """Find the songs that share sound, or read in data/preloaded which these are.

    Parameters
    ----------
    songs : dict
        Name -> (bands, frames), not compressed.
    ds : dict
        parameters["DS"] that they were made with.

    Returns
    -------
    list of tuple of str
        See `mirdl.spectrograms.fingerprints.pairs_sharing`.
    """
    path = os.path.join(FOLDER, f"{ds['dataset']}.shared.json")
    known = hashlib.sha256(repr([FORMAT, ds["specTransform"], *(
        (name, song.shape, "{:.6g} {:.6g}".format(*moments_of(song)))
        for name, song in sorted(songs.items()))]).encode()).hexdigest()
    try:
        with open(path) as file:
            content = json.load(file)
        if content["songs"] == known:
            return [(first, second) for first, second in content["pairs"]]
    except (OSError, ValueError, KeyError, TypeError):
        pass        # it is not there, or damaged
    pairs = pairs_sharing(songs, ds)
    with whole(path) as file:
        json.dump({"songs": known, "pairs": pairs}, file)
    return pairs


def without_repeated(songs: dict[str, np.ndarray | Stored], pairs: Pairs) -> dict:
    """Keep the longest song of each group of songs that share sound, and print which ones go."""
    out = {}
    for names in groups_of(list(songs), pairs):
        first = max(names, key=lambda name: songs[name].shape[1])
        out.update((name, first) for name in names if name != first)
    if out:
        told = first_of([f"{name!r} (as {first!r})" for name, first in out.items()])
        print(f"  DS.duplicates=drop leaves out {some(len(out), 'song', 'songs')}: {told}")
    return {name: song for name, song in songs.items() if name not in out}


def groups_of(names: list[str], pairs: Pairs) -> list[list[str]]:
    """List the groups of songs that share sound, sorted."""
    groups = defaultdict(list)
    for name, group in sorted(zip(names, joined(names, None, pairs), strict=True)):
        groups[group].append(name)
    return sorted(each for each in groups.values() if len(each) > 1)


def note(dataset: DataSet, pairs: Pairs, parameters: dict) -> None:
    """Print which songs share sound, and write groups that keep them together for DS.groups."""
    sharing = groups_of(dataset.names, pairs)
    if not sharing:
        return
    ds, count = parameters["DS"], sum(map(len, sharing))
    told = "; ".join(map(names_of, sharing[:MOST_NAMES]))
    if len(sharing) > MOST_NAMES:
        told += f" and {some(len(sharing) - MOST_NAMES, 'other group', 'other groups')}"
    path = os.path.join(FOLDER, f"{ds['dataset']}.groups.csv")
    with whole(path) as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("song", "group"))
        groups = joined(dataset.names, dataset.groups, pairs)
        table.writerows(sorted(zip(dataset.names, groups, strict=True)))
    if ds["duplicates"] == "together":
        print(f"  DS.duplicates=together joins {count} songs that share sound: {told} ({path} has "
              "all)")
        return
    ways = ["DS.duplicates=together", "DS.duplicates=drop"]
    where = "if one trains and another is tested, accuracy is inflated"
    if dataset.split is not None:
        place = dict(zip(dataset.names, dataset.split, strict=True))
        divided = sum(len({place[name] for name in names}) > 1 for names in sharing)
        where = (f"the split puts {some(divided, 'group', 'groups')} of them on both sides, so "
                 "accuracy is inflated") if divided else "the split keeps them on one side"
        ways = ["DS.duplicates=drop"] if divided else []
    advice = " or ".join(that_work(ways, parameters, lambda changed: None))
    print(f"  Note: {count} songs share sound: {told}; {where}; "
          f"{f'listen, then set {advice}; ' if advice else ''}{path} has all, for DS.groups")
