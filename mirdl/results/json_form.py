"""Values as JSON, under the keys of the original program: best_epoch is 'bestEpoch'."""

import re
from dataclasses import fields
from typing import Any

import numpy as np


def to_json(value: object) -> dict[str, Any]:
    """Give the attributes of a value; JSON has null for a number that is not finite."""
    content = {key(each.name): getattr(value, each.name) for each in fields(value)}
    return {name: None if isinstance(each, float) and not np.isfinite(each) else each
            for name, each in content.items()}


def from_json(cls: type, content: dict[str, Any]) -> Any:  # noqa: ANN401 (an instance of cls)
    """Make a value of `cls`; keys that this version does not know are passed over."""
    keys = {key(each.name): each for each in fields(cls)}
    known = [(keys[name], value) for name, value in content.items() if name in keys]
    return cls(**{each.name: np.nan if value is None and each.type is float else value
                  for each, value in known})


def key(name: str) -> str:
    """Give the JSON key of an attribute: bestEpoch for best_epoch."""
    return re.sub("_([a-z])", lambda match: match[1].upper(), name)
