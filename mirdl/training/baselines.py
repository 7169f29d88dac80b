"""Simple classifiers of whole songs, against which the accuracy of a network can be judged.

They see two numbers for each band of a song's spectrogram, its mean and its standard deviation
over time, and are fitted on each fold's training songs. The songs that validate are left out, as
the network does not learn from them either.

Where the spectrograms are windows made by a published network, the others see the published mel
bands, and one more sees the windows: the mean of each number over the song. Another one sees only
properties of the files; see `mirdl.training.giveaways`.
"""

from collections.abc import Callable, Iterable
from warnings import catch_warnings, simplefilter

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.linear_model import LogisticRegression
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.tree import DecisionTreeClassifier

from mirdl.frames import LOGARITHMS, MUSICNN
from mirdl.results import ranking
from mirdl.results.baseline import Baseline
from mirdl.results.votes import share_right
from mirdl.songs.dataset import DataSet, Split
from mirdl.songs.splits import split
from mirdl.spectrograms.store import Stored
from mirdl.training import giveaways
from mirdl.training.run import Run

TREES = 500     # of the random forest
LEAST = 3       # training songs in a leaf of the tree that sees properties of files, all or one


def classifiers(seed: int, several: bool) -> dict[str, BaseEstimator]:
    """Make the classifiers, by name; `seed` is that of the random forest.

    Where a song may have `several` tags, what takes their place gives probabilities.
    """
    if several:
        first = {"tags' shares": DummyRegressor()}
        logistic = OneVsRestClassifier(LogisticRegression(C=0.1, max_iter=1000))
        # the mean over the leaves of trees is the share of their songs that have a tag
        forest = RandomForestRegressor(TREES, max_features="sqrt", random_state=seed)
    else:
        first = {"largest class": DummyClassifier(strategy="most_frequent")}
        logistic = LogisticRegression(C=0.1, max_iter=1000)
        forest = RandomForestClassifier(TREES, random_state=seed)
    return {**first,
            "logistic regression": make_pipeline(StandardScaler(), logistic),
            "random forest": make_pipeline(StandardScaler(), forest)}


def features(spectrograms: Iterable[np.ndarray | Stored]) -> np.ndarray:
    """Compute what the classifiers see of each song, one song at a time.

    Parameters
    ----------
    spectrograms : iterable of ndarray or Stored
        (bands, frames), compressed, not normalised.

    Returns
    -------
    ndarray
        float64, (songs, 2 bands): the mean of each band over time, then the standard deviation
        of each.
    """
    songs = map(np.asarray, spectrograms)
    return np.array([np.concatenate([song.mean(axis=1, dtype=np.float64),
                                     song.std(axis=1, dtype=np.float64)]) for song in songs])


def baselines_of(run: Run, dataset: DataSet, folds: list[int],
                 published: Callable | None = None) -> list[Baseline]:
    """Fit each classifier on each fold's training songs, and let it classify the test songs.

    Parameters
    ----------
    run : Run
        With baselines=False nothing is done.
    dataset : DataSet
        Properties of the files count if it has its `songs`, each with one tag.
    folds : list of int
        The numbers of the folds that count.
    published : callable, optional
        Gives the songs' published mel bands, compressed; called if the data set's are musicnn's.

    Returns
    -------
    list of Baseline
        Empty if there is nothing to do.
    """
    if not run.parameters["baselines"] or not folds:
        return []
    made = classifiers(run.seed, dataset.several)
    have_files = dataset.songs is not None and not dataset.several
    transform = run.parameters["DS"]["specTransform"]
    print(f"baselines: {', '.join(made)} ...", flush=True)
    spectrograms = published() if transform in LOGARITHMS else dataset.spectrograms
    seen, windows = features(spectrograms), None
    todo, labels = [(name, each, seen) for name, each in made.items()], dataset.labels
    if transform in MUSICNN:
        name = "logistic regression"
        windows = features(dataset.spectrograms)[:, :dataset.spectrograms[0].shape[0]]
        todo.append((f"{name} on {transform}", made[name], windows))
    splits = [split(dataset, fold, run.parameters) for fold in folds]
    if have_files:
        properties = giveaways.properties_of(dataset.names, spectrograms, dataset.songs.paths)
        tree = DecisionTreeClassifier(min_samples_leaf=LEAST, random_state=run.seed)
        todo.append((giveaways.NAME, tree, np.hstack([*properties.values()])))
    baselines = []
    for name, classifier, x in todo:
        if dataset.several:
            voted, accuracies = [], [_precision(classifier, x, labels, songs) for songs in splits]
        else:
            voted = [_answers(classifier, x, labels, songs) for songs in splits]
            accuracies = [share_right(each, labels[songs.test])
                          for each, songs in zip(voted, splits, strict=True)]
        baselines.append(Baseline(name, voted, accuracies, simple=x is not windows))
    if have_files:
        answered = {name: [_answers(tree, x, labels, songs) for songs in splits]
                    for name, x in properties.items()}
        giveaways.note(answered, labels, splits, baselines[0])
    return baselines


def _answers(classifier: ClassifierMixin, x: np.ndarray, labels: np.ndarray,
             songs: Split) -> list[int]:
    """Fit a classifier on a fold's training songs and give the label of each test song."""
    known = labels[songs.train]
    if len(set(known)) == 1:    # nothing to learn, which not every classifier accepts
        return [int(known[0])] * len(songs.test)
    return classifier.fit(x[songs.train], known).predict(x[songs.test]).tolist()


def _precision(estimator: BaseEstimator, x: np.ndarray, labels: np.ndarray,
               songs: Split) -> float:
    """Fit an estimator on a fold's training songs; give its mean average precision in %."""
    with catch_warnings():
        simplefilter("ignore")      # a tag that all training songs have, or none, is no mistake
        estimator.fit(x[songs.train], labels[songs.train])
    answer = getattr(estimator, "predict_proba", estimator.predict)
    return ranking.mean_precision(labels[songs.test] > 0, answer(x[songs.test]))
