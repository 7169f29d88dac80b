"""The paper's networks for the benches: their banks, and the same of Lasagne's layers and in PyTorch."""

import numpy as np
from lasagne.layers import ConcatLayer, Conv2DLayer, MaxPool2DLayer

oNet = [(n, 5) for n in range(6, 42, 5)]
pNet = [(n, 1) for n in range(46, 217, 5)]

BANKS = {"oNetOne": oNet, "pNetOne": pNet, "oNetTwo": 2 * oNet, "pNetTwo": 2 * pNet, "oNetpNet": oNet + pNet,
         "oNetTwopNetTwo": 2 * (oNet + pNet), "oNetFourpNetFour": 4 * (oNet + pNet), "oNetEightpNetEight": 8 * (oNet + pNet)}

SHAPE = BATCH, CHANNELS, BANDS, FRAMES = 50, 1, 40, 250
CLASSES = 8
MANY = 50               # parts of a bank: as layers of their own, more take minutes to compile


def batch():
    """(x, y): random patches and labels."""
    rng = np.random.RandomState(0)
    return rng.standard_normal(SHAPE).astype("float32"), rng.randint(0, CLASSES, BATCH).astype("int32")


def gflop(filters):
    """Of the direct correlation: a multiplication and an addition for each tap of each window."""
    return 2e-9 * BATCH * BANDS * sum(count * n * (FRAMES - n + 1) for n, count in filters)


def plain_bank(incoming, filters):
    """The bank of Lasagne's own layers."""
    parts = []
    for n, count in filters:
        conv = Conv2DLayer(incoming, count, (1, n))
        parts.append(MaxPool2DLayer(conv, (4, conv.output_shape[3])))
    return ConcatLayer(parts)


def torch_network(filters):
    """conv -> ReLU -> max pool for each length, concatenated, half dropped out, softmax's inputs."""
    import torch
    from torch import nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.convs = nn.ModuleList(nn.Conv2d(CHANNELS, count, (1, n)) for n, count in filters)
            self.out = nn.Linear(sum(count for _, count in filters) * (BANDS // 4), CLASSES)

        def bank(self, x):
            y = [torch.relu(conv(x)) for conv in self.convs]
            return torch.cat([nn.functional.max_pool2d(a, (4, a.shape[3])) for a in y], 1)

        def forward(self, x):
            return self.out(nn.functional.dropout(self.bank(x).flatten(1), training=self.training))

    return Network()


def compiled_by_torch(module, device="cpu"):
    """torch.compile's form of it, or None where it cannot compile (it wants a C++ compiler)."""
    import torch
    try:
        compiled = torch.compile(module)
        compiled(torch.zeros(SHAPE, device=device))
        return compiled
    except Exception as error:                           # its errors have no common type
        print(f"torch.compile: {type(error).__name__}: {str(error).splitlines()[0][:90]}")
        return None
