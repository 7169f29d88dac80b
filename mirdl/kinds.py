"""What the value of a setting may be."""

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from mirdl.strengths import strengths


class Kind(NamedTuple):
    """What a value may be: its type, the words for what is expected, and the test for that."""

    type: type
    expected: str
    allows: Callable[[Any], bool]


def integer(least: int) -> Kind:
    """Take whole numbers from `least` on."""
    return Kind(int, f"a whole number of {least} or more", lambda value: least <= value < 2**31)


def number(expected: str, allows: Callable[[float], bool]) -> Kind:
    """Take finite numbers that `allows` lets pass."""
    return Kind(float, expected, lambda value: math.isfinite(value) and allows(value))


def choice(*choices: str) -> Kind:
    """Take one of these texts."""
    return Kind(str, "one of " + ", ".join(map(repr, choices)), lambda value: value in choices)


def name(expected: str) -> Kind:
    """Take a text that can be part of a file's name."""
    # a name becomes part of file names: it must not climb out of data/
    return Kind(str, expected, lambda value: bool(value) and value == value.strip()
                and value.isprintable() and not value.startswith(".")
                and not set(value) & set('/\\:*?"<>|'))


def text(expected: str) -> Kind:
    """Take any printable text."""
    return Kind(str, expected, str.isprintable)


FLAG = Kind(bool, "True or False", lambda value: True)
SHARE = number("a share from 0 to 1", lambda value: 0 <= value <= 1)
POSITIVE_SHARE = number("a share above 0, at most 1", lambda value: 0 < value <= 1)
EVEN = Kind(int, "an even whole number from 2 to 1048576",
            lambda value: 2 <= value <= 2**20 and value % 2 == 0)
ONE = Kind(int, "1 (a spectrogram has one channel)", lambda value: value == 1)
VALIDATION = Kind(
    str, "'published', 0 or a share of at most 0.5 (of the songs that are not tested)",
    lambda value: value == "published" or validation_share(value) <= 0.5)
WINDOW = choice("hamming", "hann", "hannnsgcq", "triangular", "square", "blackmanharris62",
                "blackmanharris70", "blackmanharris74", "blackmanharris92")

AUGMENT = Kind(
    str,
    "'' or any of crop+stretch:1.2+gain:0.3+mask:0.1+mixup:0.3, each with or without a strength",
    lambda value: strengths(value) is not None)


def validation_share(validation: str) -> float:
    """Read the share in `validation`; nan if it is none."""
    return float(validation) if re.fullmatch(r"0?\.\d+|0", validation) else float("nan")
