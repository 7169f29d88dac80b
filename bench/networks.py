"""The paper's networks for the benches: their banks, also of Lasagne's layers and in PyTorch."""

from importlib.util import find_spec

import numpy as np
from lasagne.layers import ConcatLayer, Conv2DLayer, MaxPool2DLayer

from filterbank import TemporalFilterBankLayer

O_NET = [(n, 5) for n in range(6, 42, 5)]
P_NET = [(n, 1) for n in range(46, 217, 5)]

# (length in frames, number of filters) of each part of a bank
BANKS = {
    "oNetOne": O_NET, "pNetOne": P_NET,
    "oNetTwo": 2 * O_NET, "pNetTwo": 2 * P_NET,
    "oNetpNet": O_NET + P_NET, "oNetTwopNetTwo": 2 * (O_NET + P_NET),
    "oNetFourpNetFour": 4 * (O_NET + P_NET), "oNetEightpNetEight": 8 * (O_NET + P_NET),
}

SHAPE = BATCH, CHANNELS, BANDS, FRAMES = 50, 1, 40, 250
CLASSES = 8
MANY = 50       # parts of a bank: more, as separate layers, take minutes to compile


def batch():
    """Return random patches x (SHAPE) and labels y (BATCH,)."""
    rng = np.random.RandomState(0)
    x = rng.standard_normal(SHAPE).astype("float32")
    return x, rng.randint(0, CLASSES, BATCH).astype("int32")


def gflop(filters):
    """Count a multiplication and an addition for each tap of each window, in 1e9."""
    return 2e-9 * BATCH * BANDS * sum(count * n * (FRAMES - n + 1) for n, count in filters)


def plain_bank(incoming, filters):
    """Build the bank of Lasagne's own layers."""
    parts = []
    for n, count in filters:
        conv = Conv2DLayer(incoming, count, (1, n))
        parts.append(MaxPool2DLayer(conv, (4, conv.output_shape[3])))
    return ConcatLayer(parts)


def torch_bank(filters):
    """Build the bank in PyTorch: for each length conv -> ReLU -> max pool, joined."""
    import torch
    from torch import nn

    class Bank(nn.Module):
        def __init__(self):
            super().__init__()
            self.convs = nn.ModuleList(nn.Conv2d(CHANNELS, count, (1, n)) for n, count in filters)

        def forward(self, x):
            y = [torch.relu(conv(x)) for conv in self.convs]
            return torch.cat([nn.functional.max_pool2d(a, (4, a.shape[3])) for a in y], 1)

    return Bank()


def torch_network(filters):
    """Build the bank in PyTorch, then dropout of a half and the inputs of a softmax."""
    from torch import nn
    outputs = sum(count for _, count in filters) * (BANDS // 4)
    return nn.Sequential(
        torch_bank(filters), nn.Flatten(), nn.Dropout(), nn.Linear(outputs, CLASSES))


def compiled_by_torch(module, device="cpu"):
    """Compile with torch.compile; None if it cannot, for example without a C++ compiler."""
    import torch
    try:
        compiled = torch.compile(module)
        compiled(torch.zeros(SHAPE, device=device))
        return compiled
    except Exception as error:      # its errors have no common type
        print(f"torch.compile: {type(error).__name__}: {str(error).splitlines()[0][:90]}")
        return None


def forms(filters, with_bank, torch_module, with_module):
    """Collect what to compare: the filter bank, Lasagne's layers, and PyTorch if it is installed.

    Parameters
    ----------
    filters : list of (int, int)
    with_bank : callable
        Turns a layer such as TemporalFilterBankLayer into a function to measure.
    torch_module : callable
        Builds PyTorch's module of `filters`.
    with_module : callable
        Turns a module into a function to measure.

    Returns
    -------
    dict of str to callable
        Forms that take minutes to compile are left out.
    """
    runs = {"filterbank": with_bank(TemporalFilterBankLayer)}
    if len(filters) <= MANY:
        runs["Lasagne layers"] = with_bank(plain_bank)
    if find_spec("torch"):
        runs["PyTorch eager"] = with_module(torch_module(filters))
        compiled = compiled_by_torch(torch_module(filters)) if len(filters) <= MANY else None
        if compiled is not None:
            runs["torch.compile"] = with_module(compiled)
    return runs
