"""Whether the tags of songs depend on their gain.

python bench/level.py NAME [NAME ...]
Fifty songs of the model's data set, spread evenly over it, as wav files of floats at
gains 1, 0.1 and 0.01. For each model: how many tags are those at gain 1, and by how much a
probability differs at most.
"""

import os
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import numpy as np
import soundfile

from mirdl.songs.audio_files import folder_of, in_folders
from predict import Tagger

SONGS, GAINS = 50, (1, 0.1, 0.01)


def at_gains(songs, folder):
    """Write the songs at each gain; give the paths by gain."""
    paths = {gain: [] for gain in GAINS}
    for place, song in enumerate(songs):
        samples, rate = soundfile.read(song, dtype="float32")
        for gain in GAINS:
            path = os.path.join(folder, f"{place}_{gain}.wav")
            soundfile.write(path, gain * samples, rate, "FLOAT")
            paths[gain].append(path)
    return paths


def main(*names):
    """Print a table."""
    print("| model | DS.level | gain | same tag | largest difference |\n"
          "| --- | --- | --- | --- | --- |")
    for name in names:
        tagger = Tagger(name)
        data = tagger.parameters["DS"]
        songs = sorted(in_folders(folder_of(data["dataset"])).paths.values())
        chosen = [songs[place] for place in np.linspace(0, len(songs) - 1, SONGS).astype(int)]
        with tempfile.TemporaryDirectory() as folder:
            answers = {gain: list(tagger.tag_all(paths))
                       for gain, paths in at_gains(chosen, folder).items()}
        for gain in GAINS[1:]:
            pairs = list(zip(answers[1], answers[gain], strict=True))
            same = sum(one.tag == other.tag for one, other in pairs)
            most = max(np.abs(one.final - other.final).max() for one, other in pairs)
            print(f"| {name} | {data['level']} | {gain} | {same} of {SONGS} | {most:.2g} |",
                  flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
