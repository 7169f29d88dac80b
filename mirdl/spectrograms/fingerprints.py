"""Which songs share sound: copies in another format, rate or level, and pieces that overlap.

Landmarks find candidates, in a time that grows with the number of songs: each tenth of a second,
what happens in the next 0.8 s becomes a key of 24 bits (signs of random projections, M. Charikar,
Similarity estimation techniques from rounding algorithms, 2002). Songs that share sound have many
equal keys at one distance in time (as in A. Wang, An industrial-strength audio search algorithm,
2003). Then the spectrograms of a candidate are compared at that distance, frame by frame. Loops
have the same rhythm and often the same drums, but only of copies does the spectrum change its shape
alike, from frame to frame.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from hashlib import blake2b

import numpy as np

from mirdl.frames import MAGNITUDES, MUSICNN_MEL, frames_of
from mirdl.spectrograms.store import Stored
from mirdl.system.progress import bar

BANDS, FRAME = 40, 0.0232       # at most, and seconds: finer spectrograms are made coarser
RANGE = 100                     # how far below the mean level energies count, about
STEP, PATCH, BITS = 4, 8, 24    # frames between landmarks, landmarks of a key, its bits
SLOW, FAST = 43, 9              # frames: slower changes do not count
FLAT = 0.02                     # deviation, in decades of energy, below which nothing happens
MOST_KEYS = 2**20       # of all songs; of more, every second one counts, or every third ...
NEIGHBOURS = 30                 # equal keys with which each one is compared
VOTES = 3                       # equal keys at one distance in time that make a candidate
FAILURES = 8                    # candidates of a song that may fail before it is given up
MANY = 500                      # songs, which take some seconds
OVERLAP = 86                    # frames, two seconds, that songs must share
REACH = 4                       # frames by which a distance in time may be wrong
ALIKE = 0.78    # correlation: copies have 0.85 and more, other songs of the data sets here 0.64
# Loops of one tempo and the same sounds may have more. So a song that is that much like more than
# CROWD others shares sound only with those with which it correlates by EQUAL
EQUAL, CROWD = 0.95, 2
SURE = 7        # its distance from 0 in deviations: one sneeze is like another


def pairs_sharing(songs: Mapping[str, np.ndarray | Stored], ds: dict) -> list[tuple[str, str]]:
    """Find the songs that share sound.

    Parameters
    ----------
    songs : dict
        Name -> float32, (bands, frames), not compressed.
    ds : dict
        parameters["DS"] that they were made with.

    Returns
    -------
    list of tuple of str
        As many pairs as join the songs to groups; each song shares sound with another one of its
        group.
    """
    names = sorted(songs)
    group, failed, pairs = list(range(len(names))), Counter(), []
    frame = STEP * FRAME / frames_of(ds).seconds
    every = 1 + int(2 * sum(songs[name].shape[1] for name in names) / frame) // MOST_KEYS
    keys, same = [], {}
    for number, name in enumerate(bar(names, len(names) < MANY, desc="shared sound", unit="song")):
        first = same.setdefault(blake2b(np.ascontiguousarray(songs[name])).digest(), number)
        keys.append(_keys(_energies(songs[name], ds), every))
        if first != number:
            pairs.append((names[first], name))
            group[number] = first
    weak = []
    for first, second, distance in _candidates(keys):
        if group[first] == group[second] or max(failed[first], failed[second]) >= FAILURES:
            continue
        found = likeness(*(_energies(songs[names[song]], ds) for song in (first, second)), distance)
        if found >= EQUAL:
            pairs.append((names[first], names[second]))
            group = [group[first] if each == group[second] else each for each in group]
            continue
        failed.update((first, second))
        if found >= ALIKE:
            weak.append((first, second))
    crowd = Counter(song for pair in set(weak) for song in pair)
    for first, second in weak:
        if group[first] != group[second] and max(crowd[first], crowd[second]) <= CROWD:
            pairs.append((names[first], names[second]))
            group = [group[first] if each == group[second] else each for each in group]
    return pairs


def likeness(first: np.ndarray, second: np.ndarray, distance: int) -> float:
    """Compare two songs where they overlap.

    Parameters
    ----------
    first, second : ndarray
        (bands, frames), energies.
    distance : int
        The frame of the first song at which the second one begins, more or less.

    Returns
    -------
    float
        How their slow changes correlate, or the fast ones of the spectrum's shape, whichever is
        less; 0 if too little happens in both.
    """
    start, stop = max(0, distance), min(first.shape[1], distance + second.shape[1])
    if stop - start < OVERLAP:
        return 0
    one, other = (_logarithm(song[:, start - at:stop - at])
                  for song, at in ((first, 0), (second, distance)))
    slow, fast = ([_without_slower(each, frames) for each in (one, other)]
                  for frames in (SLOW, FAST))
    deviation = np.minimum(*(each.std(axis=1) for each in slow))
    heard = deviation > max(FLAT, deviation.max() / 5)      # a copy may lack high bands
    if heard.sum() < len(heard) / 5:
        return 0
    slow, fast = ([each[heard] for each in pair] for pair in (slow, fast))
    fast = [each - each.mean(axis=0) for each in fast]      # without beats, which others have, too
    return max(_least(slow, fast, half) for half in range(-2 * REACH, 2 * REACH + 1))


def _least(slow: list[np.ndarray], fast: list[np.ndarray], half: int) -> float:
    """Give the likeness of songs that are moved by half frames; 0 if a few frames make it up."""
    alike = _correlation(*_shifted(*slow, half))
    if alike < ALIKE:
        return 0
    one, other = _shifted(*fast, half)
    alike = min(alike, _correlation(one, other))
    each = np.abs((one * other).sum(axis=0))
    frames = each.sum()**2 / max(np.square(each).sum(), 1e-30)  # as many as if all counted alike
    return alike if np.arctanh(np.clip(alike, 0, 0.999)) * np.sqrt(frames) >= SURE else 0


def _correlation(one: np.ndarray, other: np.ndarray) -> float:
    return float(_sum(one, other) / (np.sqrt(_sum(one, one) * _sum(other, other)) + 1e-12))


def _sum(one: np.ndarray, other: np.ndarray) -> float:
    # einsum, as the threads of BLAS wait for each other where other programs are at work
    return np.einsum("bf,bf->", one, other)


def _shifted(one: np.ndarray, other: np.ndarray, half: int) -> tuple[np.ndarray, np.ndarray]:
    """Move the second song by half frames against the first; half a frame is a mean of two."""
    if half < 0:
        return _shifted(other, one, -half)[::-1]
    if half % 2:
        one = (one[:, 1:] + one[:, :-1]) / 2
    one = one[:, half // 2:]
    frames = min(one.shape[1], other.shape[1])
    return one[:, :frames], other[:, :frames]


def _candidates(keys: list[tuple[np.ndarray, np.ndarray]]) -> Iterator[tuple[int, int, int]]:
    """Give pairs of songs that have equal keys at one distance in time, those with most first.

    Parameters
    ----------
    keys : list of tuple of ndarray
        Of each song the keys, and at which landmark each is.

    Yields
    ------
    first, second : int
    distance : int
        In frames.
    """
    song = np.repeat(np.arange(len(keys), dtype=np.int32), [len(each) for each, _ in keys])
    key, place = (np.concatenate(each) for each in zip(*keys, strict=True))
    order = np.lexsort((place, key))    # of one key, songs alternate
    song, key, place = song[order], key[order], place[order]
    span = 2 * int(place.max(initial=0)) + 2
    found = []
    for step in range(1, NEIGHBOURS + 1):
        same = np.flatnonzero((key[step:] == key[:-step]) & (song[step:] != song[:-step]))
        one, other = same, same + step
        swap = song[one] > song[other]
        one, other = np.where(swap, other, one), np.where(swap, one, other)
        pair = song[one].astype(np.int64) * len(keys) + song[other]
        found.append(pair * span + place[one] - place[other] + span // 2)
    where, votes = np.unique(np.concatenate(found), return_counts=True)
    # an edge between two landmarks divides the votes
    votes[:-1] += np.where(np.diff(where) == 1, votes[1:], 0)
    where, votes = where[votes >= VOTES], votes[votes >= VOTES]
    for each in where[np.argsort(-votes, kind="stable")]:
        pair, distance = divmod(int(each), span)
        yield *divmod(pair, len(keys)), STEP * (distance - span // 2)


def _keys(energies: np.ndarray, every: int) -> tuple[np.ndarray, np.ndarray]:
    """Give one of so many keys of a song, whichever it is, and the landmark at which each is.

    There are those of all bands, and those of the lower half, as a copy may lack the upper one.
    """
    bands = _logarithm(energies)
    pairs = bands[:len(bands) // 2 * 2].reshape(len(bands) // 2, 2, -1).mean(axis=1)
    slow = _without_slower(_mean_over(_mean_over(pairs, STEP), STEP), SLOW)[:, ::STEP]
    keys, places = [np.empty(0, np.int32)], [np.empty(0, np.int32)]
    parts = (slow, slow[:(len(slow) + 1) // 2]) if slow.shape[1] >= PATCH else ()
    for number, part in enumerate(parts):
        patches = np.lib.stride_tricks.sliding_window_view(part, PATCH, axis=1)
        patches = patches.transpose(1, 0, 2).reshape(patches.shape[1], -1)
        there = np.flatnonzero(patches.std(axis=1) > FLAT)
        drawn = np.random.RandomState(number).standard_normal((patches.shape[1], BITS))
        signs = np.einsum("ln,nb->lb", patches[there], drawn.astype(np.float32)) > 0
        found = signs @ (1 << np.arange(BITS, dtype=np.int32))
        kept = found % every == 0
        keys.append(2 * found[kept] + number)
        places.append(there[kept].astype(np.int32))
    return np.concatenate(keys), np.concatenate(places)


def _energies(song: np.ndarray | Stored, ds: dict) -> np.ndarray:
    """Give the energies of a spectrogram in at most `BANDS` bands, in frames of about `FRAME`."""
    energies = np.asarray(song)
    if ds["specTransform"] == MAGNITUDES:
        energies = np.square(energies)
    elif ds["specTransform"] == MUSICNN_MEL:
        energies = np.expm1(energies * np.float32(np.log(10)))
    bands = -(-len(energies) // BANDS)
    frames = max(1, round(FRAME / frames_of(ds).seconds))
    if bands == frames == 1:
        return energies
    energies = np.add.reduceat(energies, np.arange(0, len(energies), bands), axis=0)
    count = energies.shape[1] // frames
    return energies[:, :count * frames].reshape(len(energies), count, frames).sum(axis=2)


def _logarithm(energies: np.ndarray) -> np.ndarray:
    """Give the logarithm of energies, whatever their level."""
    return np.log10(1 + RANGE / max(energies.mean(dtype=np.float64), 1e-30) * energies)


def _without_slower(bands: np.ndarray, frames: int) -> np.ndarray:
    """Subtract from each frame the mean of so many frames around it."""
    return bands - _mean_over(bands, frames)


def _mean_over(bands: np.ndarray, frames: int) -> np.ndarray:
    padded = np.pad(bands, ((0, 0), (frames // 2 + 1, (frames - 1) // 2)), "edge")
    sums = np.cumsum(padded, axis=1, dtype=np.float64)
    return ((sums[:, frames:] - sums[:, :-frames]) / frames).astype(np.float32)
