"""Whether occlusion finds the sound that tells a class.

python bench/planted.py [NETWORK ...]
Eighty songs of 8 s of noise, in a temporary folder. In forty of them a chirp of 0.3 s is hidden
somewhere; these are the class `chirp`. Each network is trained on two halves, each tested on the
other. For each song with a chirp: how far from its middle the place is that loses most.
"""

import contextlib
import io
import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import numpy as np
import soundfile

import dl
import utils
from mirdl import recipes, settings

SONGS, SECONDS, CHIRP, RATE, NEAR = 40, 8, 0.3, 44100, 0.5


def make():
    """Write the songs; give the middle of each chirp, in seconds, by path."""
    rng, middles = np.random.RandomState(1), {}
    time = np.arange(int(CHIRP * RATE)) / RATE
    chirp = 0.3 * np.sin(2 * np.pi * (1000 + 4000 * time / CHIRP) * time) * np.hanning(len(time))
    for tag in ("chirp", "noise"):
        os.makedirs(f"data/datasets/Planted/{tag}")
        for number in range(SONGS):
            song, path = rng.normal(0, 0.05, SECONDS * RATE), f"{tag}/{number}.wav"
            if tag == "chirp":
                start = rng.randint(len(song) - len(chirp))
                song[start:start + len(chirp)] += chirp
                middles[path] = (start + len(chirp) / 2) / RATE
            soundfile.write(f"data/datasets/Planted/{path}", song, RATE)
    return middles


def main(*networks):
    """Print a table."""
    print("| network | test songs right | strongest place within 0.5 s of the chirp | by chance |\n"
          "| --- | --- | --- | --- |", flush=True)
    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        os.makedirs("data/results")
        middles = make()
        for network in networks or ("oNetOne", "vgg"):
            arguments = ["DS.dataset=Planted", f"DL.type={network}", "recipe=today", "folds=2",
                         "DS.xInput=340", "chunkHop=340", "baselines=False", "quiet=True"]
            with contextlib.redirect_stdout(io.StringIO()):
                asked = settings.override(settings.published(), arguments)
                outcomes = dl.main(settings.check(recipes.apply(asked, arguments)))
            right = np.mean([outcome.majority_vote for outcome in outcomes])
            near = [distance(outcome.name, song, middles) <= NEAR
                    for outcome in outcomes for song in outcome.songs if song in middles]
            print(f"| {network} | {right:.0f} % | {sum(near)} of {len(near)} | "
                  f"{2 * NEAR / SECONDS:.0%} |", flush=True)


def distance(model, song, middles):
    """Say how many seconds the strongest place is from the chirp."""
    drawn = utils._occlusion(f"data/datasets/Planted/{song}", song, model)
    losses = drawn.args[1]
    place = np.unravel_index(losses.argmax(), losses.shape)[1]
    return abs((place + 0.5) * SECONDS / losses.shape[1] - middles[song])


if __name__ == "__main__":
    main(*sys.argv[1:])
