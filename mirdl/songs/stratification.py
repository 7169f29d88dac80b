"""Blocks of songs that share each of several tags evenly: iterative stratification.

K. Sechidis, G. Tsoumakas and I. Vlahavas, 'On the stratification of multi-label data', ECML PKDD
2011. iterative-stratification on PyPI does the same for songs, but cannot keep groups together.
Here ties are broken by order, so nothing is drawn at random.
"""

import numpy as np


def blocks_of(has: np.ndarray, units: list[str], count: int) -> list[np.ndarray]:
    """Divide songs into blocks, each of which has its share of the songs of each tag.

    The rarest tag is dealt with first: each unit that has it goes to the block that lacks most of
    that tag, and among these to the one that lacks most songs. Having no tag counts as a tag.

    Parameters
    ----------
    has : ndarray of bool
        (songs, tags).
    units : list of str
        The group of each song, or its name: songs of one unit stay together.
    count : int
        Of the blocks.

    Returns
    -------
    list of ndarray of int
        The indices of the songs of each block, sorted.
    """
    has = np.column_stack([has, ~has.any(axis=1)])
    names = list(dict.fromkeys(units))
    unit = np.array([*map({name: place for place, name in enumerate(names)}.get, units)])
    songs = np.zeros((len(names), has.shape[1]))        # of each unit, with each tag
    np.add.at(songs, unit, has)
    sizes = np.bincount(unit)
    lacking = np.tile(songs.sum(axis=0) / count, (count, 1))
    room = np.full(count, len(units) / count)
    block = np.full(len(names), -1)
    while (block < 0).any():
        left = np.where((block < 0)[:, None], songs, 0)
        totals = left.sum(axis=0)
        tag = np.where(totals > 0, totals, np.inf).argmin()
        for place in np.argsort(-left[:, tag], kind="stable")[:np.count_nonzero(left[:, tag])]:
            block[place] = chosen = np.lexsort([-room, -lacking[:, tag]])[0]
            lacking[chosen] -= songs[place]
            room[chosen] -= sizes[place]
    return [np.flatnonzero(block[unit] == number) for number in range(count)]
