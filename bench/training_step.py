"""Whole training steps: bank, dropout, softmax, cross-entropy, gradient, nesterov momentum.

python bench/training_step.py [NETWORK ...]     (all eight if none is named)
Batch 50 of 1x40x250, float32; medians of alternating runs. Also seconds from nothing to the end of the
first step, and the memory that a step takes.
"""

import os
import sys
import time

os.environ.setdefault("THEANO_FLAGS", "floatX=float32")
sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]

import lasagne
import measure
import networks
from lasagne.layers import DenseLayer, InputLayer, dropout

import theano
import theano.tensor as T
from filterbank import TemporalFilterBankLayer


def lasagne_step(bank, filters):
    """A compiled step, and its parameters."""
    x, y = T.tensor4("x"), T.ivector("y")
    layer = bank(InputLayer((None, *networks.SHAPE[1:]), x), filters)
    output = DenseLayer(dropout(layer), networks.CLASSES, nonlinearity=lasagne.nonlinearities.softmax)
    loss = lasagne.objectives.categorical_crossentropy(lasagne.layers.get_output(output), y).mean()
    parameters = lasagne.layers.get_all_params(output, trainable=True)
    updates = lasagne.updates.nesterov_momentum(loss, parameters, .001, .9)
    return theano.function([x, y], loss, updates=updates), parameters


def torch_step(module, device="cpu"):
    """A step of the same in PyTorch."""
    import torch
    x, y = networks.batch()
    x, y = torch.from_numpy(x).to(device), torch.from_numpy(y).long().to(device)
    optimizer = torch.optim.SGD(module.parameters(), .001, .9, nesterov=True)

    def run():
        optimizer.zero_grad()
        torch.nn.functional.cross_entropy(module(x), y).backward()
        optimizer.step()
    return run


def memory(step, parameters, filters):
    """What a step holds at most, as a multiple of inputs + parameters + outputs of the bank."""
    x, y = networks.batch()
    states = 2 * sum(p.get_value().nbytes for p in parameters)      # with their velocities
    outputs = 4 * networks.BATCH * networks.BANDS // 4 * sum(count for _, count in filters)
    step(x, y)
    extra = measure.extra_memory(lambda: step(x, y))
    return None if extra is None else (x.nbytes + states + extra) / (x.nbytes + states + outputs)


def main(names):
    """Print a table of seconds and ratios."""
    print(measure.machine())
    print("\n| network | form | step, s | filterbank is faster |\n| --- | --- | --- | --- |")
    notes = []
    x, y = networks.batch()
    for name in names:
        filters = networks.BANKS[name]
        start, start_user = time.perf_counter(), measure.user_seconds()
        step, parameters = lasagne_step(TemporalFilterBankLayer, filters)
        step(x, y)
        first = time.perf_counter() - start, measure.user_seconds() - start_user
        multiple = memory(step, parameters, filters)
        notes.append(f'| {name} | {len(parameters)} | {first[0]:.1f} s ({first[1]:.1f} s of processor) '
                     f'| {"-" if multiple is None else f"{multiple:.1f}"} |')
        runs = {"filterbank": lambda: step(x, y)}
        if len(filters) <= networks.MANY:
            plain, _ = lasagne_step(networks.plain_bank, filters)
            runs["Lasagne layers"] = lambda: plain(x, y)
        try:
            import torch  # noqa: F401
            module = networks.torch_network(filters)
            runs["PyTorch eager"] = torch_step(module)
            if len(filters) <= networks.MANY:
                compiled = networks.compiled_by_torch(networks.torch_network(filters))
                if compiled is not None:
                    runs["torch.compile"] = torch_step(compiled)
        except ImportError:
            pass
        times = measure.alternate(runs)
        for form, seconds in times.items():
            print(f'| {name} | {form} | {seconds:.4f} | {seconds / times["filterbank"]:.1f} times |', flush=True)
    print("\n| network | parameters | build, compile, first step | peak memory / (inputs + parameters + outputs) |"
          "\n| --- | --- | --- | --- |\n" + "\n".join(notes))


if __name__ == "__main__":
    main(sys.argv[1:] or list(networks.BANKS))
