"""A network and its compiled functions, built once a run and reset for each trial."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import lasagne
import numpy as np

import theano
import theano.tensor as T
from mirdl.errors import UserError
from mirdl.pretrained import musicnn
from mirdl.spectrograms.chunks import Chunks
from mirdl.strengths import strengths
from mirdl.training.targets import OneTag, Target


class Network:
    """A network with its functions.

    Parameters
    ----------
    build : callable
        (inputs, parameters, number of classes, whether a song may have several of them) -> output
        layer, dict of layers.
    parameters : dict
        Checked by `settings.check`.
    num_classes : int
    compile_now : bool
        Otherwise each function is compiled when it is first called.
    target : OneTag or SeveralTags
        What y is, below (chunks,).

    Attributes
    ----------
    output : lasagne Layer
        (chunks, classes), probabilities.
    train : callable
        x: (chunks, 1, yInput, xInput), y: (chunks,) -> mean loss, accuracy (a share). Updates the
        weights.
    evaluate : callable
        x, y -> loss of each chunk: (chunks,), probabilities: (chunks, classes).
    """

    def __init__(self, build: Callable, parameters: dict[str, Any], num_classes: int,
                 compile_now: bool = True, target: Target = OneTag) -> None:
        self._target = target
        self._build, self._parameters, self._num_classes = build, parameters, num_classes
        settings = parameters["DL"]
        doing, done = ("compiling", "compiled") if compile_now else ("building", "built")
        print(f"{doing} {settings['type']} ...", flush=True)
        start = time.time()
        x, y = T.tensor4("x"), target.variable("y")
        self.output = self._new(x, np.random.RandomState(0))
        self._lr = theano.shared(np.asarray(settings["lr"], theano.config.floatX), "lr")
        prediction = lasagne.layers.get_output(self.output)
        mixed = []      # the classes of what is mixed in, and the weights of `y`
        if "mixup" in strengths(parameters["DS"]["augment"]):
            mixed = [target.variable("other"), T.vector("weight")]
        self._class_weights = theano.shared(np.ones(num_classes, theano.config.floatX), "classes")
        loss = self._training_costs(prediction, y, *mixed).mean()
        accuracy = T.mean(target.right(prediction, y), dtype=theano.config.floatX)
        weights = lasagne.layers.get_all_params(self.output, trainable=True)
        # the learning rate is a shared variable: nothing is compiled anew when it changes
        updates = updates_of(loss, self.output, self._lr, settings)
        self._velocities = [variable for variable in updates if variable not in set(weights)]
        self.train = theano.function([x, y, *mixed], [loss, accuracy], updates=updates)
        test = lasagne.layers.get_output(self.output, deterministic=True)
        test_costs = target.costs(test, y, num_classes, settings["cost"])
        self.evaluate = theano.function([x, y], [test_costs, test])
        layers = lasagne.layers.get_all_layers(self.output)
        self._streams = [layer._srng for layer in layers if hasattr(layer, "_srng")]
        noise = [state for stream in self._streams for state, _ in stream.state_updates]
        self._others = [*self._velocities, self._lr, self._class_weights, *noise]
        if compile_now:
            self._warm_up(x, y, *mixed)
        count = lasagne.layers.count_params(self.output)
        print(f"  {done} in {time.time() - start:.1f} s: {count} parameters"
              + ("" if compile_now else "; the first epoch compiles it"))

    def train_epoch(self, chunks: Chunks, batches: list[np.ndarray]) -> list[np.ndarray]:
        """Train with each batch.

        Parameters
        ----------
        chunks : Chunks
        batches : list of ndarray
            Places among the chunks.

        Returns
        -------
        losses, accuracies : ndarray
            (batches,).
        """
        with memory_errors_told():
            figures = [self.train(x, y.astype(self._target.dtype), *mixed)
                       for x, y, *mixed in chunks.ahead(batches)]
        return [np.array(column) for column in zip(*figures, strict=True)]

    def evaluate_all(self, chunks: Chunks, order: np.ndarray) -> list[np.ndarray]:
        """Evaluate chunks, batch by batch.

        Parameters
        ----------
        chunks : Chunks
        order : ndarray of int
            Places among the chunks.

        Returns
        -------
        losses : ndarray
            (order,), of each chunk.
        probabilities : ndarray
            (order, classes).
        """
        batches = chunks.batches(order, full=True)
        with memory_errors_told():
            found = [self.evaluate(x, y.astype(self._target.dtype))
                     for x, y in chunks.ahead(batches)]
        return [np.concatenate(parts)[:len(order)] for parts in zip(*found, strict=True)]

    def reset(self, rng: np.random.RandomState, seed: int) -> None:
        """Start anew; with DL.start all but the last layer from published weights.

        Parameters
        ----------
        rng : RandomState
            Draws the initial weights.
        seed : int
            Of the dropout.
        """
        values = lasagne.layers.get_all_param_values(self._new(None, rng))
        if start := self._parameters["DL"]["start"]:
            values[:-2] = musicnn.weights(start)[:-2]
        self.set_weights(values)
        self.set_learning_rate(self._parameters["DL"]["lr"])
        for place, stream in enumerate(self._streams):      # each drops units of its own
            stream.seed(seed + place)

    def set_learning_rate(self, lr: float, gradual: bool = False) -> None:
        """Set a new learning rate.

        Momentum starts anew, as it did when the original compiled its functions anew, unless the
        rate changes gradually.
        """
        self._lr.set_value(np.asarray(lr, theano.config.floatX))
        for velocity in [] if gradual else self._velocities:
            velocity.set_value(np.zeros_like(velocity.get_value()))

    def set_shares(self, y: np.ndarray) -> None:
        """Set what depends on the share that each class has of the training chunks.

        If DL.classWeights is 'balanced', all classes count equally. Where a chunk may have several
        tags, the offsets of the output layer start at the log odds of each tag; otherwise all
        weights would learn first how rare it is.

        Parameters
        ----------
        y : ndarray
            (chunks,), their classes, or (chunks, tags).
        """
        if self._target.several:
            share = (y.sum(axis=0) + 1) / (len(y) + 2)
            if getattr(self.output, "b", None) is not None:
                self.output.b.set_value(np.log(share / (1 - share)).astype(theano.config.floatX))
            return
        counts = np.bincount(y, minlength=self._num_classes)
        weights = len(y) / np.maximum(counts, 1) / np.count_nonzero(counts)
        self._class_weights.set_value(weights.astype(theano.config.floatX))

    def get_weights(self) -> list[np.ndarray]:
        """Give the values of all parameters, in get_all_params order."""
        return lasagne.layers.get_all_param_values(self.output)

    def set_weights(self, values: list[np.ndarray]) -> None:
        """Set all parameters, in get_all_params order."""
        lasagne.layers.set_all_param_values(self.output, values)

    def get_state(self) -> dict[str, list[np.ndarray]]:
        """Give all that training changes: weights, momentum, learning rate, state of dropout."""
        return {"weights": self.get_weights(),
                "others": [variable.get_value() for variable in self._others]}

    def set_state(self, state: dict[str, list[np.ndarray]]) -> None:
        """Continue from what `get_state` gave."""
        self.set_weights(state["weights"])
        for variable, value in zip(self._others, state["others"], strict=True):
            variable.set_value(value)

    def _new(self, x: theano.Variable | None, rng: np.random.RandomState) -> lasagne.layers.Layer:
        lasagne.random.set_rng(rng)
        output, _ = self._build(x, self._parameters, self._num_classes, self._target.several)
        return output

    def _warm_up(self, *inputs: theano.Variable) -> None:
        """Call each function once, as JAX compiles at the first call."""
        size, data = self._parameters["DL"]["batchSize"], self._parameters["DS"]
        shapes = {1: (size,), 2: (size, self._num_classes),
                  4: (size, data["numChannels"], data["yInput"], data["xInput"])}
        x, y, *mixed = (np.zeros(shapes[each.ndim], each.dtype) for each in inputs)
        with memory_errors_told():
            self.train(x, y, *mixed)
            self.evaluate(x, y)

    def _training_costs(self, prediction: theano.Variable, y: theano.Variable,
                        other: theano.Variable | None = None,
                        weight: theano.Variable | None = None) -> theano.Variable:
        """Give the cost of each chunk, weighted by its class and mixed: (chunks,)."""
        if other is not None:
            return (weight * self._training_costs(prediction, y)
                    + (1 - weight) * self._training_costs(prediction, other))
        settings = self._parameters["DL"]
        each = self._target.costs(prediction, y, self._num_classes, settings["cost"])
        return each * self._class_weights[y] if settings["classWeights"] == "balanced" else each


def updates_of(loss: theano.Variable, output: lasagne.layers.Layer, lr: theano.Variable,
               settings: dict[str, Any]) -> dict[theano.Variable, theano.Variable]:
    """Give what a training step changes.

    Parameters
    ----------
    loss : scalar
    output : Layer
    lr : scalar
        The learning rate.
    settings : dict
        parameters["DL"]. DL.weightDecay also takes its share away from the weights that are
        regularizable (not from offsets), whatever the rule: I. Loshchilov and F. Hutter, 'Decoupled
        Weight Decay Regularization', ICLR 2019.

    Returns
    -------
    dict
        Shared variable -> its new value.
    """
    rule = getattr(lasagne.updates, settings["update"])
    options = [settings["momentum"]] if "momentum" in settings["update"] else []
    weights = lasagne.layers.get_all_params(output, trainable=True)
    updates = rule(loss, weights, lr, *options)
    if settings["weightDecay"]:
        for weight in lasagne.layers.get_all_params(output, trainable=True, regularizable=True):
            updates[weight] -= lr * settings["weightDecay"] * weight
    return updates


@contextmanager
def memory_errors_told() -> Iterator[None]:
    """If a device's memory is too small, say how much was asked for and what can be done."""
    try:
        yield
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error):
            raise
        raise UserError(
            f"the device's memory is too small: {str(error).splitlines()[0].rstrip('.'):.300}; "
            "add DS.store=disk (songs are then read batch by batch), leave out foldsTogether, or "
            "begin a new run with a lower DL.batchSize") from error
