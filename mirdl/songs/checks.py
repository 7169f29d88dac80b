"""What is refused or noted about a data set before training."""

from collections import Counter, defaultdict
from functools import partial
from unicodedata import category, normalize

import numpy as np

from mirdl.errors import UserError
from mirdl.kinds import validation_share
from mirdl.settings import flat, that_work
from mirdl.songs.dataset import DataSet, Songs, Split
from mirdl.songs.given_splits import GivenSplit
from mirdl.songs.given_tables import composed
from mirdl.songs.splits import split
from mirdl.songs.tags import Tags, each_of, several
from mirdl.songs.wording import first_of, names_of, some
from mirdl.spectrograms.chunks import chunk_starts
from mirdl.spectrograms.level import odd_levels

# settings that need songs of one tag each, with the value for others
ONE_TAG = {"DL.classWeights": "none", "DL.cost": "crossentropy", "testMethod": "all"}


def print_songs(songs: Songs, split: GivenSplit | None, parameters: dict) -> None:
    """Print how many songs there are, the loader's notes, and what of the split is not used."""
    dataset, validation = parameters["DS"]["dataset"], parameters["validation"]
    by = f", {some(split.folds, 'fold', 'folds')} by {split.source}" if split else ""
    cut = f", {len(songs.files)} labelled stretches" if songs.stretches else ""
    print(f"Data set {dataset}: {len(songs.recordings)} audio files{cut}{by}")
    if counts := [len(tags) for tags in songs.tags.values() if isinstance(tags, tuple)]:
        print(f"  songs have several tags, {np.mean(counts):.1f} in the mean; "
              f"{some(counts.count(0), 'song has', 'songs have')} none")
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


def classes_in(tags: dict[str, Tags], parameters: dict) -> list[str]:
    """List the tags of songs, sorted; where a song may have several, without rare ones.

    Parameters
    ----------
    tags : dict
        Name of each song -> its tag or tags.
    parameters : dict
        Used is DS.leastSongs. The tags with fewer songs are noted.
    """
    counts = Counter(tag for found in tags.values() for tag in each_of(found))
    least = parameters["DS"]["leastSongs"]
    rare = sorted(tag for tag, count in counts.items() if several(tags) and count < least)
    if rare:
        print(f"  Note: {some(len(rare), 'tag is', 'tags are')} left out, as fewer than "
              f"DS.leastSongs={least} songs have {'it' if len(rare) == 1 else 'each'}: "
              f"{', '.join(map(repr, rare))}; to keep all of them set DS.leastSongs=1")
    return sorted(counts.keys() - rare)


def check_several(songs: Songs, parameters: dict) -> None:
    """Refuse settings that have no meaning where a song may have several tags.

    Raises
    ------
    UserError
    """
    for key, usual in ONE_TAG.items() if songs.several else ():
        value = dict(flat(parameters))[key]
        if value != usual:
            raise UserError(f"{key}={value} is for songs of one tag each, and those of data set "
                            f"{parameters['DS']['dataset']!r} may have several; set {key}={usual}")


def check_songs(tags: dict[str, Tags], classes: list[str], parameters: dict) -> None:
    """Refuse a data set that cannot be learnt from.

    Parameters
    ----------
    tags : dict
        Name of each usable song -> its tag or tags.
    classes : list of str
        The tags that must have songs.
    parameters : dict
        Used are DS.dataset and errorCode.

    Raises
    ------
    UserError
        If a tag has no song, there are fewer than two tags, or errorCode is the label of a class.
    """
    dataset, code = parameters["DS"]["dataset"], parameters["errorCode"]
    empty = set(classes) - {tag for found in tags.values() for tag in each_of(found)}
    if empty:
        raise UserError(
            f"data set {dataset!r} has no usable song left with the tag {sorted(empty)[0]!r}; "
            "the reasons are listed above"
        )
    if len(classes) < 2:
        needed = (f" that DS.leastSongs={parameters['DS']['leastSongs']} or more songs have; two "
                  "are needed: lower DS.leastSongs, or label more songs" if several(tags) else
                  "; a classifier needs two folders or more, or DS.labels with two tags or more")
        raise UserError(f"data set {dataset!r} has {some(len(classes), 'tag', 'tags')}{needed}")
    if len(classes) > code:
        raise UserError(
            f"errorCode={code} is the number of a class ({len(classes)} classes); set "
            f"errorCode={len(classes)}"
        )


def note_oddities(dataset: DataSet, ds: dict) -> None:
    """Print which songs are silent or far from the level of most, and which tags look equal.

    Also which groups a given split divides. These distort the accuracy.

    Parameters
    ----------
    dataset : DataSet
    ds : dict
        parameters["DS"]; see `mirdl.spectrograms.level.odd_levels`.
    """
    odd = defaultdict(list)
    levels = odd_levels(dataset.mean, dataset.mean, ds)
    for name, words in zip(dataset.names, levels, strict=True):
        odd[words].append(name)
    odd.pop("", None)
    for words, names in odd.items():
        print(f"  Note: {names_of(names)} {'is' if len(names) == 1 else 'are'} {words}")
    for tags in _alike_tags(dataset.classes):
        print(f"  Note: the tags {' and '.join(tags)} look alike, but count as different ones; if "
              "they mean the same, give their songs one tag")
    divided = divided_groups(dataset)
    if divided:
        print(f"  Note: the split puts {some(len(divided), 'group', 'groups')} on both sides, so "
              f"accuracy is inflated: {names_of(divided)}")


def check_folds(
    dataset: DataSet, parameters: dict, parts: tuple[str, ...] = Split._fields
) -> None:
    """Refuse folds that cannot be made or lack a batch; note tags that are tested untrained.

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
        As `split`, and if a part has fewer chunks than DL.batchSize as published, otherwise no
        chunk at all; with settings that help.
    """
    try:
        folds = folds_of(dataset, parameters, parts)
    except UserError as error:
        raise UserError(f"{error}; {_advice(dataset, parameters, parts)}") from error
    if "train" in parts:
        _note_untrained(dataset, folds, parameters)


def folds_of(dataset: DataSet, parameters: dict, parts: tuple[str, ...]) -> list[Split]:
    """Make all folds; raise a UserError for a part without a batch."""
    size = parameters["DL"]["batchSize"]
    if validation_share(parameters["validation"]) == 0:
        parts = [part for part in parts if part != "validation"]
    folds = []
    for number in range(parameters["folds"]):
        folds.append(split(dataset, number, parameters))
        for part in parts:
            songs = getattr(folds[-1], part)
            count = sum(
                len(chunk_starts(dataset.spectrograms[song].shape[1], parameters))
                for song in songs
            )
            if count < (size if parameters["asPublished"] else 1):
                words = "training" if part == "train" else part
                raise UserError(
                    f"fold {number + 1} has {count} {words} chunks of {len(songs)} songs, "
                    f"less than one batch of DL.batchSize={size}"
                )
    return folds


def _advice(dataset: DataSet, parameters: dict, parts: tuple[str, ...]) -> str:
    """Name the settings with which all folds can be made, the nearest of each kind."""
    folds, size, hop = parameters["folds"], parameters["DL"]["batchSize"], parameters["chunkHop"]
    chosen = dataset.split is None and parameters["mode"] == "train"    # the folds, by the user
    most = len(set(dataset.groups or dataset.names))
    fewer = [count for count in (most, *range(10, 1, -1)) if count < folds]
    kinds = [
        [f"folds={count}" for count in (*fewer, 3) if chosen],
        ["stratified=False"],
        [f"DL.batchSize={count}" for count in (64, 32, 16, 8, 4, 2, 1) if count < size],
        [f"chunkHop={count}" for count in (80, 40, 20, 10) if count < hop],
        ["asPublished=False"],
        [f"validation={share}" for share in (0.1, 0.2, 0.3, 0.5)],
        ["validation=0"],
    ]
    attempt = partial(folds_of, dataset, parts=parts)
    found = [way for ways in kinds if (way := next(that_work(ways, parameters, attempt), ""))]
    more = "add songs of other groups" if dataset.groups else "add songs"
    return f"set {' or '.join(found)}" if found else more


def _note_untrained(dataset: DataSet, folds: list[Split], parameters: dict) -> None:
    """Print which tags are tested in folds in which none of their songs train."""
    untrained = _untrained(dataset, folds)
    if not untrained:
        return

    def attempt(changed: dict) -> None:
        if _untrained(dataset, folds_of(dataset, changed, Split._fields)):
            raise UserError("still untrained")

    ways = "validation=0", "stratified=True", "stratified=True validation=0"
    more = "add songs of other groups to them" if dataset.groups else "add songs to them"
    advice = next((f"set {way}" for way in that_work(ways, parameters, attempt)), more)
    told = []
    for label, numbers in sorted(untrained.items()):
        songs = np.flatnonzero(dataset.has[:, label])
        groups = len({dataset.groups[song] for song in songs}) if dataset.groups else 0
        size = some(len(songs), "song", "songs") + (
            f" in {some(groups, 'group', 'groups')}" if groups else "")
        told.append(f"{dataset.classes[label]!r} ({size}) in "
                    f"{'fold' if len(numbers) == 1 else 'folds'} {', '.join(map(str, numbers))}")
    print("  Note: no song of these tags trains in folds that test them, so none is right there: "
          f"{first_of(told)}; {advice}")


def _untrained(dataset: DataSet, folds: list[Split]) -> dict[int, list[int]]:
    """Give the labels that are tested without training songs -> the numbers of folds, from 1."""
    found = defaultdict(list)
    for number, fold in enumerate(folds, 1):
        tested, trained = (dataset.has[part].any(axis=0) for part in (fold.test, fold.train))
        for label in np.flatnonzero(tested & ~trained):
            found[label].append(number)
    return found


def _alike_tags(tags: list[str]) -> list[list[str]]:
    """Return the tags that differ only in case, spaces or forms of Unicode, as literals."""
    alike = defaultdict(list)
    for tag in tags:
        alike[" ".join(_visible(normalize("NFKC", tag)).casefold().split())].append(tag)
    return [list(map(ascii if len({composed(_visible(tag)) for tag in same}) < len(same) else repr,
                     same))
            for same in alike.values() if len(same) > 1]


def _visible(text: str) -> str:
    """Leave out format characters: soft hyphens, spaces without width."""
    return "".join(letter for letter in text if category(letter) != "Cf")


def divided_groups(dataset: DataSet) -> list[str]:
    """Return the groups that have songs in several folds or parts of a given split."""
    if dataset.split is None or dataset.groups is None:
        return []
    places = defaultdict(set)
    for group, place in zip(dataset.groups, dataset.split, strict=True):
        places[group].add(place)
    return sorted(group for group, where in places.items() if len(where) > 1)
