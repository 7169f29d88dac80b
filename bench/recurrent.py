"""Seconds from nothing to the end of the first training step of six recurrent networks.

python bench/recurrent.py [NETWORK ...]     (all six if none is named)
Building the graph with its gradient, rewriting it, XLA (with JAX's tracing), and a step, for which
the second one stands. Each start is a process of its own, imports not counted. The second start
finds the first one's compilation cache. So do two more, 'together', an empty one, at once. Of
RUNS runs the one that took the least processor time counts.
"""

import json
import os
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

RUNS = 2
BATCH, LENGTH, INPUTS, UNITS, CLASSES = 16, 40, 20, 100, 10
SLOTS, WIDTH = 64, 20       # of the Turing machine's memory
PARTS = "building", "rewriting", "XLA", "step"


def lasagne_network(*kinds, backwards=False):
    """Give a network of Lasagne's recurrent layers: a class for each step of a sequence."""
    import lasagne.layers as layers

    from theano import tensor as T
    x, y = T.tensor3("x"), T.imatrix("y")
    net = layers.InputLayer((BATCH, LENGTH, INPUTS), x)
    for kind in kinds:
        make = getattr(layers, kind)
        directions = [make(net, UNITS, backwards=way) for way in (False, True)[:1 + backwards]]
        net = layers.ConcatLayer(directions, axis=2) if backwards else directions[0]
    net = layers.DenseLayer(layers.ReshapeLayer(net, (-1, [2])), CLASSES, nonlinearity=None)
    loss = cross_entropy(layers.get_output(net), y.flatten())
    return [x, y], loss, layers.get_all_params(net, trainable=True)


class Parameters(list):
    """Shared variables, made where they are used."""

    def __call__(self, *shape):
        import numpy as np

        import theano
        value = np.random.RandomState(len(self)).normal(0, 0.1, shape).astype("float32")
        self.append(theano.shared(value, f"parameter {len(self)}"))
        return self[-1]

    def gru(self, inputs):
        """Give the step of a gated recurrent unit of the width UNITS."""
        from theano import tensor as T
        gates, state = self(inputs + UNITS, 2 * UNITS), self(inputs + UNITS, UNITS)

        def step(x, h):
            reset, update = [T.nnet.sigmoid(part) for part in T.split(
                T.dot(T.concatenate([x, h], 1), gates), [UNITS, UNITS], 2, axis=1)]
            new = T.tanh(T.dot(T.concatenate([x, reset * h], 1), state))
            return update * h + (1 - update) * new
        return step


def cross_entropy(scores, targets):
    """Average over a batch."""
    from theano import tensor as T
    return T.nnet.categorical_crossentropy(T.nnet.softmax(scores), targets).mean()


def turing_machine():
    """Give a machine with an LSTM, a reading and a writing head, which copies a sequence."""
    import theano
    from theano import tensor as T
    new = Parameters()
    x, y = T.matrix("x"), T.matrix("y")
    gates, answer = new(INPUTS + WIDTH + UNITS, 4 * UNITS), new(UNITS, INPUTS)
    heads = [[new(UNITS, n) for n in (WIDTH, 1, 1, 3, 1)] for _ in range(2)]
    erase, add, memory = new(UNITS, WIDTH), new(UNITS, WIDTH), new(SLOTS, WIDTH)

    def address(h, weights, memory, before):
        key, strength, gate, shift, sharp = [T.dot(h, w) for w in weights]
        likeness = T.dot(memory, key) / T.sqrt((memory ** 2).sum(1) * (key ** 2).sum() + 1e-6)
        content = T.nnet.softmax((T.nnet.softplus(strength[0]) * likeness).dimshuffle("x", 0))[0]
        gate = T.nnet.sigmoid(gate[0])
        mixed = gate * content + (1 - gate) * before
        shift = T.nnet.softmax(shift.dimshuffle("x", 0))[0]
        moved = sum(shift[k] * T.roll(mixed, k - 1) for k in range(3))
        sharpened = (moved + 1e-6) ** (1 + T.nnet.softplus(sharp[0]))
        return sharpened / sharpened.sum()

    def step(x, memory, h, c, reading, writing):
        read = T.dot(reading, memory)
        i, f, o, g = [T.dot(T.concatenate([x, read, h]), gates)[k * UNITS:(k + 1) * UNITS]
                      for k in range(4)]
        c = T.nnet.sigmoid(f) * c + T.nnet.sigmoid(i) * T.tanh(g)
        h = T.nnet.sigmoid(o) * T.tanh(c)
        writing = address(h, heads[1], memory, writing)
        memory = (memory * (1 - T.outer(writing, T.nnet.sigmoid(T.dot(h, erase))))
                  + T.outer(writing, T.tanh(T.dot(h, add))))
        return memory, h, c, address(h, heads[0], memory, reading), writing, T.dot(h, answer)

    start = [memory, T.zeros(UNITS), T.zeros(UNITS), T.ones(SLOTS) / SLOTS, T.ones(SLOTS) / SLOTS]
    outputs, _ = theano.scan(step, sequences=x, outputs_info=[*start, None])
    return [x, y], T.nnet.binary_crossentropy(T.nnet.sigmoid(outputs[-1]), y).mean(), new


def nested():
    """Give a network that reads words of sentences in a loop inside a loop over sentences."""
    import theano
    from theano import tensor as T
    new = Parameters()
    x, y = T.tensor4("x"), T.ivector("y")       # sentences, words, batch, inputs
    word, sentence = new.gru(INPUTS), new.gru(UNITS)
    zeros = T.zeros((BATCH, UNITS))

    def read(words, h):
        states, _ = theano.scan(word, sequences=words, outputs_info=zeros)
        return sentence(states[-1], h)

    states, _ = theano.scan(read, sequences=x, outputs_info=zeros)
    return [x, y], cross_entropy(T.dot(states[-1], new(UNITS, CLASSES)), y), new


def attention():
    """Give a decoder that looks at all states of an encoder, at each of its steps."""
    import theano
    from theano import tensor as T
    new = Parameters()
    x, y = T.tensor3("x"), T.imatrix("y")       # both: steps first, then the batch
    encode, decode = new.gru(INPUTS), new.gru(2 * UNITS)
    of_states, of_state, score = new(UNITS, UNITS), new(UNITS, UNITS), new(UNITS)
    answers, answer = new(CLASSES, UNITS), new(UNITS, CLASSES)
    states, _ = theano.scan(encode, sequences=x, outputs_info=T.zeros((BATCH, UNITS)))
    keys = T.dot(states, of_states)

    def step(before, h, states, keys):
        likeness = T.dot(T.tanh(keys + T.dot(h, of_state)), score)
        weights = T.nnet.softmax(likeness.T).T
        context = (states * weights.dimshuffle(0, 1, "x")).sum(0)
        return decode(T.concatenate([answers[before], context], 1), h)

    hidden, _ = theano.scan(step, sequences=y[:-1], outputs_info=states[-1],
                            non_sequences=[states, keys])
    scores = T.dot(hidden, answer).reshape((-1, CLASSES))
    return [x, y], cross_entropy(scores, y[1:].flatten()), new


NETWORKS = {
    "LSTM": lambda: lasagne_network("LSTMLayer", "LSTMLayer"),
    "GRU": lambda: lasagne_network("GRULayer", "GRULayer"),
    "Turing machine": turing_machine,
    "bidirectional": lambda: lasagne_network("LSTMLayer", "LSTMLayer", backwards=True),
    "nested": nested,
    "attention": attention,
}

SHAPES = {"Turing machine": [(LENGTH, INPUTS), (LENGTH, INPUTS)],
          "nested": [(8, 12, BATCH, INPUTS), (BATCH,)],
          "attention": [(LENGTH, BATCH, INPUTS), (LENGTH, BATCH)]}


def batch(name, inputs):
    """Make up arrays for the inputs: zeros and ones, or classes."""
    import numpy as np
    shapes = SHAPES.get(name, [(BATCH, LENGTH, INPUTS), (BATCH, LENGTH)])
    random = np.random.RandomState(1)
    return [random.randint(0, CLASSES if "int" in v.dtype else 2, shape).astype(v.dtype)
            for v, shape in zip(inputs, shapes, strict=True)]


def start(name):
    """Build, compile and run steps. Print seconds, of wall clock and of processor, as JSON."""
    import lasagne
    import numpy as np

    import theano
    lasagne.random.set_rng(np.random.RandomState(0))
    clock = [(time.perf_counter(), time.process_time())]

    def tick():
        clock.append((time.perf_counter(), time.process_time()))

    inputs, loss, parameters = NETWORKS[name]()
    updates = lasagne.updates.adam(loss, parameters)
    tick()
    step = theano.function(inputs, loss, updates=updates)
    tick()
    arrays = batch(name, inputs)
    losses = []
    for _ in range(2):
        losses.append(float(step(*arrays)))
        tick()
    took = [[b - a for a, b in zip(one, two, strict=True)]
            for one, two in zip(clock, clock[1:], strict=False)]
    took[2] = [first - second for first, second in zip(took[2], took[3], strict=True)]
    print(json.dumps({"took": took, "losses": losses}))


def started(name, folder):
    """Start a process that caches compiled code in `folder`."""
    flags = f"floatX=float32,base_compiledir={folder}"
    return subprocess.Popen([sys.executable, __file__, "--start", name], stdout=subprocess.PIPE,
                            env={**os.environ, "THEANO_FLAGS": flags}, text=True)


def finished(process):
    """Return what a process has printed; its losses must be numbers."""
    answer, _ = process.communicate()
    if process.returncode:
        raise SystemExit(f"{process.args[-1]}: exit status {process.returncode}")
    return json.loads(answer.splitlines()[-1])


def total(answer, clock=1):
    """Add up the seconds of all parts: of processor, or of wall clock (0)."""
    return sum(part[clock] for part in answer["took"])


def measured(name):
    """Return the first and the second start, and two at once, in an empty folder each."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as common:
        first, second = (finished(started(name, folder)) for _ in range(2))
        together = [finished(process) for process in [started(name, common) for _ in range(2)]]
    if any(other["losses"] != first["losses"] for other in [second, *together]):
        raise SystemExit(f"{name}: the starts give different losses")
    return first, second, max(together, key=total)


def main(names):
    """Print a table."""
    import measure
    print(measure.machine())
    print("\nSeconds of processor, and in brackets of wall clock.\n\n| network | "
          + " | ".join(PARTS) + " | first start | second start | two at once |\n"
          + "| --- " * (len(PARTS) + 4) + "|")
    for name in names:
        runs = [measured(name) for _ in range(RUNS)]
        best = [min(starts, key=total) for starts in zip(*runs, strict=True)]
        parts = [f"{processor:.1f}" for _, processor in best[0]["took"]]
        totals = [f"{total(one):.1f} ({total(one, 0):.1f})" for one in best]
        print("| " + " | ".join([name, *parts, *totals]) + " |", flush=True)


if __name__ == "__main__":
    start(sys.argv[2]) if sys.argv[1:2] == ["--start"] else main(sys.argv[1:] or list(NETWORKS))
