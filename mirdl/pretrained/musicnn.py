"""The weights of musicnn: fetched when they are first needed, and kept in data/preloaded.

J. Pons and X. Serra, 'musicnn: pre-trained convolutional neural networks for music audio tagging',
ISMIR 2019 (late-breaking demo). They are in the package musicnn 0.1.0 (ISC licence), which asks for
TensorFlow 1: so it is downloaded, not installed.
"""

import ast
import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

import numpy as np

from mirdl.errors import UserError, one_line
from mirdl.frames import MUSICNN
from mirdl.pretrained import bundle
from mirdl.system.locks import locked
from mirdl.system.whole_files import make_folder, whole

FOLDER = os.path.join("data", "preloaded")
KEPT = os.path.join(FOLDER, "musicnn-0.1.0.npz")
WHEEL = os.path.join(FOLDER, "musicnn-0.1.0-py3-none-any.whl")
SHA256 = "f38a4890c648c1ddbb141c5d96d2b0a8cfcd36746002d896989f7b88beb65cfa"
# trained on MagnaTagATune, on the Million Song Dataset
MODELS = {name: name.removeprefix("musicnn-") for name in MUSICNN}
FRONT = 5           # layers of filters over bands or time, before those over channels
# the layers with weights, in the order of the network and of TensorFlow's numbers
LAYERS = ["batch_normalization", *["conv2d", "batch_normalization"] * (FRONT + 3),
          "batch_normalization", "dense", "batch_normalization", "dense"]
NAMES = {"batch_normalization": ("beta", "gamma", "moving_mean", "moving_variance"),
         "conv2d": ("kernel", "bias"), "dense": ("kernel", "bias")}
EPSILON = 1e-3      # of the batch normalisation


def weights(model: str) -> list[np.ndarray]:
    """Give the weights of the network musicnn, in Lasagne's get_all_params order.

    Parameters
    ----------
    model : {"musicnn-MTT", "musicnn-MSD"}

    Returns
    -------
    list of ndarray
        float32. Those of the last layer are for the 50 tags of `tags`, each with a sigmoid.

    Raises
    ------
    UserError
        If they are not there and cannot be fetched, or a file is damaged.
    """
    arrays, count, found = _kept(model), dict.fromkeys(NAMES, 0), []
    for kind in LAYERS:
        number, count[kind] = count[kind], count[kind] + 1
        layer = f"{kind}_{number}" if number else kind
        values = [arrays[f"{layer}/{name}"] for name in NAMES[kind]]
        if kind == "conv2d":        # (frames, bands or channels, 1, filters)
            kernel = values[0][::-1].transpose(3, 1, 2, 0)      # Lasagne flips filters
            values[0] = kernel[:, ::-1].swapaxes(1, 2) if number < FRONT else kernel
        elif kind == "dense" and not number:    # of each channel maximum, then mean
            values[0] = np.concatenate([values[0][1::2], values[0][::2]])
        elif kind == "batch_normalization":
            values[3] = 1 / np.sqrt(values[3] + EPSILON)
            if len(values[3]) == len(arrays["dense/kernel"]):
                values = [np.concatenate([value[1::2], value[::2]]) for value in values]
        found += values
    return found


def tags(model: str) -> list[str]:
    """Give the 50 tags that a model knows, in the order of its last layer's units."""
    return _kept(model)["tags"].tolist()


def _kept(model: str) -> dict[str, np.ndarray]:
    """Read the arrays of a model by name; fetch them if they are not kept yet."""
    make_folder(FOLDER)
    with locked(KEPT + ".lock", lambda: print(f"  waiting for another run that fetches {KEPT} ...",
                                              file=sys.stderr)):
        if not os.path.exists(KEPT):
            _keep()
    start = MODELS[model] + "/"
    try:
        with np.load(KEPT) as file:
            return {name.removeprefix(start): file[name] for name in file if name.startswith(start)}
    except Exception as error:      # a damaged archive can raise nearly anything
        raise UserError(f"{KEPT!r} is damaged ({one_line(str(error))}); remove it and run again, "
                        "and it is made anew") from error


def _keep() -> None:
    """Take the arrays and tags of both models out of the wheel."""
    arrays = {}
    with zipfile.ZipFile(io.BytesIO(_wheel())) as wheel:
        settings = ast.parse(wheel.read("musicnn/configuration.py"))
        labels = {each.targets[0].id: each.value for each in settings.body}
        for model in MODELS.values():
            folder = f"musicnn/{model}_musicnn/"
            found = bundle.arrays(wheel.read(folder + ".index"),
                                  wheel.read(folder + ".data-00000-of-00001"))
            wanted = {name: found[name] for name in found if name.endswith(sum(NAMES.values(), ()))}
            wanted["tags"] = np.array(ast.literal_eval(labels[f"{model}_LABELS"]))
            arrays |= {f"{model}/{name}": value for name, value in wanted.items()}
    with whole(KEPT, "wb") as file:
        np.savez(file, **arrays)


def _wheel() -> bytes:
    """Read the wheel: from data/preloaded if it was put there, otherwise by pip."""
    if os.path.exists(WHEEL):
        return _checked(WHEEL)
    print("musicnn's weights are missing; fetching musicnn 0.1.0 (29 MB; J. Pons and X. Serra, ISC "
          "licence) by pip", file=sys.stderr)      # predict.py writes data to stdout
    with tempfile.TemporaryDirectory() as folder:
        done = subprocess.run(
            [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
             "--no-deps", "--dest", folder, "musicnn==0.1.0"],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        wheel = os.path.join(folder, os.path.basename(WHEEL))
        if not os.path.exists(wheel):
            reason = one_line((done.stdout.strip().splitlines() or ["nothing was fetched"])[-1])
            raise UserError(f"musicnn's weights cannot be fetched by pip: {reason}; put the file "
                            f"{os.path.basename(WHEEL)} of PyPI (sha256 {SHA256}) into {FOLDER}, "
                            "then run again")
        return _checked(wheel)


def _checked(path: str) -> bytes:
    content = Path(path).read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256:
        raise UserError(f"{path!r} is not the wheel of musicnn 0.1.0: its sha256 is {found}, "
                        f"expected {SHA256}; remove it, or put the one of PyPI there")
    return content
