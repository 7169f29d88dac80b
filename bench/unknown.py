"""Which score tells songs unlike those of a run, and at which price.

python bench/unknown.py NAME [NAME ...] [others=GrooveStyles,ESC10,DanceLoops] [songs=60]
NAME is a run of data/results whose data set is in data/datasets. For each score and each kind of
foreign sound: the share of sounds that are rejected, the mean over the models of the folds; and the
share of the run's own test songs that are lost. A score's threshold is passed by 2 % of the test
songs; for what is lost, those of each fold are judged by the threshold of all other folds.

Foreign are sounds that are made here, twenty of each kind, of 10 s, with peaks from -20 to -0.5
dB, and songs of the other data sets, spread evenly over each; those shorter than 10 s are repeated.
The first four kinds were looked at while scores were chosen, the others were not.
"""

import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import numpy as np
import soundfile
from scipy import signal
from scipy.special import logsumexp, softmax

from mirdl.results.beside import fold_in
from mirdl.results.calibration import tempered
from mirdl.songs.audio_files import folder_of, in_folders
from mirdl.tagging.likeness import LEAST, Classes, Known, Likeness
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


KINDS = {"silence": lambda rng: np.zeros(len(TIME)), "sines": sines, "clicks": clicks,
         "noise": noise, "sweeps": sweeps, "square waves": square, "DC": constant, "voice": voice,
         "one instrument": plucked, "beeps": beeps}


def foreign(others, own, count, folder):
    """Write foreign sounds; give the paths by kind."""
    paths = {}
    for kind, make in KINDS.items():
        for number in range(COUNT):
            rng = np.random.RandomState([number, len(paths)])
            sound = make(rng)
            sound = sound / max(np.abs(sound).max(), 1e-9) * 10 ** rng.uniform(-1, -0.025)
            path = os.path.join(folder, f"{kind} {number}.wav")
            soundfile.write(path, sound * bool(kind != "silence"), RATE)
            paths.setdefault(kind, []).append(path)
    for other in others:
        songs = [path for _, path in sorted(in_folders(folder_of(other)).paths.items())]
        for place in np.linspace(0, len(songs) - 1, count).astype(int) if other != own else []:
            sound, rate = soundfile.read(songs[place])
            path = os.path.join(folder, f"{other} {place}.wav")
            times = -(-SECONDS * rate // len(sound))
            soundfile.write(path, np.concatenate([sound] * times), rate)
            paths.setdefault(other, []).append(path)
    reversed_ = [path for _, path in sorted(in_folders(folder_of(own)).paths.items())]
    for place in np.linspace(0, len(reversed_) - 1, COUNT).astype(int):
        sound, rate = soundfile.read(reversed_[place])
        path = os.path.join(folder, f"reversed {place}.wav")
        soundfile.write(path, sound[::-1], rate)
        paths.setdefault("own, reversed", []).append(path)
    return paths


class Noted:
    """Stands in the place of a Likeness, and notes what the tagger gives it."""

    def __init__(self):
        self.songs = []

    def of(self, texture, entering):
        """Note one song."""
        self.songs.append((texture, entering))
        return 1.0


def seen(tagger, paths):
    """Give (texture, what enters the output layer by fold) of songs."""
    tagger.likeness = Noted()
    for answer in tagger.tag_all(paths):
        if answer.problem:
            raise SystemExit(f"{answer.song} {answer.problem}")
    return tagger.likeness.songs


def scores_of(model, temperature, songs, train, labels):
    """Give the functions of a song that are compared, each larger the less a song is like others.

    `songs` are those of the run, `train` the places of those that the fold does not test.
    """
    fold, (weights, offsets) = fold_in(model), model.weights[-2:]
    entering = np.array([songs[place][1][fold] for place in train])
    textures = Classes.of(np.array([songs[place][0] for place in train]), labels)
    nearest, of_classes = Known.of(entering), Classes.of(entering, labels)

    def outputs(song):
        return song[1][fold] @ weights + offsets
    return {
        "largest probability": lambda song: -tempered(softmax(outputs(song)), temperature).max(),
        "energy": lambda song: -logsumexp(outputs(song) / (temperature or 1)),
        "what enters the output layer, classes": lambda song: of_classes.distance(song[1][fold]),
        "what enters the output layer, nearest": lambda song: nearest.distance(song[1][fold]),
        "mean and deviation of bands": band_distance(songs, train, labels),
        "texture, classes": lambda song: textures.distance(song[0]),
    }


def band_distance(songs, train, labels):
    """Give the distance by the first numbers of a texture: mean and deviation of each band."""
    count = 80
    classes = Classes.of(np.array([songs[place][0][:count] for place in train]), labels)
    return lambda song: np.inf if song[0] is None else classes.distance(song[0][:count])


def table(name, others, count):
    """Print the table of a run."""
    tagger = Tagger(name, ensemble=True)
    own = tagger.parameters["DS"]["dataset"]
    found = in_folders(folder_of(own))
    names = sorted(set().union(*(model.info.test_songs for model in tagger.models)))
    songs = seen(tagger, [found.paths[song] for song in names])
    labels = np.array([tagger.classes.index(found.tags[song]) for song in names])
    with tempfile.TemporaryDirectory() as folder:
        kinds = {kind: seen(tagger, paths)
                 for kind, paths in foreign(others, own, count, folder).items()}
    places = {song: place for place, song in enumerate(names)}
    own_scores, foreign_scores = {}, {}
    for model in tagger.models:
        test = [places[song] for song in model.info.test_songs]
        train = np.setdiff1d(np.arange(len(names)), test)
        for score, of in scores_of(model, tagger.temperature, songs, train,
                                   labels[train]).items():
            own_scores.setdefault(score, []).append([of(songs[place]) for place in test])
            foreign_scores.setdefault(score, []).append(
                {kind: [of(song) for song in each] for kind, each in kinds.items()})
    both = "texture, classes", "what enters the output layer, nearest"
    pairs = [np.transpose(each) for each in zip(*(own_scores[score] for score in both),
                                                strict=True)]
    print(f"\n{name}: {len(names)} songs\n\n| score | own lost | "
          f"{' | '.join(kinds)} |\n{'| --- ' * (len(kinds) + 2)}|")
    for score, own_each in own_scores.items():
        lost = sum(np.sum(each > threshold(own_each[:fold] + own_each[fold + 1:]))
                   for fold, each in enumerate(own_each))
        line = [np.mean([np.array(each[kind]) > threshold(own_each)
                         for each in foreign_scores[score]]) for kind in kinds]
        print(row(score, lost / len(names), line), flush=True)
    lost = sum(np.sum([likeness(pair) < LEAST for pair in each]) for each, likeness in
               ((each, judge(pairs[:fold] + pairs[fold + 1:])) for fold, each in enumerate(pairs)))
    likeness = judge(pairs)
    line = [np.mean([likeness(pair) < LEAST for first, second in zip(
        *(foreign_scores[score] for score in both), strict=True)
        for pair in zip(first[kind], second[kind], strict=True)]) for kind in kinds]
    print(row("texture and nearest, as kept", lost / len(names), line), flush=True)


def judge(pairs):
    """Give the likeness of a pair of distances, among pairs by fold."""
    likeness = Likeness(None, {}, np.concatenate(pairs))
    return lambda pair: likeness.of_distances(np.array(pair))


def threshold(folds):
    """Give what 2 % of the songs pass."""
    return np.quantile(np.concatenate(folds), 1 - LEAST, method="higher")


def row(score, lost, shares):
    """Write a row, in %."""
    return f"| {score} | {100 * lost:.1f} | {' | '.join(f'{100 * each:.0f}' for each in shares)} |"


def main(*arguments):
    """Print a table for each run."""
    options = dict(each.split("=") for each in arguments if "=" in each)
    others = options.get("others", "GrooveStyles,ESC10,DanceLoops").split(",")
    for name in (each for each in arguments if "=" not in each):
        table(name, others, int(options.get("songs", 60)))


if __name__ == "__main__":
    main(*sys.argv[1:])
