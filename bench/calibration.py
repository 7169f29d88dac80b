"""What a temperature does for the log loss of songs that it was not fitted on.

python bench/calibration.py ESC10 seeds=11,12 leave_out=1,2,3,4 recipe=transfer
The data set is a folder of data/datasets; what follows are settings as for run.py. ESC10 has its
own four folds; the songs of any other set are divided into four with the groups of its
datasets.json (take_group) kept together, if it has one. Runs are left in data/results.

Two figures for each seed. One fold: a run of all folds, each fold calibrated by the temperature
of the others. Ensemble: one fold is left out, in turn each of those in leave_out; the mean of the
models of a run on the others answers its songs, calibrated by that run's temperature. The
intervals are those of the difference, by 10,000 bootstraps of the songs or groups.
"""

import csv
import io
import json
import os
import sys
import tempfile
from contextlib import redirect_stdout

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

import dl
from mirdl import recipes, settings
from mirdl.results import files
from mirdl.results.calibration import FoldAnswers, losses, tempered
from mirdl.songs.audio_files import folder_of, in_folders

FOLDS, DRAWS = 4, 10000


def divided(name):
    """Give the fold and the group of each song."""
    folder = folder_of(name)
    tags, listed = in_folders(folder).tags, os.path.join(folder, "datasets.json")
    songs = sorted(tags)
    if name == "ESC10":
        return {song: (os.path.basename(song)[0], song) for song in songs}
    groups = {song: song for song in songs}
    if os.path.exists(listed):
        with open(listed) as file:
            groups = {each["file"]: each["take_group"] for each in json.load(file)["files"]}
    folds = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=0).split(
        songs, [tags[song] for song in songs], [groups[song] for song in songs])
    return {songs[place]: (str(number), groups[songs[place]])
            for number, (_, tested) in enumerate(folds, 1) for place in tested}


def run(places, column, overrides):
    """Do a run with the songs at these places of the split; give its outcomes."""
    with tempfile.NamedTemporaryFile("w", suffix=".csv", newline="") as file:
        table = csv.writer(file)
        table.writerows([("song", column), *places.items()])
        file.flush()
        arguments = [f"DS.split={file.name}", "baselines=False", "quiet=True", *overrides]
        with redirect_stdout(io.StringIO()):
            asked = settings.override(settings.published(), arguments)
            return dl.main(recipes.apply(asked, arguments))


def row(title, before, after, groups, temperatures):
    """Write a row of the table: both log losses, and the interval of their difference."""
    _, place = np.unique(groups, return_inverse=True)
    sums, sizes = np.bincount(place, before - after), np.bincount(place)
    drawn = np.random.RandomState(0).randint(len(sums), size=(DRAWS, len(sums)))
    low, high = np.percentile(sums[drawn].sum(1) / sizes[drawn].sum(1), (2.5, 97.5))
    return (f"| {title} | {' '.join(f'{each:.2f}' for each in temperatures)} | {before.mean():.3f} "
            f"| {after.mean():.3f} | {(before - after).mean():.3f} ({low:.3f} to {high:.3f}) |")


def of_folds(places, overrides):
    """Give the losses of songs before and after, each fold by the others, and the songs."""
    outcomes = run({song: fold for song, (fold, _) in places.items()}, "fold", overrides)
    tested = FoldAnswers.of(outcomes)
    songs = [song for outcome in outcomes for song in outcome.songs]
    return (losses(tested.probabilities, tested.true), losses(tested.crossed(), tested.true), songs,
            [tested.temperature])


def of_ensemble(places, left_out, overrides):
    """Give the same of an ensemble that has not seen the songs of the fold that is left out."""
    kept = {song: "unused" if fold == left_out else fold for song, (fold, _) in places.items()}
    outcomes = run(kept, "fold", overrides)
    parts = {song: "test" if fold == left_out else "train" for song, (fold, _) in places.items()}
    each = [run(parts, "part", [*overrides, f"mode={outcome.name}"])[0] for outcome in outcomes]
    mean, true = np.mean([one.probabilities for one in each], axis=0), np.array(each[0].true)
    with open(files.path_of(outcomes[0].name.rpartition("-f")[0], ".calibration.json")) as file:
        temperature = json.load(file)["temperature"]
    return (losses(mean, true), losses(tempered(mean, temperature), true), each[0].songs,
            [temperature])


def main(dataset, seeds, leave_out, *overrides):
    """Print a table."""
    overrides, places = [f"DS.dataset={dataset}", *overrides], divided(dataset)
    left_out = leave_out.removeprefix("leave_out=")
    print("| data | temperature | log loss | calibrated | difference |\n"
          "| --- | --- | --- | --- | --- |", flush=True)
    for seed in seeds.removeprefix("seeds=").split(","):
        own = [*overrides, f"random_seed={seed}"]
        parts = [of_folds(places, own)]
        print(table_row(f"{dataset}, seed {seed}, one fold", parts, places), flush=True)
        if left_out:
            parts = [of_ensemble(places, fold, own) for fold in left_out.split(",")]
            print(table_row(f"{dataset}, seed {seed}, ensemble", parts, places), flush=True)


def table_row(title, parts, places):
    """Write the row of songs whose losses come in several parts."""
    before, after, songs, temperatures = (np.concatenate(each) for each in zip(*parts, strict=True))
    return row(title, before, after, [places[song][1] for song in songs], temperatures)


if __name__ == "__main__":
    main(*sys.argv[1:])
