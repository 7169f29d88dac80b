"""A network and its compiled functions, built once a run and made new for each fold and try."""

import time

import jax
import lasagne
import numpy as np

import theano
import theano.tensor as T
from mirdl.errors import UserError


class Network:
    """A network with its functions.

    Parameters
    ----------
    buildNet : callable
        (inputs, parameters, numClasses) -> output layer, dict of layers.
    parameters : dict
        Settled by mirdl.settings.check.
    numClasses : int
    ready : bool
        Compile now; otherwise each function is compiled when it is first called.

    Attributes
    ----------
    output : lasagne Layer
        (chunks, classes), probabilities.
    layers : dict of Layer
    train : x: (chunks, 1, yInput, xInput), y: (chunks,) -> mean loss, accuracy; updates the weights
    evaluate : x, y -> loss of each chunk: (chunks,), probabilities: (chunks, classes)
    """

    def __init__(self, buildNet, parameters, numClasses, ready=True):
        self._build_net, self._parameters, self._num_classes = buildNet, parameters, numClasses
        DL = parameters["DL"]
        print(f"{'compiling' if ready else 'building'} {DL['type']} ...", flush=True)
        start = time.time()
        x, y = T.tensor4("x"), T.ivector("y")
        self.output, self.layers = self._build(x, np.random.RandomState(0))
        self._lr = theano.shared(np.asarray(DL["lr"], theano.config.floatX), "lr")
        prediction = lasagne.layers.get_output(self.output)
        loss = costs(prediction, y, numClasses, DL["cost"]).mean()
        accuracy = T.mean(T.eq(T.argmax(prediction, axis=1), y), dtype=theano.config.floatX)
        weights = lasagne.layers.get_all_params(self.output, trainable=True)
        self._all = lasagne.layers.get_all_params(self.output)
        # the learning rate is a shared variable: nothing is compiled anew when it changes
        updates = lasagne.updates.nesterov_momentum(loss, weights, self._lr, DL["momentum"])
        self._velocities = [variable for variable in updates if variable not in set(weights)]
        self.train = theano.function([x, y], [loss, accuracy], updates=updates)
        test = lasagne.layers.get_output(self.output, deterministic=True)
        self.evaluate = theano.function([x, y], [costs(test, y, numClasses, DL["cost"]), test])
        streams = [layer._srng for layer in lasagne.layers.get_all_layers(self.output) if hasattr(layer, "_srng")]
        self._streams, self._noise = streams, [state for stream in streams for state, _ in stream.state_updates]
        if ready:
            self._warm_up()
        made = "compiled" if ready else "built"
        print(f"  {made} in {time.time() - start:.1f} s: {self.numParams} parameters" + ("" if ready else "; the first epoch compiles it"))

    def trainEpoch(self, chunks, batches):
        """Train with each batch, an array of places in the `Chunks`; the losses and accuracies, (batches,) each."""
        with explained():
            return [np.array(figures) for figures in zip(*[self.train(x, y.astype(np.int32)) for x, y in chunks.ahead(batches)])]

    def evaluate_all(self, chunks, batches):
        """The loss of each chunk of the batches: (chunks,), and its probabilities: (chunks, classes)."""
        with explained():
            found = [self.evaluate(x, y.astype(np.int32)) for x, y in chunks.ahead(batches)]
        return [np.concatenate(parts) for parts in zip(*found)]

    def reset(self, rng, seed):
        """Initial weights drawn from `rng`, no momentum, the learning rate of the start, dropout seeded by `seed`."""
        fresh, _ = self._build(None, rng)
        self.set_weights(lasagne.layers.get_all_param_values(fresh))
        self.set_learning_rate(self._parameters["DL"]["lr"])
        for stream in self._streams:
            stream.seed(seed)

    def set_learning_rate(self, lr):
        """A new learning rate; momentum starts anew, as it did when the original compiled its functions anew."""
        self._lr.set_value(np.asarray(lr, theano.config.floatX))
        for velocity in self._velocities:
            velocity.set_value(np.zeros_like(velocity.get_value()))

    def get_weights(self):
        """The values of all parameters, in get_all_params order."""
        return [variable.get_value() for variable in self._all]

    def set_weights(self, values):
        """Set all parameters, given in get_all_params order."""
        lasagne.layers.set_all_param_values(self.output, values)

    def get_state(self):
        """All that training changes, as a dict of arrays: weights, momentum, learning rate, state of the dropout."""
        return {"weights": self.get_weights(), "others": [variable.get_value() for variable in self._others()]}

    def set_state(self, state):
        """Go on from what `get_state` gave."""
        self.set_weights(state["weights"])
        for variable, value in zip(self._others(), state["others"], strict=True):
            variable.set_value(value)

    @property
    def numParams(self):
        """How many numbers are learnt."""
        return int(lasagne.layers.count_params(self.output))

    def _others(self):
        return [*self._velocities, self._lr, *self._noise]

    def _build(self, x, rng):
        lasagne.random.set_rng(rng)
        return self._build_net(x, self._parameters, self._num_classes)

    def _warm_up(self):
        """Call each function once, as JAX compiles at the first call."""
        size, DS = self._parameters["DL"]["batchSize"], self._parameters["DS"]
        x = np.zeros((size, DS["numChannels"], DS["yInput"], DS["xInput"]), np.float32)
        y = np.zeros(size, np.int32)
        with explained():
            self.train(x, y)
            self.evaluate(x, y)


def costs(prediction, y, numClasses, cost):
    """The cost of each chunk: (chunks,), of the probabilities `prediction`: (chunks, classes)."""
    if cost == "squared_error":
        return lasagne.objectives.squared_error(prediction, T.extra_ops.to_one_hot(y, numClasses)).mean(axis=1)
    return lasagne.objectives.categorical_crossentropy(prediction, y)


class explained:
    """Without enough memory on the device: how much was asked for, and what can be done."""

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if kind and issubclass(kind, jax.errors.JaxRuntimeError) and "RESOURCE_EXHAUSTED" in str(error):
            raise UserError(f"the device's memory is too small: {str(error).splitlines()[0].rstrip('.'):.300}; leave out foldsTogether, or "
                            "begin a new run with a lower DL.batchSize, or with DS.store=disk (songs are read batch by batch)") from error
