"""The order of the songs, and which of them train, validate and test a fold."""

import random
from collections.abc import Iterable
from math import ceil

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from mirdl.errors import UserError
from mirdl.kinds import validation_share
from mirdl.songs.dataset import DataSet, Split
from mirdl.songs.stratification import blocks_of
from mirdl.songs.wording import some

# by stratified, and whether there are groups
SPLITTERS = {
    (False, False): KFold,
    (False, True): GroupKFold,
    (True, False): StratifiedKFold,
    (True, True): StratifiedGroupKFold,
}


def shuffled(songs: Iterable) -> list:
    """Return the songs in the original's order.

    That is Python 2's random.seed(11); random.shuffle(songs). Python 3's shuffle draws its random
    numbers in another way.
    """
    songs, draw = list(songs), random.Random(11).random
    for last in range(len(songs) - 1, 0, -1):
        other = int(draw() * (last + 1))
        songs[last], songs[other] = songs[other], songs[last]
    return songs


def split(dataset: DataSet, number: int, parameters: dict) -> Split:
    """Choose the songs of one fold.

    Without a given split, groups and stratified this is `published_split`. Otherwise the given
    split, scikit-learn's splitters or `blocks_of` choose the test songs of each fold, and a fold
    validates on the test songs of the next one; with two folds, on half of the songs that are not
    tested. Where `validation` is a share, the songs that are not tested are divided anew: one block
    of 1 / share validates; with 0 none does. A given split may also name the parts of one fixed
    split. Of the training songs `trainShare` are used.

    Parameters
    ----------
    dataset : DataSet
        The songs, already shuffled.
    number : int
        Of the fold, from 0.
    parameters : dict
        Used are folds, stratified, asPublished, validation, trainShare, and with folds=1 trainSplit
        and valSplit.

    Returns
    -------
    Split

    Raises
    ------
    UserError
        If there are fewer songs or groups than folds or, with stratified, no tag with as many
        songs as folds.
    """
    if len(dataset.names) < parameters["folds"]:
        raise UserError(f"folds={parameters['folds']} is more than the {len(dataset.names)} usable "
                        "songs can be divided into (training, validation and test each need one)")
    if dataset.split is not None and isinstance(dataset.split[0], str):
        given = np.array(dataset.split)
        chosen = Split(*(np.flatnonzero(given == part) for part in Split._fields))
    elif dataset.split is None and dataset.groups is None and not parameters["stratified"]:
        chosen = published_split(len(dataset.names), number, parameters)
    else:
        chosen = _split_by_blocks(dataset, number, parameters)
    if parameters["validation"] != "published":
        chosen = _divided_anew(dataset, chosen, parameters)
    return chosen._replace(train=_share_of(dataset, chosen.train, parameters["trainShare"]))


def published_split(num_songs: int, number: int, parameters: dict) -> Split:
    """Choose the songs of one fold as the published program does.

    The songs are cut into `folds` blocks in their order (scikit-learn's KFold).
    Block `number` is tested. Of the rest the first num_songs // folds songs, but at most half of
    it, validate; with asPublished=False the block after the test block does. All others train.
    With folds=1 the songs are cut once, into trainSplit, valSplit and testSplit.

    Parameters
    ----------
    num_songs : int
        How many songs there are.
    number : int
        Of the fold, from 0.
    parameters : dict
        See `split`.

    Returns
    -------
    Split
    """
    songs, folds = np.arange(num_songs), parameters["folds"]
    if folds == 1:
        train = int(np.floor(parameters["trainSplit"] * num_songs))
        validation = int(np.floor(parameters["valSplit"] * num_songs))
        return Split(*np.split(songs, [train, train + validation]))
    blocks = [test for _, test in KFold(folds).split(songs)]
    rest = np.setdiff1d(songs, blocks[number])
    if parameters["asPublished"] or folds == 2:
        validation = rest[:min(num_songs // folds, len(rest) // 2)]
    else:
        validation = blocks[(number + 1) % folds]
    return Split(np.setdiff1d(rest, validation), validation, blocks[number])


def _split_by_blocks(dataset: DataSet, number: int, parameters: dict) -> Split:
    """Choose the songs of one fold by the given split, or by groups and stratified."""
    songs, folds = np.arange(len(dataset.names)), parameters["folds"]
    if dataset.split is not None:
        tests = [np.flatnonzero(np.equal(dataset.split, fold)) for fold in range(folds)]
    else:
        tests = _blocks(dataset, songs, folds, parameters, f"folds={folds}")
    rest = np.setdiff1d(songs, tests[number])
    if folds == 2:
        validation, _ = _blocks(dataset, rest, 2, parameters, "folds=2, of the songs not tested,")
    else:
        validation = tests[(number + 1) % folds]
    return Split(np.setdiff1d(rest, validation), validation, tests[number])


def _divided_anew(dataset: DataSet, chosen: Split, parameters: dict) -> Split:
    """Use the share `validation` of the songs that are not tested for validation."""
    rest = np.union1d(chosen.train, chosen.validation)
    share = validation_share(parameters["validation"])
    validation = rest[:0]
    if share:
        count = round(1 / share)
        asked = f"validation={parameters['validation']}, one block of {count},"
        validation = _blocks(dataset, rest, count, parameters, asked)[0]
    return Split(np.setdiff1d(rest, validation), validation, chosen.test)


def _share_of(dataset: DataSet, songs: np.ndarray, share: float) -> np.ndarray:
    """Choose a share of each tag's songs, at least one; where there are groups, of its groups.

    Where a song may have several tags, it is a share of the songs that have the same ones. The
    songs of a smaller share are among those of a larger one.
    """
    units = np.array(dataset.groups or dataset.names)[songs]
    kept = set()
    tags = np.array(dataset.tags)[songs]
    for tag in np.unique(tags):
        own = list(dict.fromkeys(units[tags == tag]))
        kept.update(own[:ceil(round(share * len(own), 6))])
    return songs[np.isin(units, list(kept))]


def _blocks(
    dataset: DataSet, songs: np.ndarray, count: int, parameters: dict, asked: str
) -> list[np.ndarray]:
    """Cut some of the songs into `count` blocks that share no group, stratified if asked for.

    `asked` is the setting in messages; `mirdl.songs.checks.check_folds` adds what to do.
    """
    every = dataset.groups or dataset.names
    groups, labels = [every[song] for song in songs], dataset.labels[songs]
    if len(set(groups)) < count:
        raise UserError(
            f"{asked} is more than {some(len(set(groups)), 'group', 'groups')} of songs can be "
            "divided into (training, validation and test each need one)"
        )
    most = dataset.has[songs].sum(axis=0).max()
    if parameters["stratified"] and most < count:
        raise UserError(
            f"{asked} is more than stratified=True can divide: no tag has more than {most} songs"
        )
    if parameters["stratified"] and dataset.several:
        return [songs[block] for block in blocks_of(dataset.has[songs], groups, count)]
    splitter = SPLITTERS[parameters["stratified"], dataset.groups is not None](count)
    # a class with fewer songs than folds is in some of the blocks only; see `check_folds`
    return [songs[test] for _, test in splitter.split(songs, labels, dataset.groups and groups)]
