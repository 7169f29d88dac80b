"""Training chunks altered at random, anew in each epoch, so that a network learns more from them.

What is drawn for an epoch is a few numbers for each chunk (`Draws`). They are applied where chunks
are cut out: here, on the CPU, or on a device (`mirdl.training.on_device`).
"""

from types import ModuleType
from typing import Any, NamedTuple

import numpy as np

WAVES = 4       # cosines that a gain curve over the bands is made of


class Draws(NamedTuple):
    """What is drawn for each chunk of an epoch; None for what is not asked for.

    Attributes
    ----------
    factor : ndarray or None
        float32, (chunks,), by which a chunk is faster ('stretch').
    gain : ndarray or None
        float32, (chunks, WAVES), the cosines of a curve that is added over the bands ('gain').
    bands, frames : ndarray or None
        int32, (chunks, 2), the first band or frame that is set to 0, and the one after the last
        ('mask').
    weight : ndarray or None
        float32, (chunks,), of the chunk itself; the rest goes to the chunk before it in its
        batch ('mixup').
    """

    factor: np.ndarray | None = None
    gain: np.ndarray | None = None
    bands: np.ndarray | None = None
    frames: np.ndarray | None = None
    weight: np.ndarray | None = None


def draw(start: np.ndarray, frames: np.ndarray, bands: int, width: int,
         asked: dict[str, float | None], rng: np.random.RandomState) -> tuple[np.ndarray, Draws]:
    """Draw what happens to each chunk in an epoch.

    Parameters
    ----------
    start : ndarray of int
        (chunks,), the first frame of each in its song.
    frames : ndarray of int
        (chunks,), how many frames its song has.
    bands, width : int
        Bands and frames of a chunk.
    asked : dict
        The strength of each augmentation; see `mirdl.strengths`. A chunk begins anywhere
        in its song (crop); its tempo is changed by a factor of at most the strength, evenly drawn
        on a logarithmic axis (stretch); each cosine of the curve over its bands has this standard
        deviation, in standard deviations of the data (gain); up to this share of its bands, and of
        its frames, is set to the mean (mask); its weight is drawn from a Beta distribution with
        both parameters of this value, and is at least 0.5 (mixup).
    rng : RandomState

    Returns
    -------
    start : ndarray of int
        (chunks,), the first frame of each now.
    draws : Draws
    """
    count, drawn = len(start), {}
    last = frames - width       # the last frame at which a chunk may begin
    if "stretch" in asked:
        factor = np.exp(rng.uniform(-1, 1, count) * np.log(asked["stretch"]))
        factor = np.minimum(factor, (frames - 2) / max(width - 1, 1)).astype(np.float32)
        drawn["factor"], last = factor, frames - 2 - (factor * (width - 1)).astype(np.int64)
    if "crop" in asked:
        start = (rng.uniform(size=count) * (last + 1)).astype(np.int64)
    if "gain" in asked:
        drawn["gain"] = (asked["gain"] * rng.standard_normal((count, WAVES))).astype(np.float32)
    if "mask" in asked:
        for axis, length in (("bands", bands), ("frames", width)):
            masked = (rng.uniform(size=count) * (asked["mask"] * length + 1)).astype(np.int32)
            first = (rng.uniform(size=count) * (length - masked + 1)).astype(np.int32)
            drawn[axis] = np.stack([first, first + masked], axis=1)
    if "mixup" in asked:
        weight = rng.beta(asked["mixup"], asked["mixup"], count)
        drawn["weight"] = np.maximum(weight, 1 - weight).astype(np.float32)
    return np.minimum(start, last), Draws(**drawn)


def picked(draws: Draws, which: Any) -> Draws:  # noqa: ANN401 (an array of NumPy or JAX)
    """Give the draws of some chunks."""
    return Draws(*(None if values is None else values[which] for values in draws))


def altered(x: Any, draws: Draws, xp: ModuleType) -> Any:  # noqa: ANN401 (arrays of NumPy or JAX)
    """Add the curves over the bands, mask and mix.

    Parameters
    ----------
    x : array
        (chunks, 1, bands, frames), normalised.
    draws : Draws
        Of these chunks.
    xp : module
        numpy or jax.numpy, whose arrays they are.

    Returns
    -------
    array
        Of the same shape.
    """
    if draws.gain is not None:
        x = x + (draws.gain @ _cosines(x.shape[2], xp))[:, None, :, None]
    if draws.bands is not None:
        bands = _within(x.shape[2], draws.bands, xp)[:, None, :, None]
        frames = _within(x.shape[3], draws.frames, xp)[:, None, None, :]
        x = xp.where(bands | frames, xp.float32(0), x)
    if draws.weight is not None:
        weight = draws.weight[:, None, None, None]
        x = weight * x + (1 - weight) * xp.roll(x, 1, axis=0)
    return x


def mixed_targets(y: Any, draws: Draws, xp: ModuleType) -> tuple:  # noqa: ANN401
    """Give the other class of each chunk and the weight of the first one; () without mixup."""
    if draws.weight is None:
        return ()
    other = xp.roll(y, 1, axis=0)
    return other if other.ndim == 2 else other.astype(np.int32), draws.weight


def _cosines(bands: int, xp: ModuleType) -> Any:  # noqa: ANN401
    """Give (WAVES, bands): a constant and the first cosines over the bands."""
    places = (np.arange(bands) + 0.5) / bands
    return xp.asarray(np.cos(np.pi * np.outer(np.arange(WAVES), places)).astype(np.float32))


def _within(length: int, limits: Any, xp: ModuleType) -> Any:  # noqa: ANN401
    """Tell which of `length` places lie within the limits of each chunk: (chunks, length)."""
    places = xp.arange(length)
    return (limits[:, :1] <= places) & (places < limits[:, 1:])
