"""What a training, a cross-validation and a model came to, as values and as JSON.

The files of data/results have the keys of the original program ('bestEpoch'); the attributes here
are those keys in PEP 8 (best_epoch).
"""

import re
from dataclasses import dataclass, field, fields, replace
from typing import Any, NamedTuple, Self

import numpy as np
from sklearn.metrics import (
    classification_report,
    confusion_matrix,
    precision_recall_fscore_support,
)

from mirdl.results.baseline import Baseline, PairedTest
from mirdl.results.votes import likeliest, majority_vote, share_right

NAN = float("nan")


class EpochFigures(NamedTuple):
    """The figures of one epoch, a row of the training curves.

    Attributes
    ----------
    epoch : int
        From 0.
    training_loss, validation_loss : float
    training_accuracy, validation_accuracy : float
        In %. Those of the validation are nan if no songs validate.
    """

    epoch: int
    training_loss: float
    training_accuracy: float
    validation_loss: float
    validation_accuracy: float

    @property
    def is_validated(self) -> bool:
        """Whether there are validation songs."""
        return not np.isnan(self.validation_accuracy)

    def diverged(self) -> str:
        """Tell which loss is not finite, '' if both are."""
        losses = {"training": self.training_loss}
        if self.is_validated:
            losses["validation"] = self.validation_loss
        for part, loss in losses.items():
            if not np.isfinite(loss):
                return f"the {part} loss is {loss}"
        return ""

    def line(self) -> str:
        """Tell the figures in one line, for a progress bar."""
        text = f"loss {self.training_loss:.3f}, accuracy {self.training_accuracy:.0f} %"
        return text + (f", validation {self.validation_accuracy:.0f} %" if self.is_validated
                       else "")

    def text(self, epochs: int) -> str:
        """Write the figures for a .result file; `epochs` is how many there are at most."""
        text = (f"Epoch {self.epoch + 1} of {epochs}\n"
                f"  training loss:\t\t{self.training_loss:.6f}\n"
                f"  training accuracy:\t\t{self.training_accuracy:.2f} %\n")
        if self.is_validated:
            text += (f"  validation loss:\t\t{self.validation_loss:.6f}\n"
                     f"  validation accuracy:\t\t{self.validation_accuracy:.2f} %\n")
        return text


@dataclass
class Outcome:
    """What one training came to: how its best model did on the fold's test songs.

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
    """

    name: str
    epochs: int
    best_epoch: int
    validation: float
    loss: float = NAN
    utterances: float = NAN
    majority_vote: float = NAN
    songs: list[str] = field(default_factory=list)
    true: list[int] = field(default_factory=list)
    votes: list[list[int]] = field(default_factory=list)
    voted: list[int] = field(default_factory=list)
    seconds: float = 0.0
    fold: int = 0
    mean_probability: float = NAN
    likeliest: list[int] = field(default_factory=list)

    @property
    def test(self) -> list[float]:
        """Test accuracy by majority vote, then that of chunks, to compare outcomes by; not nan."""
        return np.nan_to_num([self.majority_vote, self.utterances]).tolist()

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
        self.majority_vote = share_right(self.voted, true)
        self.mean_probability = share_right(self.likeliest, true)

    def text(self) -> str:
        """Write the test's figures for a .result file."""
        text = ""
        if not np.isnan(self.utterances):
            text += (f"\n[UTTERANCES] Final results:\n  test loss:\t\t\t{self.loss:.6f}\n"
                     f"  test accuracy:\t\t{self.utterances:.2f} %\n")
        if not np.isnan(self.majority_vote):
            text += (f"\n[MAJORITYVOTE] Final results:\n"
                     f"  test accuracy:\t\t{self.majority_vote:.2f} %\n")
        if not np.isnan(self.mean_probability):
            text += (f"\n[MEANPROBABILITY] Final results:\n"
                     f"  test accuracy:\t\t{self.mean_probability:.2f} %\n")
        return text

    def line(self) -> str:
        """Tell the outcome in one line, for the terminal."""
        tested = {"of chunks": self.utterances, "of songs by majority vote": self.majority_vote}
        figures = [f"{figure:.2f} % {what}" for what, figure in tested.items()
                   if not np.isnan(figure)]
        return (f"{self.epochs} epochs in {self.seconds:.1f} s, best {self.best_epoch + 1}; "
                f"test accuracy {', '.join(figures)}")

    def to_json(self) -> dict[str, Any]:
        """Give the values under the keys of the .json files."""
        content = _to_json(self)
        if not self.likeliest:      # not tested, or by a version that did not know it
            del content["meanProbability"], content["likeliest"]
        return content

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Make the outcome that `to_json` gave."""
        return _from_json(cls, content)


@dataclass
class CrossValidation:
    """What a whole cross-validation came to.

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
    """

    parameters: dict[str, Any]
    classes: list[str]
    num_params: int
    outcomes: list[Outcome]
    baselines: list[Baseline] = field(default_factory=list)

    @property
    def true(self) -> list[int]:
        """The labels of all tested songs, fold by fold."""
        return [label for outcome in self.outcomes for label in outcome.true]

    @property
    def voted(self) -> list[int]:
        """The label that was voted for each tested song, in the order of `true`."""
        return [label for outcome in self.outcomes for label in outcome.voted]

    @property
    def confusion(self) -> np.ndarray:
        """Counts of songs: (classes, classes), rows the true classes, columns the votes."""
        return confusion_matrix(self.true, self.voted, labels=range(len(self.classes)))

    @property
    def per_class(self) -> dict[str, dict[str, float]]:
        """Precision, recall, F1 and number of songs of each tag; empty if none were tested."""
        if not self.true:
            return {}
        # not by classification_report, in whose dict a tag may be called 'accuracy', too
        figures = precision_recall_fscore_support(
            self.true, self.voted, labels=range(len(self.classes)), zero_division=0)
        names = "precision", "recall", "f1-score", "support"
        return {tag: dict(zip(names, map(float, row), strict=True))
                for tag, row in zip(self.classes, np.transpose(figures), strict=True)}

    @property
    def best_baseline(self) -> Baseline | None:
        """The baseline of the best mean accuracy, None if there are none."""
        return max(self.baselines, key=lambda baseline: baseline.mean, default=None)

    @property
    def song_accuracies(self) -> dict[str, float]:
        """Mean accuracies of test songs in %, by who has them: the network, the best baseline."""
        vote = float(np.mean([outcome.majority_vote for outcome in self.outcomes]))
        best, network = self.best_baseline, self.parameters["DL"]["type"]
        found = {f"{network} by majority vote": vote} if self.true else {}
        return found if best is None else {**found, best.name: best.mean}

    def against(self, baseline: Baseline) -> PairedTest:
        """Compare the majority vote with a baseline, song by song."""
        return PairedTest.of(self.true, self.voted, sum(baseline.voted, []))

    def beside_best(self) -> list[str]:
        """Tell how the majority vote does beside the best baseline; nothing if one is missing."""
        best = self.best_baseline
        if best is None or not self.true:
            return []
        test = self.against(best)
        lines = [f"Paired test against {best.name}, song by song: p = {test.p:.2g}",
                 f"  {test.first} songs that only the network has right, {test.second} that only "
                 f"{best.name} has"]
        if np.mean([outcome.majority_vote for outcome in self.outcomes]) < best.mean:
            recipe = "" if self.parameters.get("recipe") == "today" else "recipe=today, "
            lines.append(f"By majority vote the network does worse than {best.name} "
                         f"({best.mean:.1f} % of songs): try {recipe}another network (DL.type), "
                         "more epochs (DL.num_epochs) or more songs")
        return lines

    def only(self, name: str) -> Self:
        """Give what the fold whose outcome has this name came to; no outcome if there is none."""
        chosen = [place for place, outcome in enumerate(self.outcomes) if outcome.name == name]
        return replace(self, outcomes=[self.outcomes[place] for place in chosen],
                       baselines=[each.of_folds(chosen) for each in self.baselines])

    def text(self) -> str:
        """Write all that the .result file of a cross-validation says."""
        text = "".join(f"{outcome.name}\n" for outcome in self.outcomes)
        folds = self.parameters["folds"]
        if len(self.outcomes) < folds:
            text += (f"{folds - len(self.outcomes)} of {folds} folds had no finite loss and "
                     "do not count\n")
        text += self._accuracy("utterances") + self._accuracy("majority_vote")
        text += f"Number of parameters: {self.num_params}\n"
        if self.true:
            report = classification_report(
                self.true, self.voted, labels=range(len(self.classes)),
                target_names=self.classes, zero_division=0)
            text += f"Songs by majority vote, all folds together:\n{report}"
        return text + self._accuracy("mean_probability") + self._beside_baselines()

    def _accuracy(self, figure: str) -> str:
        """Write mean and standard deviation over the folds of one figure of the outcomes."""
        values = [getattr(outcome, figure) for outcome in self.outcomes]
        if np.isnan(values).all():
            return ""
        return (f"[CV-{figure.replace('_', '').upper()}] test accuracy:\n"
                f"  mean:\t\t{np.mean(values):.2f} %\n  std:\t\t{np.std(values):.2f} %\n")

    def _beside_baselines(self) -> str:
        """Write what the baselines came to, and how the network does beside the best of them."""
        if not self.baselines:
            return ""
        lines = ["Baselines, from the mean and standard deviation of each band over a song:"]
        lines += [f"  {each.name + ':':21}{each.mean:6.2f} % of songs, std {each.std:.2f} %"
                  for each in self.baselines]
        return "\n".join([*lines, *self.beside_best()]) + "\n"

    def to_json(self) -> dict[str, Any]:
        """Give the values under the keys of the .json file."""
        content = {"parameters": self.parameters, "classes": self.classes,
                   "numParams": self.num_params,
                   "folds": [outcome.to_json() for outcome in self.outcomes]}
        if self.true:
            content["perClass"] = self.per_class
        if self.baselines:
            content["baselines"] = [baseline.to_json() for baseline in self.baselines]
        return content

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Make the value that `to_json` gave.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is not of that form.
        """
        outcomes = [Outcome.from_json(fold) for fold in content["folds"]]
        baselines = [Baseline.from_json(each) for each in content.get("baselines", [])]
        tested = [len(outcome.songs) for outcome in outcomes]
        if any(list(map(len, each.voted)) != tested for each in baselines):
            raise ValueError("its baselines answered other songs")
        return cls(content["parameters"], content["classes"], content["numParams"], outcomes,
                   baselines)


@dataclass
class ModelInfo:
    """What a model's file says of itself: all that it takes to use it.

    Attributes
    ----------
    parameters : dict
        Those that it was trained with, nested as in run.py.
    classes : list of str
        The tags; a label is a tag's place here.
    seed : int
        Of the run.
    fold : int
        From 0.
    architecture : str
        The hash of the network's source; see `mirdl.networks.architectures.source_hash`.
    versions : dict of str
        Of the packages that shape a model.
    moments : list of float or None
        Mean and standard deviation that the spectrograms were normalised by; None where each
        song has its own.
    training_songs, validation_songs, test_songs : list of str
        TAG/file of each.
    validation : float or None
        Its validation accuracy, in %; None in files of earlier versions.
    training_moments : list of (float, float) or None
        Mean and variance of each training song's spectrogram, by which one can tell whether a
        song was heard in training; None in files of earlier versions.
    """

    parameters: dict[str, Any]
    classes: list[str]
    seed: int
    fold: int
    architecture: str
    versions: dict[str, str]
    moments: list[float] | None
    training_songs: list[str]
    validation_songs: list[str]
    test_songs: list[str]
    validation: float | None = None
    training_moments: list[list[float]] | None = None

    def to_json(self) -> dict[str, Any]:
        """Give the values under the keys of the model's file."""
        return _to_json(self)

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Make the value that `to_json` gave.

        Raises
        ------
        ValueError, KeyError, TypeError
            If it is not of that form.
        """
        if not isinstance(content, dict):
            raise ValueError("it does not say what it is made for")
        # what the first versions did not write
        first = {"seed": 0, "fold": 0, "architecture": "", "versions": {}}
        info = _from_json(cls, {**first, **content})
        songs = info.training_songs, info.validation_songs, info.test_songs
        moments = [0.0, 1.0] if info.moments is None else info.moments
        if not (isinstance(info.parameters, dict) and _are_texts(info.classes)
                and all(map(_are_texts, songs))
                and np.isfinite(moments).tolist() == [True, True]):
            raise ValueError("it does not say what it is made for")
        return info


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def _to_json(value: Outcome | ModelInfo) -> dict[str, Any]:
    """Give the attributes of a value; JSON has null for a number that is not finite."""
    content = {_key(each.name): getattr(value, each.name) for each in fields(value)}
    return {key: None if isinstance(each, float) and not np.isfinite(each) else each
            for key, each in content.items()}


def _from_json(cls: type, content: dict[str, Any]) -> Any:  # noqa: ANN401 (an instance of cls)
    """Make a value of `cls`; keys that this version does not know are passed over."""
    keys = {_key(each.name): each for each in fields(cls)}
    known = [(keys[key], value) for key, value in content.items() if key in keys]
    return cls(**{each.name: NAN if value is None and each.type is float else value
                  for each, value in known})


def _key(name: str) -> str:
    """Give the JSON key of an attribute: bestEpoch for best_epoch."""
    return re.sub("_([a-z])", lambda match: match[1].upper(), name)
