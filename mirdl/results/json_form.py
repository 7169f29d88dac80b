"""Values as JSON, under the keys of the original program: best_epoch is 'bestEpoch'."""

import re
from dataclasses import fields
from typing import Any, Self

import numpy as np


class JsonForm:
    """A dataclass that is written as JSON."""

    def to_json(self) -> dict[str, Any]:
        """Give the attributes; JSON has null for a number that is not finite."""
        content = {key(each.name): getattr(self, each.name) for each in fields(self)}
        return {name: None if isinstance(each, float) and not np.isfinite(each) else each
                for name, each in content.items()}

    @classmethod
    def from_json(cls, content: dict[str, Any]) -> Self:
        """Make a value of what `to_json` gave; keys that are not known here are passed over.

        Raises
        ------
        AttributeError, KeyError, TypeError, ValueError
            If it is not of that form.
        """
        keys = {key(each.name): each for each in fields(cls)}
        known = [(keys[name], value) for name, value in content.items() if name in keys]
        return cls(**{each.name: np.nan if value is None and each.type is float else value
                      for each, value in known})


def key(name: str) -> str:
    """Give the JSON key of an attribute: bestEpoch for best_epoch."""
    return re.sub("_([a-z])", lambda match: match[1].upper(), name)
