"""Songs that cannot be used, and how they are reported in a few lines."""

import os
from collections import defaultdict
from collections.abc import Callable, Collection
from operator import itemgetter
from typing import Any

import numpy as np

from mirdl.errors import UserError
from mirdl.frames import frames_of
from mirdl.settings import that_work
from mirdl.songs.tags import each_of
from mirdl.songs.wording import MOST_NAMES, names_of, some
from mirdl.spectrograms.cache import FOLDER
from mirdl.spectrograms.chunks import chunk_starts
from mirdl.system.whole_files import whole

MOST_TAGS = 10      # that lose most of their songs and have a line each
SHORTEST = 5        # per cent of the songs, the shortest, that suggested settings may leave out


def leave_out(songs: dict, tags: dict, parameters: dict,
              attempt: Callable[[dict], Any] = lambda parameters: None) -> dict:
    """Leave out the songs that give no chunk, and print why.

    Parameters
    ----------
    songs : dict
        Song name -> ndarray or Stored, (bands, frames), or the reason (str) why there is none.
    tags : dict
        Song name -> its tag or tags.
    parameters : dict
        See `mirdl.spectrograms.chunks.chunk_starts`.
    attempt : callable
        Takes other parameters; raises UserError if the network or the model does not allow them,
        so that they are not advised.

    Returns
    -------
    dict
        Song name -> ndarray or Stored, of the songs with at least one chunk.

    Raises
    ------
    UserError
        If all songs that could be read are too short.
    """
    ds = parameters["DS"]
    frames = {name: song.shape[1] for name, song in songs.items() if not isinstance(song, str)}
    kept = {name: songs[name] for name in frames if chunk_starts(frames[name], parameters)}
    left_out = {name: frames.get(name, song) for name, song in songs.items() if name not in kept}
    if left_out and (kept or len(frames) < len(songs)):      # otherwise the error says it
        _print_reasons(left_out, len(songs), parameters)
    lengthened = sum(frames[name] < ds["xInput"] for name in kept)
    if lengthened:
        print(f"  DS.short={ds['short']} lengthens {lengthened} of {len(kept)} songs to a chunk")
    if frames and not kept:
        raise UserError(_all_too_short(list(frames.values()), parameters, attempt))
    _print_losses(tags, kept, frames, parameters, attempt)
    return kept


def _print_reasons(left_out: dict, total: int, parameters: dict) -> None:
    """Print a line for each song, or one for all that share a reason: a file then has the list.

    Parameters
    ----------
    left_out : dict
        Song name -> the reason, or the number of frames of a song that is too short.
    total : int
        Songs of the data set.
    parameters : dict
    """
    sharing = defaultdict(list)
    for name, why in left_out.items():
        sharing[why if isinstance(why, str) else "is too short"].append(name)
    each = {name: f"{name!r} {_reason(parameters, why)}" for name, why in left_out.items()}
    where = ""
    if any(len(names) > MOST_NAMES for names in sharing.values()):
        path = os.path.join(FOLDER, f"{parameters['DS']['dataset']}.left_out.txt")
        with whole(path) as file:
            file.writelines(line + "\n" for line in each.values())
        where = f" ({path} has the list)"
    print(f"  {len(left_out)} of {total} files are left out{where}:")
    for names in sharing.values():
        if len(names) > MOST_NAMES:
            reason = _reason(parameters, *(left_out[name] for name in names))
            print(f"    {len(names)} files ({names_of(names)}): each {reason}")
        else:
            print(*(f"    {each[name]}" for name in names), sep="\n")


def _print_losses(tags: dict, kept: Collection[str], frames: dict, parameters: dict,
                  attempt: Callable[[dict], Any]) -> None:
    """Print which tags lose most of their songs, and settings that would use these.

    Parameters
    ----------
    tags : dict
        Song name -> its tag or tags.
    kept : collection of str
        The songs that are not left out.
    frames : dict
        Name -> length of each song that can be read.
    parameters, attempt
        As for `leave_out`.
    """
    songs = defaultdict(list)
    for name, found in sorted(tags.items(), key=itemgetter(1)):
        for tag in each_of(found):
            songs[tag].append(name)
    left = {tag: sum(name in kept for name in names) for tag, names in songs.items()}
    losing = [tag for tag, names in songs.items() if left[tag] < len(names) / 2]
    for tag in losing[:MOST_TAGS]:
        lengths = [frames[name] for name in songs[tag] if name in frames]
        advice = f"; {_advice(lengths, parameters, attempt)}" if left[tag] < len(lengths) else ""
        print(f"    the tag {tag!r} keeps {left[tag]} of {some(len(songs[tag]), 'song', 'songs')}"
              f"{advice}")
    if len(losing) > MOST_TAGS:
        print(f"    {some(len(losing) - MOST_TAGS, 'other tag', 'other tags')} also lose most")


def _reason(parameters: dict, *whys: str | int) -> str:
    """Put into words the reason that songs share: a str, or the number of frames of each."""
    if isinstance(whys[0], str):
        return whys[0]
    span = " to ".join(map(str, sorted({min(whys), max(whys)})))
    width = parameters["DS"]["xInput"]
    needed = width + parameters["chunkHop"]
    published = f" (asPublished needs {needed})" if parameters["asPublished"] else ""
    return f"is too short: {span} frames give no chunk of {width}{published}"


def _all_too_short(frames: list[int], parameters: dict, attempt: Callable[[dict], Any]) -> str:
    """Say how long the songs are, and which settings would use them."""
    ds, hop, published = parameters["DS"], parameters["chunkHop"], parameters["asPublished"]
    width, ends = ds["xInput"], sorted({min(frames), max(frames)})

    def span(*counts: int) -> str:
        seconds = (f"{count * frames_of(ds).seconds:.1f}" for count in counts)
        return f"{' to '.join(map(str, counts))} frames, {' to '.join(seconds)} s"

    with_hop = f" with chunkHop={hop} and asPublished=True" if published else ""
    return (
        f"all {len(frames)} songs of data set {ds['dataset']!r} are too short ({span(*ends)}): "
        f"DS.xInput={width}{with_hop} needs {span(width + hop if published else width)}; "
        f"{_advice(frames, parameters, attempt)}"
    )


def _advice(frames: list[int], parameters: dict, attempt: Callable[[dict], Any]) -> str:
    """Name settings that use nearly all songs of these lengths and that `attempt` allows."""
    length = int(np.percentile(frames, SHORTEST, method="lower"))
    taken = sum(count >= length for count in frames)
    found = [way for ways in _ways(length, parameters)
             if (way := next(that_work(ways, parameters, attempt), ""))]
    if found:
        return (f"{' or '.join(found)} would use "
                f"{'all' if taken == len(frames) else f'at least {taken}'} of them")
    return f"no settings make {parameters['DL']['type']} use them: take longer songs"


def _ways(length: int, parameters: dict) -> list[list[str]]:
    """List settings by which songs of `length` frames have a chunk, the best of each kind first."""
    width, hop = parameters["DS"]["xInput"], parameters["chunkHop"]
    narrower = [f"DS.xInput={length}"] if width > length else []
    if not parameters["asPublished"]:
        return [narrower, ["DS.short=repeat"]]
    # the chunk as wide as it is, if that leaves room for a hop; otherwise the largest hop possible
    hops = [length // 2, length // 4, length // 10, 1]
    if width <= 0.8 * length:
        hops.insert(0, length - width)
    pairs = [f"DS.xInput={min(width, length - shift)} chunkHop={shift}"
             for shift in (min(hop, shift) for shift in hops) if 0 < shift < length]
    return [pairs, [" ".join(["asPublished=False", *narrower])], ["DS.short=repeat"]]
