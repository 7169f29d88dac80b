"""Epochs on a device: songs stay there; one call runs an epoch, even of several trainings."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import Array

from mirdl.spectrograms.augmentation import Draws, altered, mixed_targets
from mirdl.spectrograms.chunks import Chunks, filled
from mirdl.training.network import Network, memory_errors_told
from mirdl.training.targets import target_of
from theano.link.pure import pure
from theano.link.xla import compiled


class Songs:
    """The spectrograms of a data set on the device, one after the other.

    Parameters
    ----------
    spectrograms : list of ndarray
        float32, (bands, frames).
    ds : dict
        parameters["DS"]; songs shorter than xInput are lengthened as `short` says.

    Attributes
    ----------
    frames : JAX array
        float32, (bands, frames of all songs).
    """

    def __init__(self, spectrograms: list[np.ndarray], ds: dict) -> None:
        spectrograms = [filled(each, ds["xInput"], ds["short"]) for each in spectrograms]
        widths = [spectrogram.shape[1] for spectrogram in spectrograms]
        self._starts = np.cumsum([0, *widths[:-1]])
        with memory_errors_told():
            self.frames = jax.device_put(np.concatenate(spectrograms, axis=1))

    def examples(self, chunks: Chunks) -> "Examples":
        """Give what it takes to cut out each of the chunks on the device."""
        song = chunks.song
        first = (self._starts[chunks.places[song]] + chunks.start).astype(np.int32)
        y = chunks.y.astype(target_of(chunks.y).dtype)
        return Examples(first, chunks.mean[song], chunks.std[song], y, chunks.draws)


class Examples(NamedTuple):
    """What it takes to cut out chunks on the device.

    Attributes
    ----------
    first : ndarray
        int32, (chunks,), the first frame of each in `Songs.frames`.
    mean, std : ndarray
        float32, (chunks,) or (chunks, bands, 1), what it is normalised by.
    y : ndarray
        int32, (chunks,), its class; or float32, (chunks, classes).
    draws : Draws
        How it is altered.
    """

    first: np.ndarray
    mean: np.ndarray
    std: np.ndarray
    y: np.ndarray
    draws: Draws


class Vectors:
    """All values of a type as one vector.

    With the thousand small arrays of a network, a GPU needs a call for each.

    Parameters
    ----------
    values : list of ndarray
        Of the shapes and types that all others will have.
    """

    def __init__(self, values: list[np.ndarray]) -> None:
        types = list(dict.fromkeys(value.dtype for value in values))
        self._shapes = [value.shape for value in values]
        self._slices, self._ends = [], [0] * len(types)
        for value in values:
            number = types.index(value.dtype)
            start = self._ends[number]
            self._ends[number] += value.size
            self._slices.append((number, slice(start, self._ends[number])))   # vector, place in it

    def of(self, values: list, join: Callable = jnp.concatenate) -> list:
        """Give the vectors of values, joined by `join`."""
        flat = [(number, value.reshape(-1))
                for (number, _), value in zip(self._slices, values, strict=True)]
        return [join([value for number, value in flat if number == wanted])
                for wanted in range(len(self._ends))]

    def values(self, vectors: list) -> list:
        """Give the values in vectors."""
        return [vectors[number][where].reshape(shape)
                for (number, where), shape in zip(self._slices, self._shapes, strict=True)]


class Programs:
    """A network's epochs as programs for several trainings at once, each with its own values.

    Parameters
    ----------
    network : Network
    width : int
        Frames of a chunk.

    Attributes
    ----------
    shared : list of SharedVariable
        What each training has separately.
    vectors : Vectors
        For their values.
    train : callable
        (vectors, frames, examples, batches, on) -> (vectors, losses, accuracies).
    evaluate : callable
        (vectors, frames, examples, batches) -> (losses of each chunk, probabilities).

        The arguments and results have a first axis over trainings, but for the frames.
        examples: of `Songs.examples`, (trainings, chunks); batches: (trainings, batches, batch
        size), places among the chunks; on: (trainings, batches), False for batches that only
        fill up.
    """

    def __init__(self, network: Network, width: int) -> None:
        train, trained = pure(network.train)
        test, tested = pure(network.evaluate)
        # by what holds their values: batch normalisation updates a clone of its averages
        shared = {id(variable.container): variable for variable in [*trained, *tested]}
        places = {container: place for place, container in enumerate(shared)}
        self.shared = list(shared.values())
        self.vectors = Vectors([variable.get_value() for variable in self.shared])
        for_training, for_test = ([places[id(variable.container)] for variable in some]
                                  for some in (trained, tested))

        def cut(frames: Array, examples: Examples, batch: Array) -> list[Array]:
            first, mean, std, y, draws = jax.tree.map(lambda values: values[batch], examples)
            windows = _windows(frames, first, draws.factor, width)
            mean, std = (each.reshape(len(each), -1, 1) for each in (mean, std))
            x = (windows - mean) / std
            # x: (chunks, 1, bands, frames)
            return [altered(x[:, None], draws, jnp), y, *mixed_targets(y, draws, jnp)]

        def train_batch(frames: Array, examples: Examples, vectors: list[Array],
                        given: tuple[Array, Array]) -> tuple[list[Array], list[Array]]:
            batch, on = given
            values = self.vectors.values(vectors)
            own = [values[place] for place in for_training]
            figures, updated = train(cut(frames, examples, batch), own)
            for place, before, value in zip(for_training, own, updated, strict=True):
                if value is not before:
                    values[place] = value
            changed = zip(self.vectors.of(values), vectors, strict=True)
            return [jnp.where(on, new, old) for new, old in changed], figures

        def train_all(vectors: list[Array], frames: Array, examples: Examples, batches: Array,
                      on: Array) -> tuple:
            step = partial(train_batch, frames, examples)
            vectors, figures = jax.lax.scan(step, vectors, (batches, on))
            return vectors, *figures

        def test_all(vectors: list[Array], frames: Array, examples: Examples,
                     batches: Array) -> tuple:
            values = self.vectors.values(vectors)
            own = [values[place] for place in for_test]
            return jax.lax.map(
                lambda batch: tuple(test(cut(frames, examples, batch), own)[0]), batches)

        self.train = compiled(jax.vmap(train_all, in_axes=(0, None, 0, 0, 0)))
        self.evaluate = compiled(jax.vmap(test_all, in_axes=(0, None, 0, 0)))


def _windows(frames: Array, first: Array, factor: Array | None, width: int) -> Array:
    """Read `width` frames from each of `first` on: (chunks, bands, width).

    Where there is a `factor` they are that far apart, linear between two frames, as `Chunks`
    reads them.
    """
    if factor is None:
        return jax.vmap(lambda start: jax.lax.dynamic_slice_in_dim(
            frames, start, width, axis=1))(first)
    places = factor[:, None] * jnp.arange(width, dtype=jnp.float32)      # (chunks, width)
    before = places.astype(jnp.int32)
    share, before = (places - before)[:, None], first[:, None] + before
    read = jax.vmap(lambda which: frames[:, which])
    return read(before) * (1 - share) + read(before + 1) * share
