"""data/datasets/NAME/TAG/* -> spectrograms -> shuffled songs -> folds -> chunks."""

import hashlib
import os
import random
import warnings
from dataclasses import dataclass

import numpy as np
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold

from mirdl.errors import UserError
from mirdl.songs import audio_files, public_sets
from mirdl.songs.download import download
from mirdl.songs.groups import groups_of, joined
from mirdl.spectrograms import cache, decoding
from mirdl.spectrograms.chunks import Chunks
from mirdl.spectrograms.normalisation import compress, moments
from mirdl.spectrograms.store import Stored

ROOT = os.path.join("data", "datasets")
TOLD = 20       # pairs of songs, at most, of which it is told that they are the same


@dataclass
class DataSet:
    """The songs of a data set, in the shuffled order in which folds are made.

    Attributes
    ----------
    classes : list of str
        The tags, sorted; a label is a tag's place here.
    names : list of str
        TAG/file of each song.
    labels : ndarray
        (songs,), unsigned integers.
    spectrograms : list of ndarray or of mirdl.spectrograms.store.Stored
        float32, (bands, frames), compressed by the logarithm if inputNorm says so, not yet of mean 0 and variance 1.
    groups : list of str or None
        The group of each song; songs of a group stay in one fold.
    mean, variance : ndarray, float64, (songs,)
        Of each spectrogram.
    """

    classes: list
    names: list
    labels: np.ndarray
    spectrograms: list
    groups: list = None

    def __post_init__(self):
        each = [song.moments if isinstance(song, Stored) else moments(song) for song in self.spectrograms]
        self.mean, self.variance = np.array(each).T

    @property
    def isInMemory(self):
        """Whether the spectrograms are arrays, and not read from disk."""
        return not any(isinstance(spectrogram, Stored) for spectrogram in self.spectrograms)

    def fingerprint(self):
        """What tells these songs, their order, groups and spectrograms from others; see `fits`."""
        return {"songs": hashlib.sha256(repr((self.names, self.groups)).encode()).hexdigest(), "mean": self.mean, "variance": self.variance}

    def fits(self, fingerprint):
        """Whether this is the data set that `fingerprint` was taken of, perhaps on another processor, whose logarithm may round otherwise."""
        own = self.fingerprint()
        return own["songs"] == fingerprint["songs"] and all(np.allclose(own[part], fingerprint[part], 1e-5) for part in ("mean", "variance"))


def load_dataset(parameters, processes=1):
    """Find the songs, compute or load their spectrograms, compress and shuffle them.

    Parameters
    ----------
    parameters : dict
        Settled by mirdl.settings.check.
    processes : int
        How many are going to load it at a time.

    Returns
    -------
    DataSet

    Raises
    ------
    UserError
        If there is no such data set, fewer than two tags, a tag without a usable song, or fewer songs than folds.
    """
    DS = parameters["DS"]
    replicas = knownReplicas(DS)
    files = findSongs(DS["dataset"])
    if DS["replicas"] == "drop":
        for _, replica in replicas:
            files.pop(replica, None)
    print(f"Data set {DS['dataset']}: {len(files)} audio files")
    classes = sorted({_tag(name) for name in files})
    checkSongs(files, classes, parameters)      # before the work of the spectrograms
    found = cache.spectrograms(files, DS, processes)
    usable = leaveOut(found, parameters)
    checkSongs(usable, classes, parameters)
    names = shuffled(sorted(usable))
    labels = np.array([classes.index(_tag(name)) for name in names], np.min_scalar_type(len(classes)))
    groups = groups_of(names, DS["groups"]) if DS["groups"] else None
    if DS["replicas"] == "together":
        groups = joined(names, groups, replicas)
    dataset = DataSet(classes, names, labels, [compressed(usable.pop(name), DS["inputNorm"]) for name in names], groups)
    noteOddities(dataset, parameters["folds"])
    return dataset


def findSongs(dataset):
    """Song name (TAG/file) -> path of all audio files below the tag folders of a data set, in sorted order.

    A public data set that is not there is downloaded. Hidden files, files that are no audio by their name, and links
    that lead back up are passed over.
    """
    folder = os.path.abspath(os.path.join(ROOT, dataset))
    if dataset in public_sets.SETS and not os.path.isdir(folder):
        download(dataset, public_sets.SETS[dataset], ROOT)
    if not os.path.isdir(folder):
        there = _folders(ROOT) if os.path.isdir(ROOT) else []
        raise UserError(f"there is no data set {dataset!r}: expected the folder {folder} with one folder "
                        f"of songs per class; data sets there: {', '.join(there) or 'none'}")
    tags = _folders(folder)
    for entry in os.scandir(folder):
        if entry.is_symlink() and not os.path.exists(entry.path):
            raise UserError(f"{entry.path!r} is a link that leads nowhere; mend or remove it")
    songs = {}
    for tag in tags:
        below = audio_files.below(os.path.join(folder, tag), _cannotRead)
        if not below:
            raise UserError(f'the tag {tag!r} of data set {dataset!r} has no audio file; '
                            f'put songs ({" ".join(decoding.ENDINGS)}) into {os.path.join(folder, tag)} or remove it')
        songs.update((os.path.relpath(path, folder), path) for path in below)
    return songs


def knownReplicas(DS):
    """The pairs of songs of this data set that are one recording, if DS.replicas asks for them."""
    if DS["replicas"] == "keep":
        return ()
    replicas = public_sets.SETS[DS["dataset"]].replicas if DS["dataset"] in public_sets.SETS else ()
    if not replicas:
        raise UserError(f"DS.replicas={DS['replicas']} needs a data set whose replicas are known: Ballroom, not {DS['dataset']}; "
                        "name songs that belong together by DS.groups")
    return replicas


def leaveOut(found, parameters):
    """The songs of `found` that have a spectrogram long enough for one chunk; the others are listed with the reason."""
    xInput, hop = parameters["DS"]["xInput"], parameters["chunkHop"]
    usable, reasons = {}, {}
    for name, song in found.items():
        if isinstance(song, str):
            reasons[name] = song
        elif not len(chunk(song.shape[1], xInput, hop, parameters["asPublished"])):
            reasons[name] = f"is too short: {song.shape[1]} frames give no chunk of {xInput}" + (
                f" (asPublished wants {xInput + hop})" if parameters["asPublished"] else "")
        else:
            usable[name] = song
    if reasons:
        print(f"  {len(reasons)} of {len(found)} files are left out:")
        for name, reason in reasons.items():
            print(f"    {name!r} {reason}")
    return usable


def checkSongs(usable, classes, parameters):
    """Refuse a data set that cannot be learnt from: an empty tag, fewer than two tags, fewer songs than folds."""
    dataset, folds = parameters["DS"]["dataset"], parameters["folds"]
    empty = set(classes) - {_tag(name) for name in usable}
    if empty:
        raise UserError(f"data set {dataset!r} has no usable song left with the tag {sorted(empty)[0]!r}; "
                        "the reasons are listed above")
    if len(classes) < 2:
        raise UserError(f"data set {dataset!r} has {len(classes)} tag(s); a classifier needs two folders or more")
    if len(classes) > parameters["errorCode"]:
        raise UserError(f"errorCode={parameters['errorCode']} is the number of a class ({len(classes)} classes); raise it")
    if len(usable) < max(folds, 3):
        raise UserError(f"folds={folds} is more than the {len(usable)} usable songs of data set {dataset!r} can be divided "
                        f"into (training, validation and test each need one)")


def noteOddities(dataset, folds):
    """Tell of songs that sound the same, and of tags with fewer songs than folds: both bend the accuracy."""
    figures = list(zip(dataset.mean, dataset.variance))     # where they are equal, and only there, the songs are read
    order = sorted(range(len(figures)), key=lambda song: (figures[song], dataset.names[song]))
    same = [(first, second) for first, second in zip(order, order[1:]) if figures[first] == figures[second]
            and np.array_equal(dataset.spectrograms[first], dataset.spectrograms[second])]
    for first, second in same[:TOLD]:
        print(f"  Note: {dataset.names[first]!r} and {dataset.names[second]!r} are the same sound; if one is tested "
              "and the other learnt, the accuracy is too good")
    if len(same) > TOLD:
        print(f"  Note: so are {len(same) - TOLD} other pairs")
    for tag, count in zip(dataset.classes, np.bincount(dataset.labels)):
        if count < folds:
            print(f"  Note: the tag {tag!r} has {count} song(s), fewer than folds={folds}: some folds test none of it"
                  + (", and the one that does has learnt none" if count == 1 else ""))


def compressed(spectrogram, inputNorm):
    """A spectrogram compressed, in its own memory; one on disk: compressed whenever it is read."""
    return spectrogram.compressed(inputNorm) if isinstance(spectrogram, Stored) else compress(spectrogram, inputNorm)


def normalization(dataset, DS, trainingSongs):
    """Mean and standard deviation by which each song is to be normalised.

    Parameters
    ----------
    dataset : DataSet
    DS : dict
        parameters['DS']; inputNormWhere: over all songs ('global'; as in the original, test songs included), each song
        ('local') or the training songs ('train').
    trainingSongs : ndarray of int

    Returns
    -------
    mean, std : ndarray, float32, (songs,)
    """
    mean, variance = dataset.mean, dataset.variance
    if DS["inputNorm"] == "None":
        mean, variance = np.zeros_like(mean), np.ones_like(variance)
    elif DS["inputNormWhere"] != "local":
        chosen = trainingSongs if DS["inputNormWhere"] == "train" else slice(None)
        weights = [spectrogram.shape[1] for spectrogram in dataset.spectrograms]
        weights = np.array(weights, np.float64)[chosen]
        pooled = np.average(mean[chosen], weights=weights)
        mean, variance = (np.full_like(mean, pooled), np.full_like(
            variance, np.average(variance[chosen] + (mean[chosen] - pooled) ** 2, weights=weights)))
    std = np.sqrt(variance)
    std[std == 0] = 1       # silence stays 0
    return mean.astype(np.float32), std.astype(np.float32)


def ownMoments(spectrogram):
    """Mean and standard deviation by which a song alone is normalised ('local')."""
    mean, variance = moments(spectrogram)
    return mean, np.sqrt(variance) or 1.0       # silence stays 0


def shuffled(songs):
    """`songs` in the order of Python 2's random.seed(11); random.shuffle(songs), which Python 3 draws differently."""
    songs, draw = list(songs), random.Random(11).random
    for last in range(len(songs) - 1, 0, -1):
        other = int(draw() * (last + 1))
        songs[last], songs[other] = songs[other], songs[last]
    return songs


def chunk(frames, n, h, asPublished):
    """The first frames of the chunks of `n` frames, every `h` frames, of a spectrogram `frames` wide.

    The published program never yields the last full chunk, so a song of less than n + h frames has none.
    """
    return range(0, (frames - n) // h * h if asPublished else frames - n + 1, h)


def splitTrainTest(numSongs, fold, parameters):
    """The songs of one fold.

    Without shuffling, as the songs are shuffled already. Test: the fold's own block (scikit-learn's KFold). Validation:
    the first numSongs // folds songs of what is left, at most half of it; with asPublished=False the block after the
    test block. Training: the rest. With folds=1 the fixed splits trainSplit, valSplit and testSplit, in this order.

    Returns
    -------
    train, validation, test : ndarray of int
    """
    songs, folds = np.arange(numSongs), parameters["folds"]
    if folds == 1:
        train = int(np.floor(parameters["trainSplit"] * numSongs))
        validation = int(np.floor(parameters["valSplit"] * numSongs))
        return tuple(np.split(songs, [train, train + validation]))
    blocks = [test for _, test in KFold(folds).split(songs)]
    rest = np.setdiff1d(songs, blocks[fold])
    if parameters["asPublished"] or folds == 2:
        validation = rest[:min(numSongs // folds, len(rest) // 2)]
    else:
        validation = blocks[(fold + 1) % folds]
    return np.setdiff1d(rest, validation), validation, blocks[fold]


def split(dataset, fold, parameters):
    """The songs of one fold of a data set: `splitTrainTest`, or, with groups or stratified, by scikit-learn's splitters.

    There the validation songs are the next fold's test songs; with two folds, half of what the test fold leaves.

    Returns
    -------
    train, validation, test : ndarray of int

    Raises
    ------
    UserError
        If there are fewer groups than folds, or, stratified, fewer songs in each tag.
    """
    songs, folds = np.arange(len(dataset.names)), parameters["folds"]
    if dataset.groups is None and not parameters["stratified"]:
        return splitTrainTest(len(songs), fold, parameters)
    groups = dataset.groups or dataset.names
    splitter = {(False, True): GroupKFold, (True, False): StratifiedKFold, (True, True): StratifiedGroupKFold}[
        parameters["stratified"], dataset.groups is not None]

    def blocks(songs, count):
        inside, most = [groups[song] for song in songs], np.bincount(dataset.labels[songs]).max()
        if len(set(inside)) < count:
            raise UserError(f"folds={folds} is more than the {len(set(groups))} groups of songs can be divided into "
                            "(training, validation and test each need one); lower folds")
        if parameters["stratified"] and most < count:
            raise UserError(f"folds={folds} is more than stratified=True can divide: no tag has more than {most} songs; lower folds, "
                            "or leave out stratified")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)    # a class with fewer songs than folds is in some of them only
            return [songs[test] for _, test in splitter(count).split(songs, dataset.labels[songs], inside)]
    tests = blocks(songs, folds)
    rest = np.setdiff1d(songs, tests[fold])
    validation = blocks(rest, 2)[0] if folds == 2 else tests[(fold + 1) % folds]
    return np.setdiff1d(rest, validation), validation, tests[fold]


def chunkStarts(dataset, songs, parameters):
    """For each of the songs at the places `songs` the first frames of its chunks."""
    return [chunk(dataset.spectrograms[song].shape[1], parameters["DS"]["xInput"], parameters["chunkHop"],
                  parameters["asPublished"]) for song in songs]


def format4MIRdl(dataset, songs, moments, parameters):
    """The chunks of the songs at the places `songs` of a data set.

    Parameters
    ----------
    dataset : DataSet
    songs : ndarray of int
    moments : tuple of ndarray
        Mean and std of every song of the data set, from `normalization`.
    parameters : dict

    Returns
    -------
    Chunks
        In the order of the songs; `chunks[which]` gives x: (chunks, 1, yInput, xInput) and y: (chunks,).
    """
    mean, std = moments
    return Chunks([dataset.spectrograms[song] for song in songs], dataset.labels[songs],
                  chunkStarts(dataset, songs, parameters), parameters["DS"]["xInput"], mean[songs], std[songs], songs)


def _folders(folder):
    """The names of the folders in `folder`, sorted, hidden ones passed over."""
    try:
        names = sorted(name for name in os.listdir(folder) if not name.startswith("."))
    except OSError as error:
        _cannotRead(error)
    return [name for name in names if os.path.isdir(os.path.join(folder, name))]


def _cannotRead(error):
    raise UserError(f"cannot read the folder {error.filename!r}: {error.strerror}; change its permissions or remove it") from error


def _tag(name):
    return name.split(os.sep)[0]
