"""Songs that cannot be used, and how that is told in few lines."""

import os
from collections import defaultdict

import numpy as np

from mirdl.errors import UserError
from mirdl.songs.wording import names_of
from mirdl.spectrograms.audio import SAMPLE_RATE
from mirdl.spectrograms.cache import FOLDER
from mirdl.spectrograms.chunks import chunk_starts
from mirdl.system.whole_files import whole

MOST_ALIKE = 3      # songs that share a reason and still have a line each
SHORTEST = 5        # per cent of the songs, the shortest, that suggested settings may leave out


def leave_out(songs: dict, parameters: dict) -> dict:
    """Leave out the songs that give no chunk, and print why.

    Parameters
    ----------
    songs : dict
        Song name -> ndarray or Stored, (bands, frames), or the reason (str) why there is none.
    parameters : dict
        See `mirdl.spectrograms.chunks.chunk_starts`.

    Returns
    -------
    dict
        Song name -> ndarray or Stored, of the songs with at least one chunk.

    Raises
    ------
    UserError
        If all songs that could be read are too short.
    """
    reasons = {name: song for name, song in songs.items() if isinstance(song, str)}
    frames = {name: song.shape[1] for name, song in songs.items() if name not in reasons}
    short = {name: count for name, count in frames.items() if not chunk_starts(count, parameters)}
    if reasons or len(short) < len(frames):
        _print_reasons({name: reasons.get(name) or short[name] for name in songs
                        if name in reasons or name in short}, len(songs), parameters)
    if short and len(short) == len(frames):
        raise UserError(_all_too_short(list(short.values()), parameters))
    return {name: songs[name] for name in frames if name not in short}


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
    if not left_out:
        return
    sharing = defaultdict(list)
    for name, why in left_out.items():
        sharing[why if isinstance(why, str) else "is too short"].append(name)
    each = [f"{name!r} {_reason(parameters, why)}" for name, why in left_out.items()]
    where = ""
    if any(len(names) > MOST_ALIKE for names in sharing.values()):
        path = os.path.join(FOLDER, f"{parameters['DS']['dataset']}.left_out.txt")
        with whole(path) as file:
            file.writelines(line + "\n" for line in each)
        where = f" ({path} has the list)"
    print(f"  {len(left_out)} of {total} files are left out{where}:")
    for names in sharing.values():
        whys = [left_out[name] for name in names]
        if len(names) > MOST_ALIKE:
            reason = _reason(parameters, *whys)
            print(f"    {len(names)} files ({names_of(names)}): each {reason}")
        else:
            for name, why in zip(names, whys, strict=True):
                print(f"    {name!r} {_reason(parameters, why)}")


def _reason(parameters: dict, *whys: str | int) -> str:
    """Word the reason that some songs share: a str, or for each how many frames it has."""
    if isinstance(whys[0], str):
        return whys[0]
    span = " to ".join(map(str, sorted({min(whys), max(whys)})))
    width = parameters["DS"]["xInput"]
    needed = width + parameters["chunkHop"]
    published = f" (asPublished needs {needed})" if parameters["asPublished"] else ""
    return f"is too short: {span} frames give no chunk of {width}{published}"


def _all_too_short(frames: list[int], parameters: dict) -> str:
    """Say how long the songs are, and which settings would use them."""
    ds, hop, published = parameters["DS"], parameters["chunkHop"], parameters["asPublished"]
    width = ds["xInput"]

    def seconds(count: int) -> str:
        return f"{count * ds['hopSize'] / SAMPLE_RATE:.1f}"

    shortest, longest = min(frames), max(frames)
    span = (f"{longest} frames, {seconds(longest)} s" if shortest == longest else
            f"{shortest} to {longest} frames, {seconds(shortest)} to {seconds(longest)} s")
    needed = width + hop if published else width
    which = f"DS.xInput={width}"
    if published:
        which += f" with chunkHop={hop} and asPublished=True"
    length = int(np.percentile(frames, SHORTEST, method="lower"))
    taken = sum(count >= length for count in frames)
    return (
        f"all {len(frames)} songs of data set {ds['dataset']!r} are too short ({span}): {which} "
        f"needs {needed} frames, {seconds(needed)} s; "
        f"{' or '.join(_settings_for(length, width, hop, published))} would use "
        f"{'all' if taken == len(frames) else taken} of them"
    )


def _settings_for(length: int, width: int, hop: int, published: bool) -> list[str]:
    """Return settings by which songs of `length` frames have a chunk."""
    if not published:
        return [f"DS.xInput={length}"]
    whole_songs = "asPublished=False" + (f" DS.xInput={length}" if width > length else "")
    if length < 2:
        return [whole_songs]
    # the chunk as wide as it is, if that leaves room for a hop
    hop = min(hop, length - width if width <= 0.8 * length else length // 2)
    return [f"DS.xInput={min(width, length - hop)} chunkHop={hop}", whole_songs]
