"""What a run learns after training, in files that lie beside its models and name the run.

RUN.calibration.json has the temperature of its probabilities; where songs may have several tags,
RUN.thresholds.json has the threshold of each.
"""

import json
import os
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from mirdl.errors import UserError
from mirdl.results import files
from mirdl.results.calibration import HIGHEST, LOWEST, FoldAnswers
from mirdl.results.models import Model
from mirdl.results.outcome import CrossValidation, Outcome
from mirdl.results.thresholds import USUAL, fitted

FOLD = re.compile(r"-(f\d+(t\d+)?)$")      # at the end of a model's name
CALIBRATION, THRESHOLDS = ".calibration.json", ".thresholds.json"


def write(outcomes: list[Outcome], classes: list[str], run: str) -> None:
    """Write what the test songs of all folds tell; nothing if no song was tested."""
    result, tested = CrossValidation({}, classes, 0, outcomes), FoldAnswers.of(outcomes)
    if result.several:
        found = fitted(result.probabilities, result.has).round(6).tolist()
        content = {"thresholds": dict(zip(classes, found, strict=True)), "songs": len(result.has)}
        files.write_text(json.dumps(content, indent=2) + "\n", run, THRESHOLDS)
    elif tested:
        content = {"temperature": round(tested.temperature, 4), "songs": len(tested.true)}
        files.write_text(json.dumps(content) + "\n", run, CALIBRATION)


def read_temperature(model: Model) -> float | None:
    """Read the temperature that lies beside a model; None if there is no such file.

    Raises
    ------
    UserError
        If it is damaged.
    """
    return _read(model, CALIBRATION, lambda content: float(content["temperature"]),
                 LOWEST, HIGHEST, f"a temperature from {LOWEST} to {HIGHEST}", "to do without it")


def read_thresholds(model: Model) -> np.ndarray:
    """Read the thresholds that lie beside a model: (tags,); `USUAL` if there is no such file.

    Raises
    ------
    UserError
        If it is damaged.
    """
    classes = model.info.classes
    found = _read(model, THRESHOLDS,
                  lambda content: [float(content["thresholds"][tag]) for tag in classes],
                  0, 1, "a threshold from 0 to 1 for each tag", f"to take {USUAL} for all")
    return np.full(len(classes), USUAL) if found is None else np.array(found)


def path_beside(model: Model, ending: str) -> str:
    """Give the path of a file of its run that lies beside a model, if it is there."""
    return os.path.join(os.path.dirname(model.path), FOLD.sub("", model.name) + ending)


def _read(model: Model, ending: str, taken: Callable, least: float, most: float,
          expected: str, without: str) -> Any:  # noqa: ANN401 (what `taken` gives)
    """Read numbers from `least` to `most` of a JSON file beside a model; None without the file.

    `taken` gives them of the content; `expected` and `without` are for messages: what the file
    should have, and what one does without it.
    """
    path = path_beside(model, ending)
    if not os.path.exists(path):
        return None
    try:
        with open(path, encoding="utf-8") as file:
            found = taken(json.load(file))
        if not all(least <= value <= most for value in np.ravel(found)):
            raise ValueError(f"it has {found}")
        return found
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise UserError(f"{path!r} is damaged: expected {expected}, as a run writes it; remove the "
                        f"file {without} ({error})") from error
