"""What a model's file says about the model."""

from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from mirdl.results.json_form import JsonForm


@dataclass
class ModelInfo(JsonForm):
    """What a model's file says about the model: all that is needed to use it.

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
    architecture : str or None
        The hash of the network's source; see `mirdl.networks.architectures.source_hash`. None for
        published weights.
    versions : dict of str
        Of the packages that shape a model.
    moments : list or None
        Mean and standard deviation that the spectrograms were normalised by, or those of each
        band, (2, bands, 1); None where each song has its own.
    training_songs, validation_songs, test_songs : list of str
        TAG/file of each.
    validation : float or None
        Its validation accuracy, in %; None in files of earlier versions.
    training_moments : list of (float, float) or None
        Mean and variance of each training song's spectrogram, by which one can tell whether a
        song was used in training; None in files of earlier versions.
    several : bool
        A song may have several of the classes, each with a probability of its own.
    """

    parameters: dict[str, Any]
    classes: list[str]
    seed: int
    fold: int
    architecture: str | None
    versions: dict[str, str]
    moments: list[float | list[list[float]]] | None
    training_songs: list[str]
    validation_songs: list[str]
    test_songs: list[str]
    validation: float | None = None
    training_moments: list[list[float]] | None = None
    several: bool = False

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Make the value that `to_json` gave; it raises what `JsonForm.from_json` does."""
        if not isinstance(content, dict):
            raise ValueError("it does not say what it is made for")
        info = super().from_json(content)
        songs = info.training_songs, info.validation_songs, info.test_songs
        moments = [0.0, 1.0] if info.moments is None else info.moments
        if not (isinstance(info.parameters, dict) and _are_texts(info.classes)
                and all(map(_are_texts, songs))
                and len(moments) == 2 and np.isfinite(moments).all()):
            raise ValueError("it does not say what it is made for")
        return info


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(value, str) for value in values)
