"""What the value of a setting may be."""

import math
import re
from collections.abc import Callable
from typing import Any, NamedTuple


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
EVEN = Kind(int, "an even whole number from 2 to 1048576",
            lambda value: 2 <= value <= 2**20 and value % 2 == 0)
ONE = Kind(int, "1 (a spectrogram has one channel)", lambda value: value == 1)
VALIDATION = Kind(
    str, "'published', 0 or a share of at most 0.5 (of the songs that are not tested)",
    lambda value: value == "published" or validation_share(value) <= 0.5)
WINDOW = choice("hamming", "hann", "hannnsgcq", "triangular", "square", "blackmanharris62",
                "blackmanharris70", "blackmanharris74", "blackmanharris92")

# how training chunks can be altered, with the strength of each where none is given, and the limits
# of what may be given; see mirdl.spectrograms.augmentation
AUGMENTATIONS = {"crop": (None, None, None), "stretch": (1.2, 1.0, 4.0), "gain": (0.3, 0.0, 10.0),
                 "mask": (0.1, 0.0, 0.9), "mixup": (0.3, 0.0, 10.0)}
AUGMENT = Kind(
    str, "'' or any of crop+stretch:1.2+gain:0.3+mask:0.1+mixup:0.3, with a strength or without",
    lambda value: strengths(value) is not None)


def strengths(augment: str) -> dict[str, float | None] | None:
    """Read DS.augment: the strength of each way to alter chunks; None if it is not understood.

    Examples
    --------
    >>> strengths("crop+mixup:0.2+mask")
    {'crop': None, 'mixup': 0.2, 'mask': 0.1}
    """
    found = {}
    for part in filter(None, augment.split("+")):
        way, colon, strength = part.partition(":")
        if way not in AUGMENTATIONS or way in found:
            return None
        default, least, most = AUGMENTATIONS[way]
        try:
            found[way] = float(strength) if colon else default
        except ValueError:
            return None
        if colon and (least is None or not least < found[way] <= most):
            return None
    return found


def validation_share(validation: str) -> float:
    """Read the share in `validation`; nan if it is none."""
    return float(validation) if re.fullmatch(r"0?\.\d+|0", validation) else float("nan")
