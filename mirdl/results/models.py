"""The models in data/results and data/preloaded/models: how they are found, written and read."""

import json
import os
import re
import zipfile
from dataclasses import dataclass

import numpy as np

from mirdl.errors import UserError
from mirdl.results import files
from mirdl.results.model_info import ModelInfo
from mirdl.songs.audio_files import ROOT
from mirdl.songs.stretch import recording_of
from mirdl.system.whole_files import whole

PRELOADED = os.path.join("data", "preloaded", "models")
FRONT_END = ".frontend.npz"     # beside an exported model, but not a model


@dataclass
class Model:
    """A model, as its file holds it.

    Attributes
    ----------
    name : str
    path : str
    weights : list of ndarray
        The values of the network's parameters, in Lasagne's get_all_params order.
    info : ModelInfo or None
        What the file says of itself; None if the original program wrote it.
    """

    name: str
    path: str
    weights: list[np.ndarray]
    info: ModelInfo | None

    @property
    def num_params(self) -> int:
        """How many numbers were learnt, with the running averages of batch normalisation."""
        return sum(value.size for value in self.weights)


def save(weights: list[np.ndarray], info: ModelInfo, name: str) -> None:
    """Write NAME.npz: the weights as arr_0, arr_1 ..., and `info` as JSON in the array 'about'.

    The file loads without pickle.
    """
    with whole(files.path_of(name, ".npz"), "wb") as file:
        np.savez(file, *weights, about=np.array(json.dumps(info.to_json(), allow_nan=False)))


def load(name: str) -> Model:
    """Read the model NAME of data/results or data/preloaded/models.

    Raises
    ------
    UserError
        If there is none, or its file is damaged or holds Python objects.
    """
    path = _find(name)
    try:
        arrays = arrays_of(path)
        content = json.loads(str(arrays.pop("about", "{}")))
        info = ModelInfo.from_json(content) if content != {} else None
        weights = [arrays[f"arr_{place}"] for place in range(len(arrays))]
        if not all(value.dtype.kind == "f" and np.isfinite(value).all() for value in weights):
            raise ValueError("it holds values that are not finite numbers")
        return Model(name, path, weights, info)
    except Exception as error:      # a damaged archive can raise nearly anything
        raise UserError(f"{path!r} is not a model file (an .npz of the arrays arr_0, arr_1 ...): "
                        f"{error}") from error


def load_best(name: str) -> Model:
    """Read the model NAME, or a run's model with the best validation accuracy.

    Raises
    ------
    UserError
        As `load`, and if the file does not say what the model is made for.
    """
    if _path(name) is None and not _preloaded(name):
        # earlier versions' models do not say their validation accuracy
        outcomes = files.read_outcomes(name).outcomes
        name = max(outcomes, key=lambda outcome: outcome.validation).name
    return max(load_all(name), key=lambda model: model.info.validation or 0)


def load_for(name: str, song: str) -> Model:
    """Read the model NAME, or of a run the model that was tested on an audio file.

    Parameters
    ----------
    name : str
    song : str
        The path of the audio file. If no model was tested on it, `load_best` chooses.

    Raises
    ------
    UserError
        As `load_best`.
    """
    tested = [model for model in load_all(name) if part_of(song, model) == "test"]
    return tested[0] if tested else load_best(name)


def part_of(song: str, model: Model) -> str:
    """Tell which part an audio file had for a model.

    Returns
    -------
    str
        'training', 'validation' or 'test'; '' if it is not a song of the model's data set.
    """
    info, file = model.info, os.path.basename(song)
    folder = os.path.join(ROOT, info.parameters["DS"]["dataset"])
    parts = {"training": info.training_songs, "validation": info.validation_songs,
             "test": info.test_songs}
    paths = [(part, os.path.join(folder, name)) for part, names in parts.items()
             for name in map(recording_of, names) if os.path.basename(name) == file]
    return next((part for part, path in paths if os.path.exists(path) and os.path.exists(song)
                 and os.path.samefile(path, song)), "")


def load_all(name: str) -> list[Model]:
    """Read the models of all folds of the run NAME, or the model NAME alone.

    Raises
    ------
    UserError
        As `load_best`.
    """
    found = [load(each) for each in names_of(name)]
    for model in found:
        if model.info is None:
            raise UserError(f"the model {model.path!r} does not say what it is made for: it was "
                            "not written by this program")
    return found


def load_of_folds(name: str, folds: int) -> list[Model]:
    """Read the model that is to be tested on each fold.

    Parameters
    ----------
    name : str
        A model, which is tested on every fold; or a run, of which each fold has its own model.
    folds : int

    Raises
    ------
    UserError
        As `load`, and if the run has not one model for each fold.
    """
    if names_of(name) == [name]:
        return [load(name)] * folds
    found = {model.info.fold: model for model in load_all(name)}
    if sorted(found) != list(range(folds)):
        way = f"set folds={len(found)}, or " if sorted(found) == list(range(len(found))) else ""
        raise UserError(f"the run {name!r} has models of {len(found)} folds, and folds={folds}: "
                        f"{way}name one of its models: "
                        f"{', '.join(model.name for model in found.values())}")
    return [found[fold] for fold in range(folds)]


def names_of(name: str) -> list[str]:
    """Name the model NAME, or those of a run: that count in it, or those in PRELOADED alone."""
    if _path(name) is not None or os.path.basename(name) != name:
        return [name]
    return _preloaded(name) or [outcome.name for outcome in files.read_outcomes(name).outcomes]


def _preloaded(name: str) -> list[str]:
    """Name the models of a run that are in PRELOADED, if its results are not here."""
    base = name.removeprefix(files.cross_validation(""))
    if files.is_done(base) or not os.path.isdir(PRELOADED):
        return []
    return [entry.removesuffix(".npz") for entry in sorted(os.listdir(PRELOADED))
            if re.fullmatch(rf"{re.escape(base)}-f\d+(t\d+)?\.npz", entry)]


def _path(name: str) -> str | None:
    """Give the path of the model NAME, None if there is none."""
    paths = [os.path.join(folder, name + ".npz") for folder in (files.FOLDER, PRELOADED)]
    return next(filter(os.path.isfile, paths), None)


def _find(name: str) -> str:
    if os.path.basename(name) != name:
        raise UserError(f"{name!r} is not the name of a model: give it without folders, as in "
                        "data/results")
    path = _path(name)
    if path is None:
        names = sorted(entry.removesuffix(".npz") for folder in (files.FOLDER, PRELOADED)
                       if os.path.isdir(folder)
                       for entry in os.listdir(folder)
                       if entry.endswith(".npz") and not entry.endswith(FRONT_END))
        raise UserError(f"there is no model {name!r} in {files.FOLDER} or {PRELOADED}; "
                        f"models there: {', '.join(names) or 'none'}")
    return path


def arrays_of(path: str) -> dict[str, np.ndarray]:
    """Read the arrays of an .npz file by name; no object is made.

    What a header promises takes no memory until it is read.
    """
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > os.path.getsize(path):
            raise ValueError("its parts are larger than the file (or compressed, which "
                             "numpy.savez does not)")
        arrays = {}
        for name in archive.namelist():
            with archive.open(name) as file:
                arrays[name.removesuffix(".npy")] = np.lib.format.read_array(file)
                if file.read(1):
                    raise ValueError(f"{name!r} holds more than its header says")
        return arrays
