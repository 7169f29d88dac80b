#!/usr/bin/env python3
"""MiniRhythm: a small synthetic rhythm-classification data set.

    python tests/support/makeMiniRhythm.py OUT               writes OUT/MiniRhythm/CLASS/CLIP.wav
    python tests/support/makeMiniRhythm.py OUT --write SUMS  also writes the sha256 of each clip
    python tests/support/makeMiniRhythm.py OUT --check SUMS  also compares them with those in SUMS

4 classes of 10 clips: 44.1 kHz, 16 bit, mono, 30 s. The classes differ in tempo and meter, and
slightly in the mix of sounds. Phase, exact tempo, pitch, brightness, loudness and noise level are
drawn for each clip.

The clips are the same to the bit on every machine. Random numbers are integers from NumPy's
RandomState, whose stream is frozen. Sounds are built from a few calls of math.sin and math.exp,
rounded to a grid of 2**-15; all mixing after that is in integers.
"""

import argparse
import hashlib
import json
import math
import os
import sys
import wave

import numpy as np

SR = 44100
SECONDS = 30
CLIPS = 10
# name -> (lowest bpm, highest bpm, ticks in a bar, ticks in a beat, pattern)
# A pattern maps a voice to {tick in the bar: level 0 .. 100}.
CLASSES = {
    "disco": (123, 131, 8, 2, {
        "kick": {0: 100, 2: 95, 4: 100, 6: 95},
        "snare": {2: 70, 6: 70},
        "hat": {1: 90, 3: 90, 5: 90, 7: 90}}),
    "waltz": (84, 92, 6, 2, {
        "kick": {0: 100},
        "snare": {2: 85, 4: 80},
        "hat": {0: 30, 5: 25}}),
    "viennese": (170, 182, 6, 2, {
        "kick": {0: 100},
        "snare": {2: 80, 4: 75},
        "hat": {0: 25, 3: 15}}),
    "samba": (99, 107, 8, 4, {
        "kick": {0: 55, 4: 100, 7: 40},
        "snare": {0: 35, 3: 60, 6: 60},
        "hat": {0: 80, 1: 45, 2: 60, 3: 75, 4: 80, 5: 45, 6: 60, 7: 75}}),
}


def quantise(values):
    """Round to a grid of 2**-15."""
    return np.array([int(math.floor(v * 32768.0 + 0.5)) for v in values], dtype=np.int64)


def decay(n, seconds):
    """Return n samples of an exponential decay, on the grid."""
    return quantise(math.exp(-i / (seconds * SR)) for i in range(n))


def kick(rng):
    f = int(rng.randint(45, 90))
    n = SR * int(rng.randint(12, 22)) // 100
    env = decay(n, int(rng.randint(40, 80)) / 1000.0)
    tone = quantise(math.sin(2 * math.pi * (f * i / SR + 0.35 * (1 - math.exp(-i / 900.0))))
                    for i in range(n))
    return (tone * env) >> 15


def noise(rng, n):
    return rng.randint(-32768, 32768, size=n).astype(np.int64)


def moving_sum(x, k):
    """Return the mean of k samples, a crude low pass, in integers and of the same length."""
    c = np.concatenate([np.zeros(1, np.int64), np.cumsum(x)])
    y = c[k:] - c[:-k]
    return np.concatenate([y, np.zeros(len(x) - len(y), np.int64)]) // k


def snare(rng):
    n = SR * int(rng.randint(9, 16)) // 100
    f = int(rng.randint(160, 260))
    env = decay(n, int(rng.randint(20, 45)) / 1000.0)
    body = quantise(math.sin(2 * math.pi * f * i / SR) for i in range(n))
    hiss = moving_sum(noise(rng, n), int(rng.randint(2, 7))) * 2
    return ((body // 2 + hiss) * env) >> 15


def hat(rng):
    n = SR * int(rng.randint(4, 9)) // 100
    env = decay(n, int(rng.randint(6, 18)) / 1000.0)
    x = noise(rng, n + 1)
    bright = x[1:] - x[:-1]     # a high pass
    return (bright * env) >> 16


def clip(class_index, clip_index):
    """Return the samples of a clip, int16; they depend only on its two indices."""
    rng = np.random.RandomState(20170300 + 1000 * class_index + clip_index)
    name = list(CLASSES)[class_index]
    lo, hi, bar, per_beat, pattern = CLASSES[name]
    millibpm = int(rng.randint(lo * 1000, hi * 1000 + 1))
    n = SR * SECONDS
    tick_num, tick_den = SR * 60 * 1000, millibpm * per_beat    # samples in a tick: num / den
    phase = int(rng.randint(0, bar * tick_num // tick_den))
    voices = {"kick": kick(rng), "snare": snare(rng), "hat": hat(rng)}
    gains = {v: int(rng.randint(55, 100)) for v in ("kick", "snare", "hat")}
    gains["hat"] = gains["hat"] * 45 // 100
    mix = np.zeros(n + SR, dtype=np.int64)
    t = 0
    while True:
        at = t * tick_num // tick_den - phase + int(rng.randint(-90, 91))   # up to 2 ms of jitter
        if at >= n:
            break
        for v in ("kick", "snare", "hat"):
            level = pattern[v].get(t % bar, 0)
            level = level * int(rng.randint(80, 101)) // 100
            keep = int(rng.randint(0, 100)) >= 6        # 6 % of the strokes are left out
            if level and keep and at >= 0:
                s = voices[v]
                mix[at:at + len(s)] += s * (level * gains[v]) // 10000
        t += 1
    mix = mix[:n]
    floor = int(rng.randint(20, 120))
    mix = mix + (noise(rng, n) * floor) // 32768        # background noise
    peak = int(np.abs(mix).max())
    target = int(rng.randint(9000, 29000))
    return ((mix * target) // peak).astype(np.int16)


def write_wav(path, samples, rate=SR, channels=1):
    with wave.open(os.fspath(path), "wb") as f:
        f.setnchannels(channels)
        f.setsampwidth(2)
        f.setframerate(rate)
        f.writeframes(samples.astype("<i2").tobytes())


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.sha256(f.read()).hexdigest()


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", metavar="OUT")
    parser.add_argument("--check", metavar="SUMS", help="exit with status 1 if any differs")
    parser.add_argument("--write", metavar="SUMS")
    options = parser.parse_args()
    sums = {}
    for class_index, name in enumerate(CLASSES):
        folder = os.path.join(options.out, "MiniRhythm", name)
        os.makedirs(folder, exist_ok=True)
        for clip_index in range(CLIPS):
            file = f"{name}_{clip_index:02d}.wav"
            path = os.path.join(folder, file)
            write_wav(path, clip(class_index, clip_index))
            sums[f"{name}/{file}"] = sha256(path)
    if options.write:
        with open(options.write, "w") as f:
            json.dump(sums, f, indent=1, sort_keys=True)
    if options.check:
        with open(options.check) as f:
            expected = json.load(f)
        wrong = sorted(file for file in set(expected) | set(sums)
                       if expected.get(file) != sums.get(file))
        print(f"{len(sums)} files, {len(wrong)} differ")
        for file in wrong:
            print("  differs:", file)
        sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
