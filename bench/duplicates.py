"""Songs that share sound: 40 planted copies among 100 songs, beside Essentia's Chromaprinter.

    python bench/duplicates.py [SEED ...]       seeds 1 and 2 if none is given

The 60 others are songs of data/datasets/GrooveStyles and DanceLoops, as far as these are there. Of
40 of them a copy is written: mp3 of 64 and 128 kbit/s, Ogg Vorbis, 22.05 kHz, at gain 0.3, or
without its first 5 s. Last, 1,000 songs of 30 s are made of the same spectrograms, stretched and
moved to other bands, and timed.
"""

import base64
import os
import sys
import tempfile
import time
from collections import Counter
from itertools import combinations
from pathlib import Path

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import measure
import numpy as np
import samplerate
import soundfile

from mirdl import settings
from mirdl.songs import shared_sound
from mirdl.spectrograms.decoding import spectrogram_of
from mirdl.spectrograms.fingerprints import pairs_sharing
from mirdl.system.pool import in_parallel

DATASETS = Path("data/datasets")
SONGS, COPIES, LEAST = 60, 40, 12   # seconds that a song has at least
KINDS = "mp3 64", "mp3 128", "ogg", "22.05 kHz", "gain 0.3", "5 s cut"
# Bits that may differ at the best distance in time, of the overlap of two chromaprints.
ERRORS, SECONDS = (0.15, 0.25, 0.35), 0.1238
DS = settings.check(settings.published())["DS"]


def write(path, samples, rate, kind=""):
    """Write a song, or a copy of it: give the path."""
    name, _, value = kind.partition(" ")
    if name == "mp3":
        path += ".mp3"
        soundfile.write(path, samples, rate, format="MP3", bitrate_mode="CONSTANT",
                        compression_level=(320 - int(value)) / 288)
    elif name == "ogg":
        path += ".ogg"
        soundfile.write(path, samples, rate, format="OGG", subtype="VORBIS")
    else:
        path += ".wav"
        if name == "22.05":
            samples, rate = samplerate.resample(samples, 22050 / rate, "sinc_medium"), 22050
        elif name == "gain":
            samples = 0.3 * samples
        elif name == "5":
            samples = samples[5 * rate:]
        soundfile.write(path, samples, rate)
    return path


def plant(folder, seed):
    """Write 100 songs: give name -> path, and the name of each copy -> its kind."""
    rng = np.random.RandomState(seed)
    there = sorted(path for name in ("DanceLoops", "GrooveStyles")
                   for path in DATASETS.glob(f"{name}/*/*.[ow][ga][gv]")
                   if soundfile.info(path).duration >= LEAST)
    paths, kinds = {}, {}
    for number, song in enumerate(rng.permutation(len(there))[:SONGS]):
        samples, rate = soundfile.read(there[song], dtype="float32")
        paths[f"{number:02}"] = write(f"{folder}/{number:02}", samples, rate)
        if number < COPIES:
            kind = kinds[f"{number:02} copy"] = KINDS[number % len(KINDS)]
            paths[f"{number:02} copy"] = write(f"{folder}/{number:02} copy", samples, rate, kind)
    return paths, kinds


def spectrograms(paths):
    """Compute the published spectrograms."""
    found = in_parallel(spectrogram_of, [(path, DS) for path in paths.values()], "songs", "song")
    return {name: song for name, (song, _) in zip(paths, found, strict=True)}


def by_this_program(songs):
    """Give the pairs of songs in one group."""
    groups = shared_sound.groups_of(list(songs), pairs_sharing(songs, DS))
    return {pair for group in groups for pair in combinations(group, 2)}


def chromaprint(path):
    """Compute a chromaprint of Essentia's, and unpack it: uint32, (items,)."""
    import essentia.standard as standard
    text = standard.Chromaprinter(maxLength=0)(standard.MonoLoader(filename=path)())
    content = np.frombuffer(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), np.uint8)
    count = int.from_bytes(content[1:4].tobytes(), "big")
    bits = np.unpackbits(content[4:], bitorder="little")
    # 3 bits for the step to the next bit that differs from the item before, 0 ends an item
    threes = bits[:len(bits) // 3 * 3].reshape(-1, 3) @ (1, 2, 4)
    end = np.flatnonzero(threes == 0)[count - 1] + 1
    steps = threes[:end]
    rest = bits[-(-3 * end // 8) * 8:]      # 5 bits for what a step of 7 is short of
    fives = iter(rest[:len(rest) // 5 * 5].reshape(-1, 5) @ (1, 2, 4, 8, 16))
    items, item, place = [], 0, 0
    for step in steps:
        if step == 0:
            items.append(item ^ (items[-1] if items else 0))
            item = place = 0
            continue
        place += step + (next(fives) if step == 7 else 0)
        item |= 1 << int(place - 1)
    return np.array(items, np.uint32)


def fewest_errors(one, other):
    """Give the share of bits that differ, at the distance in time at which it is least."""
    least, shortest = 1.0, int(5 / SECONDS)
    for distance in range(shortest - len(other), len(one) - shortest + 1):
        first, second = one[max(0, distance):], other[max(0, -distance):]
        length = min(len(first), len(second))
        wrong = np.bitwise_count(first[:length] ^ second[:length]).sum() / (32 * length)
        least = min(least, wrong)
    return least


def row(name, pairs, kinds, seconds):
    """Print what was found of each kind, and how many pairs are no copies."""
    true = {(copy.split()[0], copy): kind for copy, kind in kinds.items()}
    found = Counter(kind for pair, kind in true.items() if pair in pairs)
    there = Counter(kinds.values())
    each = " | ".join(f"{found[kind]} of {there[kind]}" for kind in KINDS)
    print(f"| {name} | {each} | {found.total()} | {len(pairs - true.keys())} | {seconds:.1f} |",
          flush=True)


def copies(seed):
    """Print the rows of a seed."""
    with tempfile.TemporaryDirectory() as folder:
        paths, kinds = plant(folder, seed)
        songs = spectrograms(paths)
        start = time.perf_counter()
        pairs = by_this_program(songs)
        row(f"seed {seed}: this program", pairs, kinds, time.perf_counter() - start)
        start = time.perf_counter()
        prints = {name: chromaprint(path) for name, path in paths.items()}
        errors = {pair: fewest_errors(*(prints[name] for name in pair))
                  for pair in combinations(sorted(prints), 2)}
        seconds = time.perf_counter() - start
        for most in ERRORS:
            pairs = {pair for pair, wrong in errors.items() if wrong <= most}
            row(f"Chromaprinter, {most:.0%} of bits", pairs, kinds, seconds)
    return songs


def many(songs, count=1000, frames=1293):
    """Print how long it takes to look for shared sound in so many songs of 30 s."""
    rng, made = np.random.RandomState(0), {}
    songs = list(songs.values())
    for number in range(count):
        song = songs[rng.randint(len(songs))]
        where = np.arange(frames) * rng.uniform(0.8, 1.25) + rng.uniform(0, song.shape[1])
        moved = np.roll(song, rng.randint(6), axis=0)
        made[f"{number:04}"] = np.ascontiguousarray(moved[:, where.astype(int) % song.shape[1]])
    start, used = time.perf_counter(), time.process_time()
    pairs = pairs_sharing(made, DS)
    print(f"\n{count} songs of 30 s: {time.perf_counter() - start:.1f} s, "
          f"{time.process_time() - used:.1f} s of processors; {len(pairs)} pairs")


if __name__ == "__main__":
    print(measure.machine())
    print(f"\n| | {' | '.join(KINDS)} | found | false pairs | s |\n|{' --- |' * (len(KINDS) + 4)}")
    for seed in map(int, sys.argv[1:] or (1, 2)):
        songs = copies(seed)
    many(songs)
