"""NAME.onnx and NAME.frontend.npz: a model and its front end, for programs elsewhere."""

import json
import os
from importlib.metadata import version

import numpy as np

from mirdl.errors import UserError
from mirdl.export import conversion
from mirdl.frames import MAGNITUDES, MEL, MUSICNN_MEL, WINDOW_HOP, before_network, frames_of
from mirdl.results.beside import read_thresholds
from mirdl.results.models import FRONT_END
from mirdl.spectrograms.front_end import FrontEnd, front_end
from mirdl.system.whole_files import remove_leftovers, whole
from mirdl.tagging.tagger import Tagger

PACKAGES = ("jax", "jax2onnx", "onnx")


def check_path(path: str) -> None:
    """Refuse a path that does not name an ONNX file, or whose folder is not there."""
    if not path.endswith(".onnx"):
        raise UserError(f"the file {path!r} must end in .onnx")
    if not os.path.isdir(os.path.dirname(path) or "."):
        raise UserError(f"there is no folder {os.path.dirname(path)!r} to write {path!r} to")


def write(path: str, tagger: Tagger, licence: str) -> list[str]:
    """Write a model, or the mean of several models of a network, and its front end.

    Parameters
    ----------
    path : str
        Of the .onnx file; see `check_path`.
    tagger : Tagger
    licence : str
        Under which the model may be used.

    Returns
    -------
    list of str
        The paths of both files.

    Raises
    ------
    UserError
        If the network cannot be written as ONNX, or a file cannot be written.
    """
    ds = before_network(tagger.parameters["DS"])
    front, model = front_end(ds), conversion.to_onnx(tagger)
    for key, value in metadata(tagger, front, licence).items():
        model.metadata_props.add(key=key, value=value)
    beside = path.removesuffix(".onnx") + FRONT_END
    remove_leftovers(os.path.dirname(path) or ".", (".onnx", FRONT_END))
    with whole(beside, "wb") as file:
        arrays = {"window": front.window, "mel": front.mel, "level": front.level,
                  "hop": frames_of(ds).hop}
        np.savez(file, **{key: each for key, each in arrays.items() if each is not None})
    with whole(path, "wb") as file:
        file.write(model.SerializeToString())
    return [path, beside]


def metadata(tagger: Tagger, front: FrontEnd, licence: str) -> dict[str, str]:
    """Say what is needed to use a model, as texts; those of several values are JSON."""
    models, parameters = tagger.models, tagger.parameters
    info, data = models[0].info, before_network(parameters["DS"])
    frames, own = frames_of(data), info.moments is None
    kinds = {MAGNITUDES: "magnitudes of bins, before compression",
             MEL: "energies of mel bands, before compression",
             MUSICNN_MEL: "log10(10000 x + 1) of the energies of mel bands"}
    windows = WINDOW_HOP if data is not parameters["DS"] else 1
    return {
        "models": json.dumps([model.name for model in models]),
        "classes": json.dumps(info.classes),
        "licence": licence,
        "input": kinds[data["specTransform"]] + ": (chunks, 1, bands, frames)",
        "level": data["level"],
        "compression": "log10(10000 x + 1), inside" if data["inputNorm"] == "log0m1v" else "none",
        "normalisation": ("mean and std of the compressed spectrogram of each chunk's song are "
                          "inputs: (chunks,)" if own else "inside"),
        "sample_rate": f"{frames.rate}",
        "frame_hop": f"{frames.hop}",
        "chunk_frames": f"{data['xInput']}",
        "chunk_hop": f"{parameters['chunkHop'] * windows}",
        "short_songs": data["short"],
        "essentia": json.dumps(front.chain),
        "network": parameters["DL"]["type"],
        "source_hash": info.architecture,
        "parameters": json.dumps(parameters),
        **({"thresholds": json.dumps(read_thresholds(models[0]).tolist())}
           if info.several and info.architecture else {}),
        "versions": json.dumps({"training": info.versions,
                                "export": {each: version(each) for each in PACKAGES}})}
