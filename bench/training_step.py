"""Whole training steps: bank, dropout, softmax, cross-entropy, gradient, Nesterov momentum.

python bench/training_step.py [NETWORK ...]     (all eight if none is named)
Batch 50 of 1x40x250, float32; medians of alternating runs. Also seconds from nothing to the end of
the first step, and the memory that a step takes.
"""

import os
import sys
import time

os.environ.setdefault("THEANO_FLAGS", "floatX=float32")
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import lasagne
import measure
import networks
from lasagne.layers import DenseLayer, InputLayer, dropout

import theano
from filterbank import TemporalFilterBankLayer
from theano import tensor


def lasagne_step(bank, filters):
    """Return a compiled step and its parameters."""
    x, y = tensor.tensor4("x"), tensor.ivector("y")
    layer = bank(InputLayer((None, *networks.SHAPE[1:]), x), filters)
    net = DenseLayer(dropout(layer), networks.CLASSES, nonlinearity=lasagne.nonlinearities.softmax)
    output = lasagne.layers.get_output(net)
    loss = lasagne.objectives.categorical_crossentropy(output, y).mean()
    parameters = lasagne.layers.get_all_params(net, trainable=True)
    updates = lasagne.updates.nesterov_momentum(loss, parameters, .001, .9)
    return theano.function([x, y], loss, updates=updates), parameters


def torch_step(module, device="cpu"):
    """Return the same step in PyTorch, as a function without arguments."""
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
    """Return a step's peak of memory as a multiple of inputs + parameters + the bank's outputs."""
    x, y = networks.batch()
    states = 2 * sum(p.get_value().nbytes for p in parameters)      # with their velocities
    outputs = 4 * networks.BATCH * networks.BANDS // 4 * sum(count for _, count in filters)
    step(x, y)
    extra = measure.extra_memory(lambda: step(x, y))
    return None if extra is None else (x.nbytes + states + extra) / (x.nbytes + states + outputs)


def first_step(name):
    """Build, compile and run a step.

    Returns
    -------
    step : compiled function
    row : str
        Of the table about this.
    """
    filters = networks.BANKS[name]
    start, start_user = time.perf_counter(), measure.user_seconds()
    step, parameters = lasagne_step(TemporalFilterBankLayer, filters)
    step(*networks.batch())
    seconds, user_seconds = time.perf_counter() - start, measure.user_seconds() - start_user
    multiple = memory(step, parameters, filters)
    return step, (
        f"| {name} | {len(parameters)} | {seconds:.1f} s ({user_seconds:.1f} s of processor) "
        f"| {'-' if multiple is None else f'{multiple:.1f}'} |")


def steps(filters, step):
    """Return a dict: name of the form -> a step without arguments; `step` is the filter bank's."""
    batch = networks.batch()

    def with_bank(bank):
        if bank is TemporalFilterBankLayer:
            return lambda: step(*batch)
        plain, _ = lasagne_step(bank, filters)
        return lambda: plain(*batch)

    return networks.forms(filters, with_bank, networks.torch_network, torch_step)


def main(names):
    """Print a table of seconds and ratios, and one of first steps."""
    print(measure.machine())
    print("\n| network | form | step, s | filterbank is faster |\n| --- | --- | --- | --- |")
    rows = []
    for name in names:
        step, row = first_step(name)
        rows.append(row)
        times = measure.alternate(steps(networks.BANKS[name], step))
        for form, seconds in times.items():
            ratio = seconds / times["filterbank"]
            print(f"| {name} | {form} | {seconds:.4f} | {ratio:.1f} times |", flush=True)
    print("\n| network | parameters | build, compile, first step "
          "| peak memory / (inputs + parameters + outputs) |"
          "\n| --- | --- | --- | --- |\n" + "\n".join(rows))


if __name__ == "__main__":
    main(sys.argv[1:] or list(networks.BANKS))
