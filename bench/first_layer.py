"""The first layer alone: forward passes of TemporalFilterBankLayer and of the same layer made of others.

python bench/first_layer.py [NETWORK ...]     (all eight if none is named)
Batch 50 of 1x40x250, float32; medians of alternating runs.
"""

import os
import sys

os.environ.setdefault("THEANO_FLAGS", "floatX=float32")
sys.path[:0] = [os.path.dirname(os.path.dirname(os.path.abspath(__file__)))]

import lasagne
import measure
import networks
from lasagne.layers import InputLayer

import theano
import theano.tensor as T
from filterbank import TemporalFilterBankLayer


def forward(bank, filters):
    """The compiled forward pass of a bank."""
    x = T.tensor4("x")
    return theano.function([x], lasagne.layers.get_output(bank(InputLayer(networks.SHAPE, x), filters)))


def forward_passes(filters):
    """name -> function of no arguments."""
    x, _ = networks.batch()
    bank = forward(TemporalFilterBankLayer, filters)
    runs = {"filterbank": lambda: bank(x)}
    if len(filters) <= networks.MANY:
        plain = forward(networks.plain_bank, filters)
        runs["Lasagne layers"] = lambda: plain(x)
    try:
        import torch
    except ImportError:
        return runs
    module, image = networks.torch_network(filters), torch.from_numpy(x)

    class Bank(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.network = module

        def forward(self, x):
            return self.network.bank(x)

    def without_gradient(module):
        def run():
            with torch.no_grad():
                return module(image)
        return run

    runs["PyTorch eager"] = without_gradient(Bank())
    if len(filters) <= networks.MANY:
        compiled = networks.compiled_by_torch(Bank())
        if compiled is not None:
            runs["torch.compile"] = without_gradient(compiled)
    return runs


def main(names):
    """Print a table of seconds, GFLOP/s of the direct method, and ratios."""
    print(measure.machine())
    print("\n| network | form | s | GFLOP/s | filterbank is faster | of sgemm |\n| --- | --- | --- | --- | --- | --- |")
    for name in names:
        filters = networks.BANKS[name]
        product, product_gflop = measure.sgemm()
        times = measure.alternate({**forward_passes(filters), "sgemm": product})
        rate = product_gflop / times.pop("sgemm")
        for form, seconds in times.items():
            gflops = networks.gflop(filters) / seconds
            print(f'| {name} | {form} | {seconds:.4f} | {gflops:.0f} | {seconds / times["filterbank"]:.1f} times '
                  f'| {100 * gflops / rate:.0f} % of {rate:.0f} |', flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or list(networks.BANKS))
