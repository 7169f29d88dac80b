"""The words of DS.augment, 'crop+mixup:0.2', and the strengths that they give."""

# Each way to alter training chunks, with its strength where none is given, and the limits of what
# may be given; see mirdl.spectrograms.augmentation
AUGMENTATIONS = {"crop": (None, None, None), "stretch": (1.2, 1.0, 4.0), "gain": (0.3, 0.0, 10.0),
                 "mask": (0.1, 0.0, 0.9), "mixup": (0.3, 0.0, 10.0)}


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
