"""musicnn's windows: the program's function beside PyTorch's forward pass of the same weights.

python bench/windows.py
One window at a time, as the program computes them; medians of alternating runs, and processor
seconds, which other programs affect less.
"""

import os
import sys

os.environ.setdefault("THEANO_FLAGS", "floatX=float32")
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import measure
import numpy as np

import buildArchitecture
from mirdl.pretrained import musicnn

MODEL = "musicnn-MSD"
PER_SONG = 2        # windows of a clip of 5 s


def in_pytorch():
    """Make the network with its weights in PyTorch, up to mean and maximum over time."""
    import torch
    from torch.nn.functional import batch_norm, conv2d, pad, relu
    weights = [torch.from_numpy(np.array(value)) for value in musicnn.weights(MODEL)]

    def standardised(x):
        beta, gamma, mean, inv_std = [weights[place + step] for step in range(4)]
        return batch_norm(x, mean, inv_std ** -2 - musicnn.EPSILON, gamma, beta,
                          eps=musicnn.EPSILON)

    def filters(x, padding):
        nonlocal place
        kernel, bias = weights[place].flip(2, 3).contiguous(), weights[place + 1]
        place += 2
        found = standardised(relu(conv2d(pad(x, padding), kernel, bias)))
        place += 4
        return found

    place = 0

    def network(x):
        nonlocal place
        place = 0
        with torch.inference_mode():
            x = standardised(torch.from_numpy(x))
            place = 4
            front = [filters(x, padding).amax(2, keepdim=True)
                     for padding in ((3, 3), (3, 3), (63, 64), (31, 32), (15, 16))]
            layers = [torch.cat(front, 1)]
            layers.append(filters(layers[0], (3, 3)))
            for _ in range(2):
                layers.append(filters(layers[-1], (3, 3)) + layers[-1])
            every = torch.cat(layers, 1)
            return torch.cat([every.mean((2, 3)), every.amax((2, 3))], 1).numpy()

    return network


def main():
    """Print a table of seconds, songs per second and ratios."""
    window = np.random.RandomState(0).gamma(1, 1, (1, 1, 96, 187)).astype(np.float32)
    forms = {"the program": buildArchitecture.windowsOf(MODEL), "PyTorch": in_pytorch()}
    found = [form(window) for form in forms.values()]
    print(measure.machine())
    print(f"the largest difference is {np.abs(found[0] - found[1]).max():.1e}, "
          f"of values up to {found[0].max():.0f}")
    times = measure.alternate({name: lambda form=form: form(window)
                               for name, form in forms.items()}, 10)
    print("\n| form | s for a window | processor s | clips of 5 s per s |"
          "\n| --- | --- | --- | --- |")
    for name, form in forms.items():
        before = measure.user_seconds()
        for _ in range(20):
            form(window)
        used = (measure.user_seconds() - before) / 20
        print(f"| {name} | {times[name]:.4f} | {used:.4f} | {1 / times[name] / PER_SONG:.1f} |")


if __name__ == "__main__":
    main()
