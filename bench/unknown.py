"""Which distances tell songs unlike those of a run, and at which price.

python bench/unknown.py NAME [NAME ...] [others=GrooveStyles,ESC10,DanceLoops] [songs=60]
                        [seconds=10] [seed=1]
NAME is a run of data/results whose data set is in data/datasets. For each distance, and for all of
them as a run joins them: the share of the run's own test songs that are lost, and for each kind of
foreign sound the share that is rejected, the mean over the folds. A threshold is passed by 2 % of
the test songs; for what is lost, those of each fold are judged by the threshold of all other folds.

Foreign are sounds that are made here, twenty of each kind, with peaks from -20 to -0.5 dB, and
songs of the other data sets, drawn at random; those that are shorter than `seconds` are repeated.
The seed says which. The first four kinds were looked at while the distances were chosen, the next
six were seen with them, and those from crickets on were not looked at before.
"""

import os
import sys
import tempfile
from functools import partial

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import numpy as np
import soundfile
from scipy import signal

import loadDatasets
from mirdl.songs.audio_files import folder_of, in_folders
from mirdl.songs.splits import split
from mirdl.tagging.likeness import LEAST, Likeness, Songs
from predict import Tagger

RATE, SECONDS, COUNT = 44100, 10, 20
TIME = np.arange(RATE * SECONDS) / RATE


def log_uniform(rng, low, high):
    """Draw a number whose logarithm is uniform."""
    return np.exp(rng.uniform(np.log(low), np.log(high)))


def sines(rng):
    """Add one to three sines."""
    return sum(np.sin(2 * np.pi * log_uniform(rng, 60, 10000) * TIME)
               for _ in range(rng.randint(1, 4)))


def clicks(rng):
    """Repeat a click of 1 to 40 samples, 1 to 20 times a second."""
    sound = np.zeros(len(TIME))
    sound[::int(RATE * log_uniform(rng, 0.05, 1))] = 1
    return np.convolve(sound, np.ones(rng.randint(1, 41)))[:len(TIME)]


def noise(rng):
    """Make noise: white, pink or brown."""
    spectrum = np.fft.rfft(rng.standard_normal(len(TIME)))
    return np.fft.irfft(spectrum / np.arange(1, len(spectrum) + 1) ** rng.choice([0, 0.5, 1]))


def sweeps(rng):
    """Repeat a sweep between two frequencies, up or down."""
    low, high = np.sort([log_uniform(rng, 50, 15000) for _ in range(2)])
    times = np.arange(int(rng.choice([1, 2, 5, 10]) * RATE)) / RATE
    sweep = signal.chirp(times, low, times[-1], high, "logarithmic")
    return np.resize(sweep[::rng.choice([-1, 1])], len(TIME))


def square(rng):
    """Make a square wave."""
    return signal.square(2 * np.pi * log_uniform(rng, 50, 4000) * TIME)


def constant(rng):
    """Make DC."""
    return np.ones(len(TIME))


def voice(rng):
    """String vowels, whispers and pauses together: two formants on a sawtooth or on noise."""
    parts, pitch = [], rng.uniform(90, 250)
    while sum(map(len, parts)) < len(TIME):
        times = np.arange(int(RATE * rng.uniform(0.08, 0.3))) / RATE
        source = signal.sawtooth(2 * np.pi * pitch * rng.uniform(0.85, 1.2) * times)
        if rng.uniform() < 0.25:
            source = rng.standard_normal(len(times))
        for formant in rng.uniform(250, 850), rng.uniform(850, 2400):
            source = source + 8 * signal.lfilter(*signal.iirpeak(formant, formant / 100, RATE),
                                                 source)
        parts += [source * np.hanning(len(times)), np.zeros(int(RATE * rng.choice([0, 0.05, 0.3])))]
    return np.concatenate(parts)[:len(TIME)]


def plucked(rng):
    """Play a melody on one instrument: harmonics that fade."""
    times, sound = TIME[:RATE], np.zeros(len(TIME) + RATE)
    for start in range(0, len(TIME), int(RATE * rng.choice([0.25, 0.33, 0.5]))):
        pitch = 110 * 2 ** (rng.choice([0, 2, 4, 7, 9, 12, 14, 16]) / 12)
        sound[start:start + RATE] += sum(
            np.sin(2 * np.pi * pitch * number * times) * np.exp(-times * (2 + number)) / number
            for number in range(1, 9))
    return sound[:len(TIME)]


def beeps(rng):
    """Switch a sine on and off."""
    return np.sin(2 * np.pi * rng.uniform(400, 4000) * TIME) * (TIME % rng.uniform(0.2, 1) < 0.1)


def crickets(rng):
    """Chirp in bursts, a few animals at a time."""
    sound = np.zeros(len(TIME))
    for _ in range(rng.randint(1, 6)):
        pitch, rate = rng.uniform(3000, 6000), rng.uniform(1, 4)
        burst = (TIME * rate + rng.uniform()) % 1 < 0.4
        sound += rng.uniform(0.2, 1) * burst * np.sin(2 * np.pi * pitch * TIME) * (
            np.sin(2 * np.pi * rng.uniform(25, 60) * TIME) > 0)
    return sound


def siren(rng):
    """Glide up and down, with harmonics."""
    pitch = rng.uniform(500, 900) * 2 ** (0.5 * np.sin(2 * np.pi * rng.uniform(0.2, 3) * TIME))
    phase = 2 * np.pi * np.cumsum(pitch) / RATE
    return sum(np.sin(number * phase) / number for number in range(1, 6))


def chords(rng):
    """Play a pad: chords of sawtooths through a low-pass filter, each for one to three seconds."""
    parts = []
    while sum(map(len, parts)) < len(TIME):
        times = np.arange(int(RATE * rng.uniform(1, 3))) / RATE
        root = 110 * 2 ** (rng.randint(12) / 12)
        chord = sum(signal.sawtooth(2 * np.pi * root * 2 ** (step / 12) * times)
                    for step in (0, rng.choice([3, 4]), 7, rng.choice([10, 11, 12])))
        parts.append(chord * np.minimum(1, times * 5) * np.minimum(1, (times[-1] - times) * 5))
    return signal.lfilter(*signal.butter(2, 1500, fs=RATE), np.concatenate(parts)[:len(TIME)])


def motor(rng):
    """Run an engine: a pulse train that wobbles, and some noise."""
    speed = rng.uniform(20, 90) * (1 + 0.1 * np.sin(2 * np.pi * rng.uniform(0.1, 1) * TIME))
    pulses = np.diff(np.floor(np.cumsum(speed) / RATE), prepend=0)
    body = signal.lfilter(*signal.iirpeak(rng.uniform(100, 400), 2, RATE), pulses)
    return body + rng.uniform(0, 0.05) * rng.standard_normal(len(TIME))


KINDS = {"silence": lambda rng: np.zeros(len(TIME)), "sines": sines, "clicks": clicks,
         "noise": noise, "sweeps": sweeps, "square waves": square, "DC": constant, "voice": voice,
         "one instrument": plucked, "beeps": beeps, "crickets": crickets, "siren": siren,
         "chords": chords, "motor": motor}
DISTANCES = "texture, nearest class", "texture, pieced together", "musicnn, nearest song"


def foreign(others, own, count, seconds, seed, folder):
    """Write foreign sounds; give the paths by kind."""
    paths = {}
    for kind, make in KINDS.items():
        for number in range(COUNT):
            rng = np.random.RandomState([seed, number, len(paths)])
            sound = make(rng)
            sound = sound / max(np.abs(sound).max(), 1e-9) * 10 ** rng.uniform(-1, -0.025)
            path = os.path.join(folder, f"{kind} {number}.wav")
            soundfile.write(path, sound * bool(kind != "silence"), RATE)
            paths.setdefault(kind, []).append(path)
    for other in others:
        songs = [path for _, path in sorted(in_folders(folder_of(other)).paths.items())]
        for place in drawn(len(songs), count, seed) if other != own else []:
            sound, rate = soundfile.read(songs[place])
            path = os.path.join(folder, f"{other} {place}.wav")
            times = -(-seconds * rate // len(sound))
            soundfile.write(path, np.concatenate([sound] * times), rate)
            paths.setdefault(other, []).append(path)
    reversed_ = [path for _, path in sorted(in_folders(folder_of(own)).paths.items())]
    for place in drawn(len(reversed_), COUNT, seed):
        sound, rate = soundfile.read(reversed_[place])
        path = os.path.join(folder, f"reversed {place}.wav")
        soundfile.write(path, sound[::-1], rate)
        paths.setdefault("own, reversed", []).append(path)
    return paths


def drawn(songs, count, seed):
    """Draw places of songs."""
    return np.random.RandomState(seed).permutation(songs)[:count]


class Noted:
    """Stands in the place of a Likeness, and notes what the tagger gives it."""

    def __init__(self, windows):
        self.windows, self.songs = windows, []

    def of(self, song):
        """Note one song."""
        self.songs.append(song)
        return 1.0


def features_of(tagger, paths):
    """Give what the tagger compares of songs."""
    tagger.likeness = Noted(tagger.likeness.windows)
    for answer in tagger.tag_all(paths):
        if answer.problem:
            raise SystemExit(f"{answer.song} {answer.problem}")
    return tagger.likeness.songs


def table(name, others, count, seconds, seed):
    """Print the table of a run."""
    tagger = Tagger(name, ensemble=False)
    parameters, windows = tagger.parameters, tagger.likeness.windows
    dataset = loadDatasets.load_dataset(parameters)
    features, pieced = loadDatasets.featuresOf(dataset, parameters)
    with tempfile.TemporaryDirectory() as folder:
        paths = foreign(others, parameters["DS"]["dataset"], count, seconds, seed, folder)
        kinds = {kind: features_of(tagger, each) for kind, each in paths.items()}
    own, rejected = [], []
    for fold in range(parameters["folds"]):
        test = split(dataset, fold, parameters).test
        others = np.setdiff1d(np.arange(len(features)), test)
        songs = Songs.of([features[song] for song in others], dataset.labels[others],
                         pieced(others))
        own.append(np.array([songs.distances(features[song]) for song in test]))
        rejected.append({kind: np.array([songs.distances(song) for song in each])
                         for kind, each in kinds.items()})
    print(f"\n{name}: {len(features)} songs\n\n| distance | own lost | {' | '.join(kinds)} |\n"
          f"{'| --- ' * (len(kinds) + 2)}|")
    for place in range(own[0].shape[1]):
        show(DISTANCES[place], own, rejected, partial(beyond, place))
    show("as kept", own, rejected, partial(unlike, windows))


def beyond(place, folds):
    """Give the function that tells which songs pass the threshold of one distance."""
    threshold = np.quantile(np.concatenate(folds)[:, place], 1 - LEAST, method="higher")
    return lambda songs: songs[:, place] > threshold


def unlike(windows, folds):
    """Give the function that tells which songs are rejected by all distances, as a run does it."""
    likeness = Likeness(Songs(None, windows or None), np.concatenate(folds))
    return lambda songs: np.array([likeness.of_distances(song) < LEAST for song in songs])


def show(distance, own, foreign_songs, judge_of):
    """Print a row; `judge_of` makes the judge of songs from the distances of folds."""
    lost = sum(judge_of(own[:fold] + own[fold + 1:])(songs).sum() for fold, songs in enumerate(own))
    judge = judge_of(own)
    shares = [np.mean([judge(fold[kind]).mean() for fold in foreign_songs])
              for kind in foreign_songs[0]]
    print(row(distance, lost / sum(map(len, own)), shares), flush=True)


def row(score, lost, shares):
    """Write a row, in %."""
    return f"| {score} | {100 * lost:.1f} | {' | '.join(f'{100 * each:.0f}' for each in shares)} |"


def main(*arguments):
    """Print a table for each run."""
    options = dict(each.split("=") for each in arguments if "=" in each)
    others = options.get("others", "GrooveStyles,ESC10,DanceLoops").split(",")
    for name in (each for each in arguments if "=" not in each):
        table(name, others, *(int(options.get(key, default)) for key, default in (
            ("songs", 60), ("seconds", SECONDS), ("seed", 1))))


if __name__ == "__main__":
    main(*sys.argv[1:])
