"""Training with everything on the device: the songs lie there, an epoch is one call, and several trainings are one program."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from mirdl.training.network import explained
from theano.link.pure import pure
from theano.link.xla import compiled


class Songs:
    """The spectrograms of a data set on the device, one after the other.

    Attributes
    ----------
    frames : JAX array
        float32, (bands, frames of all songs).
    """

    def __init__(self, spectrograms):
        widths = [spectrogram.shape[1] for spectrogram in spectrograms]
        self._starts = np.cumsum([0, *widths[:-1]])
        with explained():
            self.frames = jax.device_put(np.concatenate(spectrograms, axis=1))

    def examples(self, chunks):
        """What it takes to cut out each of the `Chunks` there: first frame, mean, std, class, each (chunks,)."""
        song = chunks.song
        return ((self._starts[chunks.places[song]] + chunks.start).astype(np.int32), chunks.mean[song], chunks.std[song],
                chunks.y.astype(np.int32))


class Vectors:
    """All values of a type as one vector: what a GPU does with the thousand small arrays of a network costs it a call for each.

    Parameters
    ----------
    values : list of ndarray
        Of the shapes and types that all others will have.
    """

    def __init__(self, values):
        types = list(dict.fromkeys(value.dtype for value in values))
        self._shapes, self._slices, self._ends = [value.shape for value in values], [], [0] * len(types)
        for value in values:
            number = types.index(value.dtype)
            start, self._ends[number] = self._ends[number], self._ends[number] + value.size
            self._slices.append((number, slice(start, self._ends[number])))      # which vector, and where in it

    def of(self, values, join=jnp.concatenate):
        """The vectors of values."""
        return [join([value.reshape(-1) for value, (number, _) in zip(values, self._slices) if number == wanted])
                for wanted in range(len(self._ends))]

    def values(self, vectors):
        """The values in vectors."""
        return [vectors[number][where].reshape(shape) for (number, where), shape in zip(self._slices, self._shapes)]


class Programs:
    """A network's epochs as programs for `seats` trainings at once, each of which has values of its own.

    Parameters
    ----------
    network : Network
    width : int
        Frames of a chunk.

    Attributes
    ----------
    shared : list of SharedVariable
        All that a training has of its own.
    vectors : Vectors
        For their values.
    train : callable
        (vectors, frames, examples, batches, on) -> (vectors, losses, accuracies).
    evaluate : callable
        (vectors, frames, examples, batches) -> (losses of each chunk, probabilities).

        The arguments and results have a first axis over seats, but for the frames. examples: of `Songs.examples`, (seats,
        chunks); batches: (seats, batches, batch size), places among the chunks; on: (seats, batches), False for batches
        that are none.
    """

    def __init__(self, network, width):
        train, shared = pure(network.train)
        test, tested = pure(network.evaluate)
        self.shared = list(dict.fromkeys([*shared, *tested]))
        self.vectors = Vectors([variable.get_value() for variable in self.shared])
        for_training, for_test = ([self.shared.index(v) for v in some] for some in (shared, tested))

        def cut(frames, examples, batch):
            first, mean, std, y = (values[batch] for values in examples)
            windows = jax.vmap(lambda start: jax.lax.dynamic_slice_in_dim(frames, start, width, axis=1))(first)
            return [((windows - mean[:, None, None]) / std[:, None, None])[:, None], y]      # x: (chunks, 1, bands, frames)

        def train_batch(frames, examples, vectors, given):
            batch, on = given
            values = self.vectors.values(vectors)
            figures, new = train(cut(frames, examples, batch), [values[place] for place in for_training])
            for place, value in zip(for_training, new):
                values[place] = value
            return [jnp.where(on, new, old) for new, old in zip(self.vectors.of(values), vectors)], figures

        def train_all(vectors, frames, examples, batches, on):
            vectors, figures = jax.lax.scan(partial(train_batch, frames, examples), vectors, (batches, on))
            return vectors, *figures

        def test_all(vectors, frames, examples, batches):
            values = self.vectors.values(vectors)
            some = [values[place] for place in for_test]
            return jax.lax.map(lambda batch: tuple(test(cut(frames, examples, batch), some)[0]), batches)

        self.train = compiled(jax.vmap(train_all, in_axes=(0, None, 0, 0, 0)))
        self.evaluate = compiled(jax.vmap(test_all, in_axes=(0, None, 0, 0)))
