"""RUN.thresholds.json, which lies beside the models of a run whose songs may have several tags."""

import json
import os

import numpy as np

from mirdl.errors import UserError
from mirdl.results import files
from mirdl.results.calibration import path_beside
from mirdl.results.models import Model
from mirdl.results.outcome import CrossValidation, Outcome
from mirdl.results.thresholds import USUAL, fitted

ENDING = ".thresholds.json"


def write(outcomes: list[Outcome], classes: list[str], run: str) -> None:
    """Write the thresholds that fit all test songs, unless songs have one tag each."""
    result = CrossValidation({}, classes, 0, outcomes)
    if result.several:
        found = fitted(result.probabilities, result.has).round(6).tolist()
        content = {"thresholds": dict(zip(classes, found, strict=True)),
                   "songs": len(result.has)}
        files.write_text(json.dumps(content, indent=2) + "\n", run, ENDING)


def read(model: Model) -> np.ndarray:
    """Read the thresholds that lie beside a model: (tags,); `USUAL` if there is no such file.

    Raises
    ------
    UserError
        If it is damaged.
    """
    path = path_beside(model, ENDING)
    if not os.path.exists(path):
        return np.full(len(model.info.classes), USUAL)
    try:
        with open(path, encoding="utf-8") as file:
            known = json.load(file)["thresholds"]
        found = np.array([float(known[tag]) for tag in model.info.classes])
        if not ((found >= 0) & (found <= 1)).all():
            raise ValueError(f"the thresholds are {known}")
        return found
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise UserError(f"{path!r} is damaged: expected a threshold from 0 to 1 for each tag, as a "
                        f"run writes it; remove the file to take {USUAL} for all ({error})"
                        ) from error
