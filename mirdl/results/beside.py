"""What a run learnt after training, in files that lie beside its models and name the run."""

import json
import os
import re
from collections.abc import Callable
from typing import Any, TypeVar

from mirdl.errors import UserError
from mirdl.results.models import Model

FOLD = re.compile(r"-(f\d+(t\d+)?)$")      # at the end of a model's name
Found = TypeVar("Found")


def path_beside(model: Model, ending: str) -> str:
    """Give the path of a file of its run that lies beside a model, if it is there."""
    return os.path.join(os.path.dirname(model.path), FOLD.sub("", model.name) + ending)


def read_json(model: Model, ending: str, taken: Callable[[Any], Found], expected: str,
              without: str) -> Found | None:
    """Read a JSON file that lies beside a model.

    Parameters
    ----------
    model : Model
    ending : str
        Of the file's name.
    taken : callable
        Gives what is asked for of the content; a ValueError, TypeError or KeyError if it is wrong.
    expected, without : str
        What the file should have, and what one does without the file, for messages.

    Returns
    -------
    object or None
        None if there is no such file.

    Raises
    ------
    UserError
        If it is damaged.
    """
    path = path_beside(model, ending)
    if not os.path.exists(path):
        return None
    try:
        with open(path, encoding="utf-8") as file:
            return taken(json.load(file))
    except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise UserError(f"{path!r} is damaged: expected {expected}, as a run writes it; remove the "
                        f"file {without} ({error})") from error
