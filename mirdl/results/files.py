"""data/results: how the files of a run are named, written and read."""

import io
import json
import os
import secrets
import time
import zipfile

import numpy as np

from mirdl.errors import UserError
from mirdl.system import pickles
from mirdl.system.whole_files import cannot_write, whole

FOLDER = os.path.join("data", "results")
MODELS = os.path.join("data", "preloaded", "models")
CURVES = ("epoch", "trainingLoss", "trainingAccuracy", "validationLoss", "validationAccuracy")


def new_id():
    """An id that never repeats: when the run began, and eight random digits."""
    return time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(4)


def name_of(parameters, id):
    """DATASET_TYPE_ID: the name, without ending, of the files of one fold and try, or of a whole run."""
    return f"{parameters['DS']['dataset']}_{parameters['DL']['type']}_{id}"


def cross_validation(name):
    """The name of the files that sum up a cross-validation."""
    return "CrossValidation_" + name


def path_of(name, ending):
    """Where the file of `name` with this ending ('.result', '.training' ...) stands."""
    return os.path.join(FOLDER, name + ending)


def write_parameters(parameters, name):
    """NAME.param: all parameters, as JSON that reads back to the same dict."""
    _write_text(name, ".param", json.dumps(parameters, indent=2) + "\n")


def read_parameters(name):
    """The parameters of the run NAME."""
    try:
        return json.loads(_read_text(name, ".param"))
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path_of(name, '.param')!r} is damaged: expected JSON; {error}") from error


def write_result(text, name):
    """NAME.result: what a person wants to read of a run."""
    _write_text(name, ".result", text)


def write_confusion(matrix, name):
    """NAME.confusionMatrix: a pickled list of one array, (classes, classes), rows the true classes."""
    pickles.dump([matrix], path_of(name, ".confusionMatrix"))


def read_confusion(name):
    """The confusion matrix of the run NAME, (classes, classes), rows the true classes."""
    path = path_of(name, ".confusionMatrix")
    try:
        [matrix] = pickles.load(path)
        if not (isinstance(matrix, np.ndarray) and matrix.ndim == 2 and matrix.dtype.kind in "iu"):
            raise ValueError("expected one matrix of counts")
        return matrix
    except (OSError, ValueError, TypeError) as error:
        raise UserError(f"cannot read {path!r}: {error}") from error


def write_outcomes(outcomes, name):
    """NAME.json: what a run came to, fold by fold, for programs to read; see dl.summarise."""
    _write_text(name, ".json", json.dumps(outcomes, indent=2) + "\n")


def is_done(name):
    """Whether the run NAME has ended."""
    return os.path.exists(path_of(cross_validation(name), ".json"))


def read_outcomes(name):
    """What the run NAME came to, as given to `write_outcomes`; under a fold's own name that fold alone."""
    run = name.removeprefix(cross_validation(""))
    for title in (run, cross_validation(run), cross_validation(run.rpartition("-f")[0])):
        if os.path.isfile(path_of(title, ".json")):
            break
    else:
        runs(name)      # is there such a run at all?
        raise UserError(f"the run {name!r} has not ended, so it has no {cross_validation(run)}.json yet; go on with it by "
                        "python run.py resume=ID")
    try:
        content = json.loads(_read_text(title, ".json"))
        for number, fold in enumerate(content["folds"]):
            fold.setdefault("fold", number)     # runs of earlier versions did not say it
        names = [fold["name"] for fold in content["folds"]]
        if title in (run, cross_validation(run)):
            return content
        if run in names:
            return {**content, "folds": [content["folds"][names.index(run)]]}
    except (ValueError, TypeError, KeyError) as error:
        raise UserError(f"{path_of(title, '.json')!r} is damaged: {error}") from error
    raise UserError(f"{run!r} is none of the folds that count in {title}: {', '.join(names)}")


def write_training(rows, name):
    """NAME.training: the table of the training curves, as far as they are known."""
    _write_text(name, ".training", ",".join(CURVES) + "\n" + "".join(map(_line, rows)))


def append_training(row, name):
    """Append the figures of one epoch, in the order of `CURVES`, to NAME.training."""
    path = path_of(name, ".training")
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(_line(row))
    except OSError as error:
        raise cannot_write(path, error) from error


def read_training(name):
    """The training curves of the run NAME: a dict of arrays, (epochs,), by the names in `CURVES`."""
    path = path_of(name, ".training")
    # a last line without its end is being written, or was when its writer was killed: it does not count
    header, *rows = [tuple(line.split(",")) for line in _read_text(name, ".training").split("\n")[:-1]] or [()]
    if header != CURVES:
        raise UserError(f"{path!r} is no table of training curves: expected the header {','.join(CURVES)}")
    try:
        table = np.array(rows, dtype=np.float64).reshape(len(rows), len(CURVES))
    except ValueError as error:
        raise UserError(f"{path!r} is damaged: expected {len(CURVES)} numbers in each line; {error}") from error
    return dict(zip(CURVES, table.T))


def count_epochs(name):
    """How many epochs NAME.training has by now."""
    path = path_of(name, ".training")
    if not os.path.exists(path):
        return 0
    with open(path, "rb") as file:
        return max(0, file.read().count(b"\n") - 1)


def save_model(values, about, name):
    """NAME.npz: the network's parameter values, arr_0 .. in get_all_params order, and `about`, what else it takes to use them.

    Parameters
    ----------
    values : list of ndarray
    about : dict
        Of plain values; kept as JSON in the array 'about', so the file loads without pickle.
    """
    with whole(path_of(name, ".npz"), "wb") as file:
        np.savez(file, *values, about=np.array(json.dumps(about)))


def find_model(name):
    """The path of the model NAME in data/results or data/preloaded/models."""
    if os.path.basename(name) != name:
        raise UserError(f"{name!r} is no name of a model: give it without folders, as in data/results")
    for folder in (FOLDER, MODELS):
        path = os.path.join(folder, name + ".npz")
        if os.path.isfile(path):
            return path
    there = sorted(file[:-4] for folder in (FOLDER, MODELS) if os.path.isdir(folder)
                   for file in os.listdir(folder) if file.endswith(".npz"))
    raise UserError(f"there is no model {name!r} in {FOLDER} or {MODELS}; models there: {', '.join(there) or 'none'}")


def best_model(name):
    """The name of the model NAME, or of a run's model with the best validation accuracy."""
    if any(os.path.isfile(os.path.join(folder, name + ".npz")) for folder in (FOLDER, MODELS)):
        return name
    return max(read_outcomes(name)["folds"], key=lambda fold: fold["validation"])["name"]


def load_model(path):
    """The parameter values of a model file, in get_all_params order, and what it says about itself ({} in older files).

    Raises
    ------
    UserError
        If it is no such file, is damaged, or holds Python objects.
    """
    try:
        arrays = _arrays(path)
        about = json.loads(str(arrays.pop("about", "{}")))
        _check_about(about)
        values = [arrays[f"arr_{place}"] for place in range(len(arrays))]
        if not all(value.dtype.kind == "f" and np.isfinite(value).all() for value in values):
            raise ValueError("it holds values that are no finite numbers")
        return values, about
    except Exception as error:      # a damaged archive can raise nearly anything
        raise UserError(f"{path!r} is no model file (an .npz of the arrays arr_0, arr_1 ...): {error}") from error


def _arrays(path):
    """The arrays of an .npz file by name. Nothing is allocated because a header says so, and no object is made."""
    with zipfile.ZipFile(path) as archive:
        if sum(member.file_size for member in archive.infolist()) > os.path.getsize(path):
            raise ValueError("its parts are larger than the file (or compressed, which numpy.savez does not)")
        return {name.removesuffix(".npy"): _array(archive.read(name)) for name in archive.namelist()}


def _array(content):
    """The array of an .npy file's content."""
    stream = io.BytesIO(content)
    version = np.lib.format.read_magic(stream)
    read_header = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
    shape, by_columns, dtype = read_header(stream)
    return np.frombuffer(content[stream.tell():], dtype).reshape(shape, order="F" if by_columns else "C")


def _check_about(about):
    """Refuse what no model of ours says about itself ({}, which an original's model has, is allowed)."""
    if not (isinstance(about, dict) and (not about or isinstance(about["parameters"], dict) and _are_texts(about["classes"])
                                         and all(_are_texts(about[f"{part}Songs"]) for part in ("training", "validation", "test"))
                                         and (about["moments"] is None or np.isfinite(about["moments"]).tolist() == [True, True]))):
        raise ValueError("it does not say what it is made for")


def _are_texts(values):
    return isinstance(values, list) and all(isinstance(value, str) for value in values)


def runs(name):
    """The names of the folds and tries of the run NAME that have training curves: itself, or those of the whole run."""
    base = name.removeprefix(cross_validation(""))
    there = sorted(file[:-len(".training")] for file in os.listdir(FOLDER) if file.endswith(".training")) \
        if os.path.isdir(FOLDER) else []
    found = [run for run in there if run == base or run.startswith(base + "-")]
    if not found:
        there.sort(key=lambda run: -os.path.getmtime(path_of(run, ".training")))
        latest = list(dict.fromkeys(run.rpartition("-f")[0] for run in there))[:5]
        raise UserError(f"there is no run {name!r} in {FOLDER}; the latest there: {', '.join(latest) or 'none'}")
    return found


def _line(row):
    return ",".join(map(str, row)) + "\n"


def _write_text(name, ending, text):
    with whole(path_of(name, ending)) as file:
        file.write(text)


def _read_text(name, ending):
    path = path_of(name, ending)
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path!r}: {error}") from error
