"""The songs of a data set -> spectrograms -> normalised, shuffled songs -> one fold's chunks."""

import sys
from pathlib import Path

import numpy as np

from mirdl import settings
from mirdl.errors import UserError
from mirdl.frames import MUSICNN, before_network, frames_of, windows_beside
from mirdl.songs import (
    checks,
    loaders,
    pieces,
    public_sets,
    shared_sound,
    splits,
    stretches,
)
from mirdl.songs.audio_files import in_folders
from mirdl.songs.dataset import DataSet, Fold
from mirdl.songs.given_splits import given_split, settled
from mirdl.songs.groups import joined
from mirdl.songs.left_out import leave_out
from mirdl.songs.tags import labels_of
from mirdl.spectrograms import cache
from mirdl.spectrograms.chunks import Chunks, chunk_starts
from mirdl.spectrograms.level import is_logarithm
from mirdl.spectrograms.normalisation import bands_mean_and_std, mean_and_std
from mirdl.spectrograms.pieced import pieced_together
from mirdl.spectrograms.store import compressed
from mirdl.spectrograms.texture import texture
from mirdl.tagging.likeness import Features
from mirdl.theano_flags import start_theano

# Loaders: a function in this file that takes `folder` loads the data set with its name. Any other
# data set has a folder of songs for each tag. docs/data.md has an example of your own.


def Ballroom(folder):
    """Load a folder for each of eight dances; 13 pairs of songs are one recording."""
    return loaders.public_songs(folder, public_sets.BALLROOM)


def GTZAN(folder):
    """Load a folder for each of ten genres; the split `filtered` leaves out faulty songs."""
    return loaders.public_songs(folder, public_sets.GTZAN)


genres = GTZAN      # the folder's name in the archive


def ESC10(folder):
    """Load a folder for each of ten sounds; a file is called FOLD-ID-TAKE, as in 1-17367-A.ogg."""
    songs = in_folders(folder)
    folds = {name: Path(name).name.partition("-")[0] for name in songs.files}
    songs.splits["folds"] = {name: fold for name, fold in folds.items() if fold.isdigit()}
    songs.split = "folds"
    return songs


def findSongs(parameters):
    """Find the songs, their given split if there is one, and the parameters with its folds."""
    songs = loaders.songs_of(parameters["DS"], sys.modules[__name__])
    split = given_split(songs, parameters)
    songs = loaders.without_replicas(songs, parameters["DS"], split and split.places)
    songs, split = stretches.divided(songs, split)
    checks.check_several(songs, parameters)
    return songs, split, settled(parameters, split)


def load_dataset(parameters, processes=1, store="auto", attempt=lambda parameters: None,
                 found=None):
    """Find the songs, compute or load their spectrograms, compress and shuffle them.

    Parameters
    ----------
    parameters : dict, as checked by mirdl.settings.check
    processes : int
        How many processes will each load the data set; with store="auto" they share the memory.
    store : str
        DS.store: "auto", "memory" or "disk".
    attempt : callable
        Takes other parameters; raises UserError if the network or the model does not allow them, so
        that they are not advised where songs are too short.
    found : tuple, optional
        What `findSongs` gave for the parameters, if it was called before.

    Returns
    -------
    DataSet

    Raises
    ------
    UserError
        If there is no such data set, fewer than two tags, or a tag without a usable song; or if
        DS.labels, DS.groups or DS.split do not fit the songs.
    """
    songs, split, parameters = found or findSongs(parameters)
    DS, tags = parameters["DS"], songs.tags
    checks.print_songs(songs, split, parameters)
    used = {name: tags[name] for name in tags if split is None or name in split.places}
    classes = checks.classes_in(used, parameters)
    checks.check_songs(used, classes, parameters)       # before the spectrograms, which take long
    # of all songs, so that another split or other tags need no new ones
    spectrograms = spectrogramsOf(songs, DS, processes, store)
    used = {name: used[name] for name in used if name in spectrograms}
    usable = leave_out({name: spectrograms[name] for name in used}, used, parameters, attempt)
    shared = sharedSound(songs, usable, parameters)
    if DS["duplicates"] == "drop":
        usable = shared_sound.without_repeated(usable, shared)
    checks.check_songs({name: tags[name] for name in usable}, classes, parameters)
    names = splits.shuffled(sorted(usable))
    groups = loaders.groups_in(songs, names, DS)
    if DS["duplicates"] == "together" and shared:
        groups = joined(names, groups, shared)
    dataset = DataSet(
        classes,
        names,
        labels_of([tags[name] for name in names], classes),
        [compressed(usable[name], DS["inputNorm"]) for name in names],
        groups,
        [split.places[name] for name in names] if split else None,
        songs,
    )
    checks.note_oddities(dataset, DS)
    shared_sound.note(dataset, shared, parameters)
    pieces.note(dataset, parameters)
    return dataset


def spectrogramsOf(songs, DS, processes=1, store="auto"):
    """Give the spectrogram of each song or stretch, as `mirdl.spectrograms.cache.spectrograms`."""
    def kept(files, DS, **others):
        return cache.spectrograms(files, DS, songs.others, processes, store, networkOf, **others)

    def cut(DS):
        return stretches.cut(kept(songs.recordings, DS), songs, DS)

    before = before_network(DS)
    if before == DS or not songs.stretches:
        return cut(DS)
    # windows of a recording would hold what is beside a stretch
    return kept(songs.paths, DS, decoded=lambda: cut(before))


def sharedSound(songs, usable, parameters):
    """Find which of the usable songs share sound; windows do not tell, but mel bands do."""
    DS = parameters["DS"]
    if DS["specTransform"] in MUSICNN:
        mel, DS = publishedOf(songs, parameters)
        usable = {name: mel[name] for name in usable if not isinstance(mel.get(name, ""), str)}
    return shared_sound.find(usable, DS)


def publishedOf(songs, parameters):
    """Give the spectrograms of a data set as published, not compressed, and their DS."""
    published = settings.published()["DS"]
    DS = {**published, "dataset": parameters["DS"]["dataset"], "yInput": published["melBands"]}
    return spectrogramsOf(songs, DS), DS


def publishedMel(dataset, parameters):
    """Give the published mel bands of a data set's songs, compressed, for the baselines."""
    spectrograms, DS = publishedOf(dataset.songs, parameters)
    for name in dataset.names:
        if isinstance(spectrograms[name], str):
            raise UserError(f"{name!r} {spectrograms[name]}, so that the baselines cannot see it; "
                            "run again with baselines=False")
    return [compressed(spectrograms[name], DS["inputNorm"]) for name in dataset.names]


def featuresOf(dataset, parameters):
    """Give what tells the songs of a run from others.

    Returns
    -------
    features : list of Features
    pieced : callable
        Gives textures of songs that are pieced together from songs, (songs,).
    """
    mel, DS = melOf(dataset, parameters)
    windows, isLogarithm = windowsOf(dataset, parameters), is_logarithm(DS)
    textures = [texture(each if each is None else np.asarray(each), isLogarithm) for each in mel]
    features = [Features.of(*each) for each in zip(textures, windows, strict=True)]

    def pieced(songs):
        made = pieced_together([mel[song] for song in songs], frames_of(DS).seconds, isLogarithm)
        return [each for each in (texture(song, False) for song in made) if each is not None]
    return features, pieced


def melOf(dataset, parameters):
    """Give the spectrograms whose texture counts, and their DS: the network's.

    Where that gets windows, they are the published ones; None is a song that has none.
    """
    if parameters["DS"]["specTransform"] not in MUSICNN:
        return dataset.spectrograms, parameters["DS"]
    found, DS = publishedOf(dataset.songs, parameters)
    return [None if isinstance(found.get(name, ""), str) else
            compressed(found[name], DS["inputNorm"]) for name in dataset.names], DS


def windowsOf(dataset, parameters):
    """Give the windows of each song that musicnn makes; None for each if they do not count."""
    if parameters["unknown"] != "musicnn" or dataset.several:
        return [None] * len(dataset.names)
    if parameters["DS"]["specTransform"] in MUSICNN:
        return dataset.spectrograms
    found = spectrogramsOf(dataset.songs, windows_beside(parameters["DS"]))
    for name in dataset.names:
        if isinstance(found[name], str):
            raise UserError(f"{name!r} {found[name]}, so that musicnn gives no numbers for it; "
                            "run again with unknown=texture")
    return [found[name] for name in dataset.names]


def networkOf(transform):
    """Give the published network that makes windows of songs with this DS.specTransform."""
    start_theano()
    from buildArchitecture import windowsOf  # late: it is needed once for each data set
    return windowsOf(transform)


def foldOf(dataset, number, parameters):
    """Split the songs and cut them into chunks: give the `Fold` of a number, from 0.

    See `mirdl.songs.splits.split`, `normalization` and `format4MIRdl` for the parameters used.
    """
    songs = splits.split(dataset, number, parameters)
    mean, std = normalization(dataset, songs.train, parameters["DS"])
    chunks = [format4MIRdl(dataset, part, mean, std, parameters) for part in songs]
    return Fold(songs, *chunks, mean, std)


def normalization(dataset, trainingSongs, DS):
    """Give the mean and standard deviation by which each song is normalised.

    Both are float32, (songs of the data set,). The indices `trainingSongs` count with
    inputNormWhere "train" only; see `mirdl.spectrograms.normalisation.mean_and_std`. With inputNorm
    "bands" both are those of the training songs, (songs of the data set, bands, 1).
    """
    if DS["inputNorm"] == "bands":
        songs = trainingSongs if len(trainingSongs) else range(len(dataset.names))
        found = bands_mean_and_std([dataset.spectrograms[song] for song in songs])
        return tuple(np.broadcast_to(each, (len(dataset.names), *each.shape)) for each in found)
    frames = [spectrogram.shape[1] for spectrogram in dataset.spectrograms]
    return mean_and_std(dataset.mean, dataset.variance, frames, DS, trainingSongs)


def format4MIRdl(dataset, songs, mean, std, parameters):
    """Cut some songs of a data set into chunks.

    Parameters
    ----------
    dataset : DataSet
    songs : ndarray of int
        Indices of songs.
    mean, std : ndarray
        From `normalization`.
    parameters : dict
        Used are DS.xInput and chunkHop (frames), DS.short, asPublished and DL.batchSize.

    Returns
    -------
    Chunks
        In the order of the songs.
    """
    spectrograms = [dataset.spectrograms[song] for song in songs]
    starts = [chunk_starts(spectrogram.shape[1], parameters) for spectrogram in spectrograms]
    return Chunks(
        spectrograms,
        dataset.labels[songs],
        starts,
        parameters["DS"]["xInput"],
        mean[songs],
        std[songs],
        batch_size=parameters["DL"]["batchSize"],
        short=parameters["DS"]["short"],
        drop_incomplete=parameters["asPublished"],
        places=songs,
    )


if __name__ == "__main__":
    sys.exit("error: loadDatasets.py is not run by itself; run: python run.py")
