"""RUN.thresholds.json, which lies beside the models of a run whose songs may have several tags."""

import json

import numpy as np

from mirdl.results import files
from mirdl.results.beside import read_json
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
    def taken(content: dict[str, dict[str, float]]) -> np.ndarray:
        known = content["thresholds"]
        found = np.array([float(known[tag]) for tag in model.info.classes])
        if not ((found >= 0) & (found <= 1)).all():
            raise ValueError(f"the thresholds are {known}")
        return found
    found = read_json(model, ENDING, taken, "a threshold from 0 to 1 for each tag",
                      f"to take {USUAL} for all")
    return np.full(len(model.info.classes), USUAL) if found is None else found
