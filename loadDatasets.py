"""data/datasets/NAME/TAG/* -> spectrograms -> normalised, shuffled songs -> one fold's chunks."""

import sys

import numpy as np

from mirdl.songs import checks, splits
from mirdl.songs.audio_files import find_songs, tag_of
from mirdl.songs.dataset import DataSet, Fold
from mirdl.songs.groups import groups_of, joined
from mirdl.songs.left_out import leave_out
from mirdl.songs.public_sets import known_replicas
from mirdl.spectrograms import cache
from mirdl.spectrograms.chunks import Chunks, chunk_starts
from mirdl.spectrograms.normalisation import mean_and_std
from mirdl.spectrograms.store import compressed


def load_dataset(parameters, processes=1):
    """Find the songs, compute or load their spectrograms, compress and shuffle them.

    Parameters
    ----------
    parameters : dict
        Checked by mirdl.settings.check.
    processes : int
        How many processes will each load the data set; with DS.store="auto" they share the memory.

    Returns
    -------
    DataSet

    Raises
    ------
    UserError
        If there is no such data set, fewer than two tags, a tag without a usable song, or fewer
        songs than folds.
    """
    DS = parameters["DS"]
    replicas = known_replicas(DS)
    files = find_songs(DS["dataset"])
    if DS["replicas"] == "drop":
        for _, replica in replicas:
            files.pop(replica, None)
    print(f"Data set {DS['dataset']}: {len(files)} audio files")
    classes = sorted(set(map(tag_of, files)))
    checks.check_songs(files, classes, parameters)      # before the spectrograms, which take long
    songs = leave_out(cache.spectrograms(files, DS, processes), parameters)
    checks.check_songs(songs, classes, parameters)
    names = splits.shuffled(sorted(songs))
    dataset = DataSet(
        classes,
        names,
        labelsOf(names, classes),
        [compressed(songs[name], DS["inputNorm"]) for name in names],
        groupsOf(names, replicas, DS),
    )
    checks.note_oddities(dataset, parameters["folds"], DS["inputNorm"])
    return dataset


def labelsOf(names, classes):
    """Return the label of each song, the index of its tag in `classes`: (songs,)."""
    labels = [classes.index(tag_of(name)) for name in names]
    return np.array(labels, np.min_scalar_type(len(classes)))


def groupsOf(names, replicas, DS):
    """Return the group of each song by DS.groups and DS.replicas; None if each is on its own."""
    groups = groups_of(names, DS["groups"]) if DS["groups"] else None
    return joined(names, groups, replicas) if DS["replicas"] == "together" else groups


def foldOf(dataset, number, parameters):
    """Split the songs and cut them into chunks for one fold of the cross-validation.

    Parameters
    ----------
    dataset : DataSet
    number : int
        Of the fold, from 0.
    parameters : dict
        See `mirdl.songs.splits.split`, `normalization` and `format4MIRdl`.

    Returns
    -------
    Fold
    """
    songs = splits.split(dataset, number, parameters)
    mean, std = normalization(dataset, songs.train, parameters["DS"])
    chunks = [format4MIRdl(dataset, part, mean, std, parameters) for part in songs]
    return Fold(number, songs, *chunks, mean, std, parameters["DL"]["batchSize"])


def normalization(dataset, trainingSongs, DS):
    """Return the mean and standard deviation by which each song is normalised.

    Parameters
    ----------
    dataset : DataSet
    trainingSongs : ndarray of int
        Indices of songs; they count with inputNormWhere "train" only.
    DS : dict
        parameters["DS"]; see `mirdl.spectrograms.normalisation.mean_and_std`.

    Returns
    -------
    mean, std : ndarray
        float32, (songs of the data set,).
    """
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
        Used are DS.xInput and chunkHop (frames), asPublished and DL.batchSize.

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
        drop_incomplete=parameters["asPublished"],
        places=songs,
    )


if __name__ == "__main__":
    sys.exit("error: loadDatasets.py is not run by itself; run: python run.py")
