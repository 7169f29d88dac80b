"""The results of a training and of a cross-validation, as values."""

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple, Self

import numpy as np

from mirdl.results import json_form, ranking
from mirdl.results.baseline import Baseline, PairedTest
from mirdl.results.interval import Interval
from mirdl.results.json_form import JsonForm
from mirdl.results.thresholds import of_folds
from mirdl.results.votes import likeliest, majority_vote, share_right


class Confused(NamedTuple):
    """How often one class is taken for another.

    Attributes
    ----------
    true, voted : int
        The labels of both classes.
    songs : int
        Of the first class, that were given the second one.
    of : int
        Songs of the first class.
    """

    true: int
    voted: int
    songs: int
    of: int


@dataclass
class Outcome(JsonForm):
    """The result of one training: how its best model did on the fold's test songs.

    In .json files null stands for nan.

    Attributes
    ----------
    name : str
        Of the training's files in data/results, or of the model that was tested.
    epochs : int
        How many were trained.
    best_epoch : int
        The one of the best validation accuracy, from 0.
    validation : float
        Validation accuracy of that epoch, in %.
    loss : float
        Test loss; nan if chunks were not tested.
    utterances, majority_vote : float
        Test accuracy of chunks and of songs, in %; nan if not tested.
    songs : list of str
        The test songs (TAG/file).
    true, voted : list of int
        The label of each test song, and the label that most of its chunks voted for.
    votes : list of list of int
        Of each test song: how many of its chunks voted for each class.
    seconds : float
        How long the training took.
    fold : int
        From 0.
    mean_probability : float
        Test accuracy of songs by the mean probability of their chunks, in %; nan if not tested.
    likeliest : list of int
        The label of the largest mean probability of each test song.
    probabilities : list of list of float
        The mean probabilities of each test song, (songs, classes), to 4 digits; see
        `ranking.mean_probabilities`.
    tags : list of list of int
        Where a song may have several tags: the labels of each test song. Then there are no `true`,
        `voted`, `votes` and `likeliest`.
    average_precision : float
        Then that of the test songs, in %, the mean over the tags; and `validation` is that of the
        validation songs.
    thresholds : list of float
        Then that of each tag that fits the validation songs best, (classes,); empty without any.
    """

    name: str
    epochs: int
    best_epoch: int
    validation: float
    loss: float = np.nan
    utterances: float = np.nan
    majority_vote: float = np.nan
    songs: list[str] = field(default_factory=list)
    true: list[int] = field(default_factory=list)
    votes: list[list[int]] = field(default_factory=list)
    voted: list[int] = field(default_factory=list)
    seconds: float = 0.0
    fold: int = 0
    mean_probability: float = np.nan
    likeliest: list[int] = field(default_factory=list)
    probabilities: list[list[float]] = field(default_factory=list)
    tags: list[list[int]] = field(default_factory=list)
    average_precision: float = np.nan
    thresholds: list[float] = field(default_factory=list)

    @property
    def test(self) -> list[float]:
        """Test accuracy by majority vote, then that of chunks, to compare outcomes by; not nan.

        The last one is the average precision, which stands alone where it is known.
        """
        return np.nan_to_num([self.majority_vote, self.utterances, self.average_precision]).tolist()

    def add_songs(self, true: list[int], probabilities: list[np.ndarray],
                  error_code: int) -> None:
        """Classify the test songs by majority vote and by mean probability.

        Parameters
        ----------
        true : list of int
            The label of each song.
        probabilities : list of ndarray
            For each song (chunks, classes).
        error_code : int
            The label of a song without chunks.
        """
        answers = [each.argmax(axis=1) for each in probabilities]
        self.true = true
        self.votes = [np.bincount(each, minlength=chunks.shape[1]).tolist()
                      for each, chunks in zip(answers, probabilities, strict=True)]
        self.voted = [majority_vote(each, error_code) for each in answers]
        self.likeliest = [likeliest(each, error_code) for each in probabilities]
        self.probabilities = list(map(ranking.mean_probabilities, probabilities))
        self.majority_vote = share_right(self.voted, true)
        self.mean_probability = share_right(self.likeliest, true)

    def add_tagged(self, has: np.ndarray, probabilities: np.ndarray) -> None:
        """Rank the test songs by their mean probabilities, where a song may have several tags.

        Parameters
        ----------
        has : ndarray of bool
            (songs, classes).
        probabilities : ndarray
            (songs, classes).
        """
        self.tags = [np.flatnonzero(row).tolist() for row in has]
        self.probabilities = probabilities.round(ranking.DIGITS).tolist()
        self.average_precision = ranking.mean_precision(has, np.array(self.probabilities))

    def to_json(self) -> dict[str, Any]:
        """Give the values under the keys of the .json files."""
        content = super().to_json()
        if not self.likeliest:      # not tested, or by a version that did not know it
            del content["meanProbability"], content["likeliest"]
        if not self.probabilities:
            del content["probabilities"]
        if not self.tags:
            del content["tags"], content["averagePrecision"], content["thresholds"]
        return content


@dataclass
class CrossValidation:
    """The results of a whole cross-validation.

    Attributes
    ----------
    parameters : dict
        Nested, as in run.py, without those of how the work was done.
    classes : list of str
        The tags; a label is a tag's place here.
    num_params : int
        How many numbers the network learns.
    outcomes : list of Outcome
        One for each fold that could be trained.
    baselines : list of Baseline
        What simple classifiers answered on the test songs of these folds.
    groups : dict of str
        Test song -> its group; empty if the songs are in none.
    """

    parameters: dict[str, Any]
    classes: list[str]
    num_params: int
    outcomes: list[Outcome]
    baselines: list[Baseline] = field(default_factory=list)
    groups: dict[str, str] = field(default_factory=dict)

    @property
    def true(self) -> list[int]:
        """The labels of all tested songs, fold by fold."""
        return [label for outcome in self.outcomes for label in outcome.true]

    @property
    def voted(self) -> list[int]:
        """The label that was voted for each tested song, in the order of `true`."""
        return [label for outcome in self.outcomes for label in outcome.voted]

    @property
    def several(self) -> bool:
        """Whether a song may have several tags; then `true` and `voted` are empty."""
        return any(outcome.tags for outcome in self.outcomes)

    @property
    def has(self) -> np.ndarray:
        """Which tested song has which tag: bool, (songs, classes), fold by fold."""
        places = np.arange(len(self.classes))
        if not self.several:
            return np.equal.outer(self.true, places)
        return np.array([np.isin(places, song) for each in self.outcomes for song in each.tags])

    @property
    def thresholds(self) -> np.ndarray:
        """The threshold of each tag for each song, where there may be several: (songs, classes).

        A song is given the tags whose probabilities reach it.
        """
        counts = [len(outcome.tags) for outcome in self.outcomes]
        fold = np.repeat(np.arange(len(counts)), counts)
        return of_folds(self.probabilities, self.has, fold,
                        [outcome.thresholds for outcome in self.outcomes])

    @property
    def confusion(self) -> np.ndarray:
        """Counts of songs: (classes, classes), rows the true classes, columns the votes."""
        from sklearn.metrics import confusion_matrix  # takes 0.5 s, unused by tagging
        return confusion_matrix(self.true, self.voted, labels=range(len(self.classes)))

    @property
    def confusions(self) -> list[Confused]:
        """The pairs of classes that are taken for each other, the most frequent first."""
        wrong, songs = self.confusion, np.bincount(self.true, minlength=len(self.classes))
        np.fill_diagonal(wrong, 0)
        found = [Confused(int(true), int(voted), int(wrong[true, voted]), int(songs[true]))
                 for true, voted in np.argwhere(wrong)]
        return sorted(found, key=lambda pair: (-pair.songs, pair.of))

    @property
    def probabilities(self) -> np.ndarray | None:
        """The mean probabilities of all tested songs, (songs, classes), in the order of `true`.

        None if an earlier version wrote the results, or no songs were tested.
        """
        found = [song for outcome in self.outcomes for song in outcome.probabilities]
        return np.array(found) if found and len(found) == len(self.has) else None

    @property
    def per_class(self) -> dict[str, dict[str, float | None]]:
        """Precision, recall, F1 and number of songs of each tag; empty if none were tested.

        Also the figures of `ranking.of_class`, if the songs' probabilities are known.
        """
        if not len(self.has):
            return {}
        from sklearn.metrics import precision_recall_fscore_support
        answers = ((self.has, self.probabilities >= self.thresholds) if self.several else
                   (self.true, self.voted))
        # not by classification_report, in whose dict a tag may be called 'accuracy', too
        figures = precision_recall_fscore_support(
            *answers, labels=range(len(self.classes)), zero_division=0)
        names = "precision", "recall", "f1-score", "support"
        found = {tag: dict(zip(names, map(float, row), strict=True))
                 for tag, row in zip(self.classes, np.transpose(figures), strict=True)}
        if self.probabilities is not None:
            for tag, *columns in zip(found, self.has.T, self.probabilities.T, strict=True):
                found[tag] |= ranking.of_class(*columns)
        return found

    @property
    def train_share(self) -> float:
        """The share of the training songs that trained; earlier versions took all."""
        return self.parameters.get("trainShare", 1.0)

    @property
    def intervals(self) -> dict[str, Interval]:
        """The accuracies of all test songs together: by majority vote, by mean probability."""
        answers = {"majority_vote": self.voted,
                   "mean_probability": sum((each.likeliest for each in self.outcomes), [])}
        songs = sum((each.songs for each in self.outcomes), [])
        groups = [self.groups.get(song, song) for song in songs] if self.groups else []
        return {figure: Interval.of(np.equal(found, self.true), groups)
                for figure, found in answers.items() if len(found) == len(self.true) > 0}

    @property
    def best_baseline(self) -> Baseline | None:
        """The simple baseline of the best mean accuracy, None if there are none."""
        simple = [baseline for baseline in self.baselines if baseline.simple]
        return max(simple, key=lambda baseline: baseline.mean, default=None)

    @property
    def song_accuracies(self) -> dict[str, float]:
        """Mean accuracies of test songs in %, by who has them: the network, the best baseline."""
        vote = float(np.mean([outcome.majority_vote for outcome in self.outcomes]))
        best, network = self.best_baseline, self.parameters["DL"]["type"]
        found = {f"{network} by majority vote": vote} if self.true else {}
        return found if best is None or self.several else {**found, best.name: best.mean}

    def against(self, baseline: Baseline) -> PairedTest:
        """Compare the majority vote with a baseline, song by song."""
        return PairedTest.of(self.true, self.voted, sum(baseline.voted, []))

    def only(self, name: str) -> Self:
        """Give the results of the fold whose outcome has this name; no outcome if there is none."""
        chosen = [place for place, outcome in enumerate(self.outcomes) if outcome.name == name]
        return replace(self, outcomes=[self.outcomes[place] for place in chosen],
                       baselines=[each.of_folds(chosen) for each in self.baselines])

    def to_json(self) -> dict[str, Any]:
        """Give the values under the keys of the .json file."""
        content = {"parameters": self.parameters, "classes": self.classes,
                   "numParams": self.num_params,
                   "folds": [outcome.to_json() for outcome in self.outcomes]}
        if per_class := self.per_class:
            content["perClass"] = per_class
            if means := ranking.means(per_class):
                content["means"] = means
        if self.true:
            content["intervals"] = {json_form.key(figure): each._asdict()
                                    for figure, each in self.intervals.items()}
        if self.baselines:
            content["baselines"] = [baseline.to_json() for baseline in self.baselines]
        if self.groups:
            content["groups"] = self.groups
        return content

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Make the value that `to_json` gave; it raises what `JsonForm.from_json` does."""
        outcomes = [Outcome.from_json(fold) for fold in content["folds"]]
        baselines = [Baseline.from_json(each) for each in content.get("baselines", [])]
        tested = [len(outcome.songs) for outcome in outcomes]
        if any(list(map(len, each.voted)) != tested for each in baselines if each.voted):
            raise ValueError("its baselines answered other songs")
        if any(each.probabilities and np.shape(each.probabilities) != (
                len(each.tags or each.true), len(content["classes"])) for each in outcomes):
            raise ValueError("its probabilities are of other songs or classes")
        return cls(content["parameters"], content["classes"], content["numParams"], outcomes,
                   baselines, content.get("groups", {}))
