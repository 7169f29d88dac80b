"""The first layer alone: forward passes of TemporalFilterBankLayer and of the layers it replaces.

python bench/first_layer.py [NETWORK ...]     (all eight if none is named)
Batch 50 of 1x40x250, float32; medians of alternating runs.
"""

import os
import sys

os.environ.setdefault("THEANO_FLAGS", "floatX=float32")
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import lasagne
import measure
import networks
from lasagne.layers import InputLayer

import theano
from theano import tensor


def forward_passes(filters):
    """Return a dict: name of the form -> function without arguments."""
    batch, _ = networks.batch()

    def with_bank(bank):
        x = tensor.tensor4("x")
        output = lasagne.layers.get_output(bank(InputLayer(networks.SHAPE, x), filters))
        function = theano.function([x], output)
        return lambda: function(batch)

    def with_module(module):
        import torch
        image = torch.from_numpy(batch)

        def run():
            with torch.no_grad():
                return module(image)
        return run

    return networks.forms(filters, with_bank, networks.torch_bank, with_module)


def main(names):
    """Print a table of seconds, GFLOP/s of the direct method, and ratios."""
    print(measure.machine())
    print("\n| network | form | s | GFLOP/s | filterbank is faster | of sgemm |"
          "\n| --- | --- | --- | --- | --- | --- |")
    for name in names:
        filters = networks.BANKS[name]
        product, product_gflop = measure.sgemm()
        times = measure.alternate({**forward_passes(filters), "sgemm": product})
        rate = product_gflop / times.pop("sgemm")
        for form, seconds in times.items():
            gflops = networks.gflop(filters) / seconds
            print(f"| {name} | {form} | {seconds:.4f} | {gflops:.0f} "
                  f"| {seconds / times['filterbank']:.1f} times "
                  f"| {100 * gflops / rate:.0f} % of {rate:.0f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or list(networks.BANKS))
