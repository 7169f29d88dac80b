"""data/results: how the files of a run are named, written and read."""

import json
import os
import secrets
import shlex
import time
from collections.abc import Iterable
from itertools import count
from typing import Any
from unicodedata import category, normalize

import numpy as np

from mirdl.errors import UserError
from mirdl.results.curves import EpochFigures, TagFigures
from mirdl.results.outcome import CrossValidation
from mirdl.results.prose import run_text
from mirdl.system import pickles
from mirdl.system.whole_files import cannot_write, make_folder, whole

FOLDER = os.path.join("data", "results")
LONGEST = 255       # bytes of a file's name, on nearly every file system
CURVES = {kind.columns: kind for kind in (EpochFigures, TagFigures)}     # headers of .training


def make_results_folder() -> None:
    """Make data/results where there is a folder data.

    Raises
    ------
    UserError
        If there is none: the program was started in a folder other than its own.
    """
    if not os.path.isdir("data"):
        raise UserError(f"there is no folder 'data' in {os.getcwd()!r}: start the program in its "
                        "own folder, or make data/datasets here")
    make_folder(FOLDER)


def where_to_look(name: str) -> str:
    """Say where the results of a cross-validation are, and how to see them."""
    run = shlex.quote(name.removeprefix(cross_validation("")))
    return (f"Written to {path_of(name, '.result')}\n"
            f"All of it on one page: python utils.py report {run}")


def new_id() -> str:
    """Make an id that never repeats: the time, and eight random digits."""
    return time.strftime("%Y%m%d-%H%M%S-") + secrets.token_hex(4)


def name_of(parameters: dict[str, Any], run_id: str) -> str:
    """Name the files of a run, or of one of its trainings: DATASET_TYPE_ID, without ending."""
    return f"{parameters['DS']['dataset']}_{parameters['DL']['type']}_{run_id}"


def cross_validation(name: str) -> str:
    """Name the files that sum up the cross-validation `name`."""
    return "CrossValidation_" + name


def path_of(name: str, ending: str) -> str:
    """Give the path of the file of `name` with this ending ('.result', '.training' ...)."""
    return os.path.join(FOLDER, name + ending)


def distinct_name(start: str, title: str, ending: str, others: Iterable[str] = ()) -> str:
    """Give a path START + title + ENDING, of a file made for an input of the user's.

    Parameters
    ----------
    start : str
        A folder, or also how the name begins.
    title : str
        The input's name. Only what cannot be in a file name is replaced, and what is too long
        for one is cut off.
    ending : str
    others : iterable of str
        Paths that are taken: a number after the title makes a new one. Paths that differ only in
        case count as equal, because some file systems treat them as the same.
    """
    title = "".join("_" if letter == "/" or category(letter) in ("Cc", "Cs") else letter
                    for letter in title)
    others = {_alike(other) for other in others}
    for number in count(1):
        end = (f"-{number}" if number > 1 else "") + ending
        room = LONGEST - len((os.path.basename(start) + end).encode(errors="surrogateescape"))
        fitting = title.encode()[:max(room, 0)].decode(errors="ignore")
        path = f"{start}{fitting}{end}"
        if _alike(path) not in others:
            return path


def _alike(path: str) -> str:
    return normalize("NFC", path).casefold()


def write_text(text: str, name: str, ending: str) -> None:
    """Write the file of `name` with this ending; names in it may not be Unicode."""
    with whole(path_of(name, ending)) as file:
        file.write(text.encode(errors="backslashreplace").decode())


def write_parameters(parameters: dict[str, Any], name: str) -> None:
    """Write NAME.param: all parameters, as JSON that reads back to the same dict."""
    write_text(json.dumps(parameters, indent=2, allow_nan=False) + "\n", name, ".param")


def write_cross_validation(result: CrossValidation, name: str) -> None:
    """Write the results of a run.

    NAME.confusionMatrix, a pickled list of one array, (classes, classes); NAME.result, what a
    person wants to read; last NAME.json, fold by fold, for programs to read, which shows that the
    run has ended.
    """
    if result.true:
        pickles.dump([result.confusion], path_of(name, ".confusionMatrix"))
    write_text(run_text(result), name, ".result")
    content = json.dumps(result.to_json(), indent=2, allow_nan=False)
    write_text(content + "\n", name, ".json")


def is_done(name: str) -> bool:
    """Tell whether the run NAME has ended."""
    return os.path.exists(path_of(cross_validation(name), ".json"))


def read_outcomes(name: str) -> CrossValidation:
    """Read the results of the run NAME; under a fold's own name, of that fold alone.

    Raises
    ------
    UserError
        If there is no such run, it has not ended, its file is damaged, or the fold does not
        count in it.
    """
    run = name.removeprefix(cross_validation(""))
    for title in (run, cross_validation(run), cross_validation(run.rpartition("-f")[0])):
        if os.path.isfile(path_of(title, ".json")):
            break
    else:
        runs(name)      # is there such a run at all?
        raise UserError(f"the run {name!r} has not ended, so it has no "
                        f"{cross_validation(run)}.json yet; resume it by "
                        "python run.py resume=ID")
    try:
        content = json.loads(_read_text(title, ".json"))
        for number, fold in enumerate(content["folds"]):
            fold.setdefault("fold", number)     # runs of earlier versions did not say it
        result = CrossValidation.from_json(content)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise UserError(f"{path_of(title, '.json')!r} is damaged: {error}") from error
    if title in (run, cross_validation(run)):
        return result
    chosen = result.only(run)
    if not chosen.outcomes:
        raise UserError(f"{run!r} is not one of the folds that count in {title}: "
                        f"{', '.join(outcome.name for outcome in result.outcomes)}")
    return chosen


def write_training(rows: list[EpochFigures], name: str,
                   kind: type[EpochFigures] = EpochFigures) -> None:
    """Write NAME.training: the table of the training curves, as far as they are known."""
    write_text(",".join(kind.columns) + "\n" + "".join(map(_line, rows)), name, ".training")


def append_training(row: EpochFigures, name: str) -> None:
    """Append the figures of one epoch to NAME.training."""
    path = path_of(name, ".training")
    try:
        with open(path, "a", encoding="utf-8") as file:
            file.write(_line(row))
    except OSError as error:
        raise cannot_write(path, error) from error


def read_training(name: str) -> EpochFigures:
    """Read the training curves of NAME.

    Returns
    -------
    EpochFigures
        Of arrays, (epochs,), in place of numbers.

    Raises
    ------
    UserError
        If there is no such table, or it is damaged.
    """
    path = path_of(name, ".training")
    # a last line without its end is being written, or was when its writer was killed: it does
    # not count
    lines = _read_text(name, ".training").split("\n")[:-1]
    header, *rows = [tuple(line.split(",")) for line in lines] or [()]
    if header not in CURVES:
        raise UserError(f"{path!r} is not a table of training curves: expected the header "
                        f"{','.join(EpochFigures.columns)}")
    try:
        table = np.array(rows, dtype=np.float64).reshape(len(rows), len(header))
    except ValueError as error:
        raise UserError(f"{path!r} is damaged: expected {len(header)} numbers in each line; "
                        f"{error}") from error
    return CURVES[header](*table.T)


def count_epochs(name: str) -> int:
    """Count the epochs that NAME.training has by now."""
    path = path_of(name, ".training")
    if not os.path.exists(path):
        return 0
    with open(path, "rb") as file:
        return max(0, file.read().count(b"\n") - 1)


def runs(name: str) -> list[str]:
    """List the trainings of the run NAME that have curves: itself, or those of the whole run.

    Raises
    ------
    UserError
        If there is none; it names the latest runs.
    """
    base = name.removeprefix(cross_validation(""))
    entries = os.listdir(FOLDER) if os.path.isdir(FOLDER) else []
    names = sorted(entry.removesuffix(".training") for entry in entries
                   if entry.endswith(".training"))
    found = [run for run in names if run == base or run.startswith(base + "-")]
    if not found:
        names.sort(key=lambda run: -os.path.getmtime(path_of(run, ".training")))
        latest = list(dict.fromkeys(run.rpartition("-f")[0] for run in names))[:5]
        raise UserError(f"there is no run {name!r} in {FOLDER}; the latest there: "
                        f"{', '.join(latest) or 'none'}")
    return found


def _line(row: EpochFigures) -> str:
    return ",".join(map(str, row)) + "\n"


def _read_text(name: str, ending: str) -> str:
    path = path_of(name, ending)
    try:
        with open(path, encoding="utf-8") as file:
            return file.read()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"cannot read {path!r}: {error}") from error
