"""DanceLoops: the eight ballroom styles as synthetic loops that differ only in their rhythm.

    python data/makeDanceLoops.py [OUT]            writes OUT/DanceLoops/TAG/*.wav
                                                   (OUT: data/datasets)
    python data/makeDanceLoops.py [OUT] --check    compares them with data/DanceLoops.sha256
    python data/makeDanceLoops.py [OUT] --like Ballroom    writes OUT/BallroomLoops: 698 clips of
                                                   30 s, as many of each style as Ballroom has

A style is a tempo range, a meter and the rhythms in STYLES. Everything else (sounds, which sound
plays which rhythm, chords, levels, spectrum, room, noise, length) is drawn for each clip from a
pool that the styles share. So a clip's rhythm reveals its tag, and its spectrum does not.

The wavs are the same bytes on every machine: all arithmetic is in integers, and the random numbers
are integers from NumPy's RandomState, whose stream is frozen (NEP 19). Amplitudes and envelopes are
fixed-point with ONE for 1.0, frequencies are in mHz, tempi in thousandths of a beat per minute.
"""

import argparse
import hashlib
import os
import sys
import wave
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.random import RandomState

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))     # for mirdl, in a script

from mirdl.errors import UserError, exit_on_user_error
from mirdl.system.pool import in_parallel
from mirdl.system.whole_files import cannot_write, make_folder, remove_leftovers, whole

HERE = Path(__file__).resolve().parent
SUMS = HERE / "DanceLoops.sha256"   # made by `sha256sum */*.wav` in the data set's folder
RATE = 44100                        # Hz
BARS = 8                            # of a chord progression
ONE = 1 << 15


class Size(NamedTuple):
    """How many clips a data set has, and how long they are.

    Attributes
    ----------
    name : str
        Of the data set.
    clips : dict of int
        Of each style.
    seconds : (int, int)
        The range of a clip's length.
    """

    name: str
    clips: dict[str, int]
    seconds: tuple[int, int]


class Style(NamedTuple):
    """What all clips of a style have in common.

    Attributes
    ----------
    bpm : (int, int)
        The tempo range in beats per minute.
    beats : int
        Beats in a bar.
    ticks : int
        Ticks in a beat.
    voices : dict of str to tuple of str
        The rhythms of each voice, of which every clip draws one. A rhythm is a bar or several, with
        a character for each tick: '.' is a rest, 1-9 a stroke and its weight.
    """

    bpm: tuple[int, int]
    beats: int
    ticks: int
    voices: dict[str, tuple[str, ...]]


STYLES = {
    # Tumbao and cowbell on the beat; 'cha-cha-cha' on 4, 4-and, 1.
    "ChaChaCha": Style((119, 128), 4, 4, {
        "ground": ("9.....6.8.......", "9.....7.....6...", "9..............."),
        "backing": ("5...9...5...8.8.", "9...8.......8.8.", "........5...9.9."),
        "top": ("9...6.6.9...6.6.", "9...5...9...7.7.", "8...8...8...9.9."),
        "comping": ("9...........7.7.", "....8.......7.7.", "9.....6.....7.7.")}),
    # Swing in triplets: walking bass, backbeat, ride cymbal.
    "Jive": Style((166, 176), 4, 3, {
        "ground": ("9..7..9..7..", "9.....9.....", "9..7..9..7.5"),
        "backing": ("...9.....9..", "...9.....9.4", "...9.4...9.."),
        "top": ("9..8.69..8.6", "7..9.57..9.5", "...9.6...9.6"),
        "comping": ("...8.....8..", "9....7......", "..7..9......")}),
    # Running bass, swung off-beats.
    "Quickstep": Style((198, 208), 4, 3, {
        "ground": ("9..7..8..7..", "9..6..9..6.5", "9.....8..7.."),
        "backing": ("...9.....9..", "...8.....8.3", "...9..3..9.."),
        "top": ("9.68.69.68.6", "9..8.59..8.5", "9.58..9.58.."),
        "comping": ("...8.....8..", "9...........", "9.....8.....")}),
    # Bass on 1, 3, 4; cinquillo; son and rumba clave over two bars.
    "Rumba": Style((99, 108), 4, 4, {
        "ground": ("9.......7...7...", "9.....5.7...7...", "9.......8...8..."),
        "backing": ("9.77.77.9.7.7.7.", "9..57...9..57...", "9.......7...7.55"),
        "top": ("9.....9.....9.......9...9.......", "....9...9.......9.....9.....9...",
                "9.....9.......9.....9...9......."),
        "comping": ("9.......7...7...", "9...............", "........8...8...")}),
    # Counted in two: surdo on 2, semiquavers, tamborim.
    "Samba": Style((96, 104), 2, 4, {
        "ground": ("4...9...", "5..39...", "4...9..4"),
        "backing": ("9.9.99.9", "9..9..9.9.9..9.9", ".99.9.99"),
        "top": ("94699469", "95599559", "9.699.69"),
        "comping": ("9..9..9.", "..9..9..", "9..9.9..")}),
    # Marcato in four, habanera, sincopa, and the drag into the next bar.
    "Tango": Style((127, 133), 4, 4, {
        "ground": ("9...7...9...7...", "9...8...9...8.6.", "9.....7.8...8..."),
        "backing": ("9.....7.8...8...", "9...7...9...7.66", "8...8...8...8.77"),
        "top": ("9...9...9...9...", "9...8...9...8.77", "8...9...8...9..."),
        "comping": ("9...8...9...8...", "9...9...9...9...", "8.....8.8...8...")}),
    # Strong, weak, weak, in one.
    "VienneseWaltz": Style((173, 181), 3, 2, {
        "ground": ("9.....", "9.....7.....", "9.....8...4."),
        "backing": ("..8.8.", "..9.7.", "..8.7.....8."),
        "top": ("9.5.5.", "..8.8.", "9.4.6."),
        "comping": ("..8.8.", "9.....", "9...7.")}),
    # Strong, weak, weak, slow.
    "Waltz": Style((83, 91), 3, 4, {
        "ground": ("9...........", "9.......4...", "9.........4."),
        "backing": ("....8...8...", "....9...7...", "....8...7.5."),
        "top": ("9...6...6...", "....9...8...", "9.4.6.4.6.4."),
        "comping": ("....8...8...", "9...........", "9...6...6...")}),
}

SIZE = Size("DanceLoops", dict.fromkeys(STYLES, 25), (18, 25))
LIKE = {"Ballroom": Size("BallroomLoops", {
    "ChaChaCha": 111, "Jive": 60, "Quickstep": 82, "Rumba": 98, "Samba": 86, "Tango": 86,
    "VienneseWaltz": 65, "Waltz": 110}, (30, 30))}

# Equal temperament to 1/10000.
SEMITONES = (10000, 10595, 11225, 11892, 12599, 13348, 14142, 14983, 15874, 16818, 17818, 18877)
# The chords that all clips draw from, in semitones above the key.
CHORDS = ((0, 4, 7), (2, 5, 9), (4, 7, 11), (5, 9, 12),
          (7, 11, 14), (9, 12, 16), (0, 3, 7), (5, 8, 12))


# ---- drawing numbers -----------------------------------------------------------------------------

def between(rng: RandomState, low: int, high: int) -> int:
    """Draw an integer from low to high, each octave with about the same probability."""
    octave = low << int(rng.randint(0, ((high - 1) // low).bit_length()))
    return int(rng.randint(octave, min(2 * octave, high) + 1))


def milliseconds(rng: RandomState, low: int, high: int) -> int:
    """Draw a duration from low to high ms as `between` does, and return it in samples."""
    return between(rng, low, high) * RATE // 1000


def percent(rng: RandomState, low: int, high: int) -> int:
    """Draw a gain, to apply with `* gain // 100`."""
    return int(rng.randint(low, high + 1))


# ---- sounds --------------------------------------------------------------------------------------

def pitch(key: int, semitones: int) -> int:
    """Return the frequency `semitones` above `key`, both in mHz."""
    octave, step = divmod(semitones, 12)
    return (key << octave) * SEMITONES[step] // SEMITONES[0]


def sine(samples: int, frequency: int) -> np.ndarray:
    """Return a sine by Bhaskara's rational formula, off by 0.2 % of its peak at most.

    It needs no libm, whose last digits differ between machines.
    """
    phase = np.arange(samples) * ((frequency << 32) // (1000 * RATE)) >> 16
    half = phase & (ONE - 1)
    bump = half * (ONE - half)
    return np.where(phase & ONE, -1, 1) * (16 * ONE * bump // (5 * ONE * ONE - 4 * bump))


def decay(samples: int, half: int) -> np.ndarray:
    """Return an envelope that halves every `half` samples, with straight lines in between."""
    halvings, rest = np.divmod(np.arange(samples), half)
    return (2 * half - rest) * ONE // (2 * half) >> halvings


def noise(rng: RandomState, samples: int) -> np.ndarray:
    """Return white noise."""
    return rng.randint(-ONE, ONE, samples, dtype=np.int64)


def smooth(x: np.ndarray, width: int) -> np.ndarray:
    """Return the mean of the last `width` samples: a low pass."""
    total = np.cumsum(np.concatenate([np.zeros(width, np.int64), x]))
    return (total[width:] - total[:-width]) // width


def full(x: np.ndarray) -> np.ndarray:
    """Scale to a peak of ONE."""
    return x * ONE // np.abs(x).max()


def drum(rng: RandomState) -> np.ndarray:
    """Draw a drum: a tone, an attack an octave above, and the noise of the stroke."""
    half = milliseconds(rng, 20, 60)
    samples = 8 * half
    frequency = 1000 * between(rng, 60, 480)
    tone = (sine(samples, frequency) * decay(samples, half)
            + sine(samples, 2 * frequency) * decay(samples, half // 4))
    stroke = smooth(noise(rng, samples), between(rng, 1, 8)) * decay(samples, half // 2)
    return full(full(tone) * 100 + full(stroke) * percent(rng, 30, 150))


def rattle(rng: RandomState) -> np.ndarray:
    """Draw a shaker, brush or cymbal: a band of noise."""
    half = milliseconds(rng, 10, 50)
    samples = 8 * half
    hiss = noise(rng, samples)
    width = between(rng, 1, 8)
    return full((smooth(hiss, width) - smooth(hiss, 4 * width)) * decay(samples, half))


def string(frequency: int, partials: int, half: int) -> np.ndarray:
    """Return a plucked string: harmonics, of which the higher ones are shorter."""
    samples = 6 * half
    return full(sum(sine(samples, k * frequency) * decay(samples, 2 * half // (k + 1)) // k
                    for k in range(1, partials + 1)))


def strings(rng: RandomState, progression: list[list[int]]) -> list[np.ndarray]:
    """Draw a kind of string, and return its sound for each chord of the progression (mHz)."""
    partials, half = between(rng, 1, 6), milliseconds(rng, 20, 100)
    octave = int(rng.randint(0, 4))
    return [full(sum(string(note << octave, partials, half) for note in chord))
            for chord in progression]


# ---- clips ---------------------------------------------------------------------------------------

def drawBand(rng: RandomState) -> list[list[np.ndarray]]:
    """Draw five instruments in random order, each a list of its sounds, one for each bar."""
    key = 1000 * between(rng, 55, 110)
    progression = [[pitch(key, note) for note in CHORDS[i]]
                   for i in rng.randint(0, len(CHORDS), BARS)]
    roots = [chord[:1] for chord in progression]
    band = [[drum(rng)] * BARS, [drum(rng)] * BARS, [rattle(rng)] * BARS]
    band += [strings(rng, roots), strings(rng, progression)]
    rng.shuffle(band)
    return band


def drawRhythms(rng: RandomState, style: Style, tempo: int) -> list[str]:
    """Draw a rhythm for each voice of the style, and a pulse of 2 to 8 strokes a second.

    The pulse is common to the styles.
    """
    pulse = "4" + "." * (tempo * style.ticks // (60000 * between(rng, 2, 8)) - 1)
    drawn = [rhythms[rng.randint(0, len(rhythms))] for rhythms in style.voices.values()]
    return [*drawn, pulse]


def record(rng: RandomState, mix: np.ndarray) -> np.ndarray:
    """Record the mix, which is changed, as int16: draw a room, a spectrum, noise and a level."""
    for _ in range(4):
        late = milliseconds(rng, 8, 64)
        mix[late:] += mix[:-late] * int(rng.randint(0, 80)) >> 8
    dark = smooth(mix, between(rng, 4, 64))
    mix = full(dark * percent(rng, 20, 100) + (mix - dark) * percent(rng, 50, 150))
    hiss = noise(rng, len(mix))
    hiss = full(hiss * percent(rng, 10, 100)
                + smooth(hiss, between(rng, 4, 64)) * percent(rng, 10, 400))
    mix = full(mix * 1000 + hiss * between(rng, 2, 32))
    return (mix * int(rng.randint(14000, 32000)) // ONE).astype(np.int16)


def clip(tag: str, number: int, seconds: tuple[int, int] = SIZE.seconds) -> np.ndarray:
    """Return the samples, int16, of clip `number` of style `tag`, always the same."""
    rng = np.random.RandomState(20170305 + 1000 * list(STYLES).index(tag) + number)
    style = STYLES[tag]
    tempo = int(rng.randint(1000 * style.bpm[0], 1000 * style.bpm[1] + 1))
    samples = int(rng.randint(seconds[0] * RATE, seconds[1] * RATE + 1))
    band, rhythms = drawBand(rng), drawRhythms(rng, style, tempo)
    bar = style.beats * style.ticks

    def onset(tick: int) -> int:
        return tick * 60000 * RATE // (tempo * style.ticks)

    early = int(rng.randint(0, onset(2 * bar)))     # the clip begins anywhere in two bars
    filled = int(rng.randint(0, len(rhythms)))      # this voice fills the last beat of each phrase
    phrase = bar * between(rng, 2, 8)
    mix = np.zeros(samples + RATE, np.int64)
    for voice, (rhythm, sounds) in enumerate(zip(rhythms, band, strict=True)):
        gain = percent(rng, 70, 100)
        for tick in range((early + samples) // onset(1)):
            weight = rhythm[tick % len(rhythm)]
            if voice == filled and tick % phrase >= phrase - style.ticks and rng.randint(0, 2):
                weight = "7"
            # up to 4 ms early or late
            at = onset(tick) - early + int(rng.randint(-RATE // 250, RATE // 250))
            leftOut = rng.randint(0, 100) < 3
            if weight != "." and 0 <= at < samples and not leftOut:
                sound = sounds[tick // bar % BARS]
                level = int(weight) * gain * percent(rng, 80, 110) * 256 // 90000
                mix[at:at + len(sound)] += sound * level >> 8
    return record(rng, mix[:samples])


# ---- files ---------------------------------------------------------------------------------------

def clipName(tag: str, number: int) -> str:
    """Return the name of a clip below the data set's folder."""
    return f"{tag}/{tag}_{number:02d}.wav"


def writeClip(folder: Path, tag: str, number: int,
              seconds: tuple[int, int] = SIZE.seconds) -> None:
    """Write one clip into `folder`/`tag`, completely or not at all."""
    with whole(folder / clipName(tag, number), "wb") as file, wave.open(file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(RATE)
        wav.writeframes(clip(tag, number, seconds).astype("<i2").tobytes())


def storedSums() -> dict[str, str]:
    """Read the sha256 of each clip, by its name below the data set's folder."""
    return {name: digest for digest, name in map(str.split, SUMS.read_text().splitlines())}


def wrongFiles(folder: Path) -> list[str]:
    """List the files in `folder` that are missing, extra or differ from the stored sums."""
    sums = storedSums()
    found = {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
             for path in folder.rglob("*") if path.is_file()}
    return sorted(name for name in sums | found if sums.get(name) != found.get(name))


def make(out: Path, size: Size = SIZE) -> None:
    """Write a data set below the folder `out`.

    The data set's folder gets its name when it is complete. If a run is stopped, the next one goes
    on from there.

    Raises
    ------
    UserError
        If `out` is not a folder or cannot be written to.
    """
    folder, partial = out / size.name, out / f".{size.name}.part"
    if folder.exists():
        compare = f"--check compares it with {SUMS.name}; " if size is SIZE else ""
        print(f"{folder} already exists; {compare}delete it to make it again")
        return
    if out.exists() and not out.is_dir():
        raise UserError(f"{str(out)!r} is not a folder; give the one that holds the data sets, "
                        "such as data/datasets")
    for tag in STYLES:
        make_folder(partial / tag)
        remove_leftovers(partial / tag)
    for name in wrongFiles(partial) if size is SIZE else ():    # made by another version
        (partial / name).unlink(missing_ok=True)
    missing = [(partial, tag, number, size.seconds)
               for tag, count in size.clips.items() for number in range(count)
               if not (partial / clipName(tag, number)).exists()]
    for _ in in_parallel(writeClip, missing, f"making {size.name}", "clip"):
        pass
    try:
        os.rename(partial, folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    counts = sorted({*size.clips.values()})
    each = f"{counts[0]} clips each" if len(counts) == 1 else (
        f"{counts[0]} to {counts[-1]} clips each, {sum(size.clips.values())} in all")
    print(f"{folder}: {len(size.clips)} styles, {each}")


def check(out: Path) -> None:
    """Compare the data set below the folder `out` with the stored sums.

    Raises
    ------
    UserError
        If it is missing or differs.
    """
    folder = out / SIZE.name
    if not folder.is_dir():
        raise UserError(f"no folder {str(folder)!r} to check; "
                        f"make it with: python data/makeDanceLoops.py {out}")
    wrong = wrongFiles(folder)
    if wrong:
        names = ", ".join(wrong[:3]) + (" ..." if len(wrong) > 3 else "")
        raise UserError(f"{len(wrong)} files of {str(folder)!r} are missing, extra or differ from "
                        f"{SUMS.name}: {names}; delete the folder and make it again")
    print(f"{folder}: all {len(storedSums())} clips match {SUMS.name}")


def main(arguments: list[str]) -> None:
    """Make or check the data set, as the command line says."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("out", nargs="?", type=Path, default=HERE / "datasets", metavar="OUT")
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--check", action="store_true")
    which.add_argument("--like", choices=list(LIKE))
    options = parser.parse_args(arguments)
    if options.check:
        check(options.out)
    else:
        make(options.out, LIKE.get(options.like, SIZE))


if __name__ == "__main__":
    exit_on_user_error(main, sys.argv[1:])
