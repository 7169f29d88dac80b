"""Whether a model fits the spectrograms, the network and the data set it is used with."""

import shlex
from collections.abc import Callable
from typing import Any

import lasagne
import numpy as np
from scipy.spatial import cKDTree

from mirdl import settings
from mirdl.errors import UserError
from mirdl.results.models import Model, load, names_of
from mirdl.songs.dataset import DataSet

# what a model keeps about how its songs were tagged and divided; in parameters["DS"]
SPLIT = ("split", "labels", "background")
ROUNDING = 1e-5     # by which mean and variance differ between processors, relative
# on other spectrograms a model still gives answers, but wrong ones
INPUT = ("DL.type", *settings.keys(settings.SPECTROGRAM, settings.INPUT))


def with_split(parameters: dict[str, Any]) -> dict[str, Any]:
    """Give parameters whose mode is a model the DS.split and DS.labels that it was trained with.

    Those that are set stay. If the model was trained on another data set, or if mode is 'train',
    nothing changes.
    """
    if parameters["mode"] == "train":
        return parameters
    info, data = load(names_of(parameters["mode"])[0]).info, parameters["DS"]
    made = info.parameters.get("DS", {}) if info else {}        # the original's models have none
    if made.get("dataset") != data["dataset"]:
        return parameters
    kept = {key: made[key] for key in SPLIT if made.get(key) and not data[key]}
    for key, value in kept.items():
        print(f"DS.{key}={value}, as the model was trained")
    return {**parameters, "DS": {**data, **kept}}


def check_input(models: list[Model], parameters: dict[str, Any]) -> None:
    """Refuse models that were made for other spectrograms than those of `parameters`.

    Raises
    ------
    UserError
        With the settings that fit the model. A model that does not say what it is made for
        is not refused.
    """
    given, published = (dict(settings.flat(each)) for each in (parameters, settings.published()))
    for model in models:
        # settings that the version which trained it did not have are as published
        made = {**published, **dict(settings.flat(model.info.parameters))} if model.info else {}
        differ = [key for key in INPUT if key in made and made[key] != given[key]]
        if differ:
            raise UserError(f"the model {model.path!r} was made with {_list(made, differ)}, here "
                            f"it is {_list(given, differ)}; add the model's settings to the "
                            "command line, or set them in run.py")


def check_models(models: list[Model], dataset: DataSet, parameters: dict[str, Any],
                 build: Callable) -> None:
    """Refuse models that have other classes, or do not fit the network.

    Parameters
    ----------
    models : list of Model
    dataset : DataSet
    parameters : dict
    build : callable
        As for `mirdl.training.network.Network`.

    Raises
    ------
    UserError
    """
    output, _ = build(None, parameters, len(dataset.classes), dataset.several)
    expected = [value.shape for value in lasagne.layers.get_all_param_values(output)]
    for model in models:
        if model.info and model.info.classes != dataset.classes:
            raise UserError(f"the model {model.path!r} has the classes "
                            f"{', '.join(model.info.classes)}, data set "
                            f"{parameters['DS']['dataset']!r} has {', '.join(dataset.classes)}; "
                            "they must be equal")
        if model.info and model.info.several != dataset.several:
            one, other = ("several tags", "one tag each")[::1 if model.info.several else -1]
            raise UserError(f"the model {model.path!r} was trained on songs of {one}, and those of "
                            f"data set {parameters['DS']['dataset']!r} have {other}; they must be "
                            "alike")
        found = [value.shape for value in model.weights]
        if found != expected:
            raise UserError(
                f"the model {model.path!r} is not {parameters['DL']['type']} for "
                f"{len(dataset.classes)} classes: it has {len(found)} arrays and {_count(found)} "
                f"numbers, expected {len(expected)} arrays and {_count(expected)} numbers; set "
                "DL.type and DS as in its .param file")


def seen_songs(model: Model, dataset: DataSet) -> np.ndarray:
    """Tell which songs of a data set the model was trained on.

    Songs are compared by mean and variance of their spectrograms, as names may have changed;
    by name only if the model is of an earlier version.

    Returns
    -------
    ndarray of bool
        (songs,).
    """
    if model.info is None:
        return np.zeros(len(dataset.names), bool)
    if model.info.training_moments is None:
        return np.isin(dataset.names, model.info.training_songs)
    known, songs = (np.log(np.abs(values) + 1e-30) for values in (
        model.info.training_moments, np.transpose([dataset.mean, dataset.variance])))
    distances, _ = cKDTree(known).query(songs)
    return distances < ROUNDING


def _list(parameters: dict[str, Any], keys: list[str]) -> str:
    return " ".join(shlex.quote(f"{key}={parameters[key]}") for key in keys)


def _count(shapes: list[tuple[int, ...]]) -> int:
    return sum(int(np.prod(shape)) for shape in shapes)
