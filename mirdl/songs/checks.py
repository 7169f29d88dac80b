"""What is refused or noted of a data set before it is trained on."""

from collections import defaultdict
from itertools import pairwise

import numpy as np

from mirdl.errors import UserError
from mirdl.kinds import validation_share
from mirdl.songs.dataset import DataSet, Songs, Split
from mirdl.songs.given_splits import GivenSplit
from mirdl.songs.splits import split
from mirdl.songs.wording import names_of, some
from mirdl.spectrograms.chunks import chunk_starts

# mean of a spectrogram, by DS.inputNorm: no more than 16 bits that are 0, 1 or -1 at random
SILENCE = {"log0m1v": 1e-8, "None": 1e-11}
MOST_NOTES = 20     # pairs of equal songs that are named
PARTS = {"train": "training", "validation": "validation", "test": "test"}   # in messages


def print_songs(songs: Songs, split: GivenSplit | None, parameters: dict) -> None:
    """Print how many songs there are, what the loader notes, and what of the split is not used."""
    dataset, validation = parameters["DS"]["dataset"], parameters["validation"]
    by = f", {some(split.folds, 'fold', 'folds')} by {split.source}" if split else ""
    print(f"Data set {dataset}: {len(songs.files)} audio files{by}")
    for note in songs.notes:
        print(f"  {note}")
    out = [name for name in songs.files if split and name not in split.places]
    if out:
        print(f"  {some(len(out), 'song is', 'songs are')} left out by {split.source}: "
              f"{names_of(out)}")
    kept = list(split.places.values()).count("validation") if split else 0
    if kept and parameters["mode"] == "train" and validation != "published":
        print(f"  Note: validation={validation} counts, not the part 'validation' of "
              f"{split.source}: its {some(kept, 'song', 'songs')} may train, too; to keep them "
              "apart set validation=published")


def check_songs(tags: dict[str, str], classes: list[str], parameters: dict) -> None:
    """Refuse a data set that cannot be learnt.

    Parameters
    ----------
    tags : dict of str
        Name of each usable song -> its tag.
    classes : list of str
        The tags that are to have songs.
    parameters : dict
        Used are DS.dataset, folds and errorCode.

    Raises
    ------
    UserError
        If a tag has no song, there are fewer than two tags, errorCode is the label of a class, or
        there are fewer songs than folds.
    """
    dataset, folds, code = parameters["DS"]["dataset"], parameters["folds"], parameters["errorCode"]
    empty = set(classes) - set(tags.values())
    if empty:
        raise UserError(
            f"data set {dataset!r} has no usable song left with the tag {sorted(empty)[0]!r}; "
            "the reasons are listed above"
        )
    if len(classes) < 2:
        raise UserError(
            f"data set {dataset!r} has {len(classes)} tag(s); a classifier needs two folders "
            "or more, or DS.labels with two tags or more"
        )
    if len(classes) > code:
        raise UserError(
            f"errorCode={code} is the number of a class ({len(classes)} classes); raise it"
        )
    if len(tags) < max(folds, 3):
        raise UserError(
            f"folds={folds} is more than the {len(tags)} usable songs of data set {dataset!r} "
            "can be divided into (training, validation and test each need one); "
            "lower folds or add songs"
        )


def note_oddities(dataset: DataSet, folds: int, input_norm: str = "log0m1v") -> None:
    """Print which songs are silent or equal, which tags have fewer songs than folds, and more.

    That is, which groups a given split divides. These distort the accuracy.

    Parameters
    ----------
    dataset : DataSet
        Spectrograms on disk are read only where mean and variance of two songs are equal.
    folds : int
        Of the cross-validation.
    input_norm : str
        DS.inputNorm, by which the spectrograms are compressed.
    """
    means = zip(dataset.names, dataset.mean, strict=True)
    silent = [name for name, mean in means if mean <= SILENCE[input_norm]]
    if silent:
        print(f"  Note: silence, or two channels that cancel out: {names_of(silent)}")
    pairs = _equal_songs(dataset)
    for first, second in pairs[:MOST_NOTES]:
        print(
            f"  Note: {dataset.names[first]!r} and {dataset.names[second]!r} are the same sound; "
            "if one is trained on and the other tested, accuracy is inflated"
        )
    if len(pairs) > MOST_NOTES:
        print(f"  Note: so are {len(pairs) - MOST_NOTES} other pairs")
    divided = _divided_groups(dataset)
    if divided:
        print(f"  Note: the split puts {some(len(divided), 'group', 'groups')} on both sides, so "
              f"accuracy is inflated: {names_of(divided)}")
    counts = np.bincount(dataset.labels, minlength=len(dataset.classes))
    for tag, count in zip(dataset.classes, counts, strict=True):
        if count < folds:
            alone = ", and the one that does trained on none" if count == 1 else ""
            print(
                f"  Note: the tag {tag!r} has {count} song(s), fewer than folds={folds}: "
                f"some folds test none of them{alone}"
            )


def check_batches(
    dataset: DataSet, parameters: dict, parts: tuple[str, ...] = Split._fields
) -> None:
    """Refuse a batch size that leaves a part of a fold without a batch.

    Parameters
    ----------
    dataset : DataSet
        The songs.
    parameters : dict
        Used are DL.batchSize and what `split` and `chunk_starts` use.
    parts : tuple of {"train", "validation", "test"}
        The parts that must have a batch.

    Raises
    ------
    UserError
        If one has none: fewer chunks than DL.batchSize as published, otherwise no chunk at all.
    """
    size = parameters["DL"]["batchSize"]
    unvalidated = validation_share(parameters["validation"]) == 0
    for number in range(parameters["folds"]):
        songs_of = split(dataset, number, parameters)._asdict()
        for part in parts:
            songs = songs_of[part]
            if part == "validation" and unvalidated:
                continue
            count = sum(
                len(chunk_starts(dataset.spectrograms[song].shape[1], parameters))
                for song in songs
            )
            if count < (size if parameters["asPublished"] else 1):
                raise UserError(
                    f"fold {number + 1} has {count} {PARTS[part]} chunks of {len(songs)} songs, "
                    f"less than one batch of DL.batchSize={size}: lower DL.batchSize or chunkHop, "
                    "choose other folds or splits, or use asPublished=False"
                )


def _divided_groups(dataset: DataSet) -> list[str]:
    """Return the groups that have songs in several folds or parts of a given split."""
    if dataset.split is None or dataset.groups is None:
        return []
    places = defaultdict(set)
    for group, place in zip(dataset.groups, dataset.split, strict=True):
        places[group].add(place)
    return sorted(group for group, where in places.items() if len(where) > 1)


def _equal_songs(dataset: DataSet) -> list[tuple[int, int]]:
    """Return pairs of songs, as indices, whose spectrograms are equal."""
    figures = list(zip(dataset.mean, dataset.variance, strict=True))
    order = sorted(range(len(figures)), key=lambda song: (figures[song], dataset.names[song]))
    return [
        (first, second) for first, second in pairwise(order)
        if figures[first] == figures[second]
        and np.array_equal(dataset.spectrograms[first], dataset.spectrograms[second])
    ]
