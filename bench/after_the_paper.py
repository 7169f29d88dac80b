"""The networks after the paper: a whole training step beside PyTorch's.

python bench/after_the_paper.py
vgg and timbreRhythm as in buildArchitecture.py, batch normalisation and dropout included, Adam;
batch 32 of 1x40x128, float32; medians of alternating runs, at least five.
"""

import os
import sys

os.environ.setdefault("THEANO_FLAGS", "floatX=float32")
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import measure
import numpy as np
import torch
from torch import nn

import buildArchitecture
from mirdl import settings
from mirdl.training.network import Network

BATCH, FRAMES, CLASSES = 32, 128, 10


def normalised(channels, filters, size, padding):
    """Return a convolution with batch normalisation and ReLU, as buildArchitecture.normalised."""
    return nn.Sequential(nn.Conv2d(channels, filters, size, padding=padding, bias=False),
                         nn.BatchNorm2d(filters), nn.ReLU())


class Vgg(nn.Module):
    """The network vgg."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(
            normalised(1, 16, 3, 1), nn.MaxPool2d(2), normalised(16, 32, 3, 1), nn.MaxPool2d(2),
            normalised(32, 64, 3, 1), nn.MaxPool2d(2), normalised(64, 128, 3, 1))
        self.output = nn.Sequential(nn.Dropout(), nn.Linear(256, CLASSES))

    def forward(self, x):
        return self.output(mean_and_max(self.layers(x).mean(2)))


class TimbreRhythm(nn.Module):
    """The network timbreRhythm."""

    def __init__(self):
        super().__init__()
        self.timbre = nn.ModuleList(normalised(1, 24, (bands, 7), (0, 3)) for bands in (16, 36))
        self.rhythm = nn.ModuleList(
            normalised(1, 8, (1, frames), (0, frames // 2)) for frames in (17, 33, 65))
        self.back = nn.ModuleList(normalised(72, 72, (1, 7), (0, 3)) for _ in range(3))
        self.output = nn.Sequential(nn.Dropout(), nn.Linear(144, CLASSES))

    def forward(self, x):
        mean_of_bands = x.mean(2, keepdim=True)
        parts = [layer(x).amax(2, keepdim=True) for layer in self.timbre]
        parts += [layer(mean_of_bands) for layer in self.rhythm]
        h = nn.functional.max_pool2d(torch.cat(parts, 1), (1, 2))
        for layer in self.back:
            h = layer(h)
        return self.output(mean_and_max(h[:, :, 0]))


def mean_and_max(x):
    """Return mean and maximum over time of x: (batch, channels, frames)."""
    return torch.cat([x.mean(2), x.amax(2)], 1)


def torch_step(network, x, y):
    """Return a function that does a training step in PyTorch."""
    x, y = torch.from_numpy(x), torch.from_numpy(y).long()
    optimizer = torch.optim.Adam(network.parameters(), 0.001)

    def step():
        optimizer.zero_grad()
        nn.functional.cross_entropy(network(x), y).backward()
        optimizer.step()
    return step


def main():
    """Print a table of seconds and ratios."""
    print(measure.machine())
    rng = np.random.RandomState(0)
    x = rng.standard_normal((BATCH, 1, 40, FRAMES)).astype(np.float32)
    y = rng.randint(0, CLASSES, BATCH).astype(np.int32)
    rows = []
    for name, peer in (("vgg", Vgg()), ("timbreRhythm", TimbreRhythm())):
        parameters = settings.check(settings.override(settings.published(), [
            f"DL.type={name}", f"DS.xInput={FRAMES}", f"DL.batchSize={BATCH}", "DL.update=adam"]))
        network = Network(buildArchitecture.buildNet, parameters, CLASSES)
        runs = {"ours": lambda train=network.train: train(x, y), "PyTorch": torch_step(peer, x, y)}
        times = measure.alternate(runs, seconds=10, at_least=5)
        rows.append(f"| {name} | {times['ours']:.3f} | {times['PyTorch']:.3f} | "
                    f"{times['ours'] / times['PyTorch']:.2f} |")
    print("\n| network | step, s | PyTorch, s | times PyTorch's |\n| --- | --- | --- | --- |",
          *rows, sep="\n")


if __name__ == "__main__":
    main()
