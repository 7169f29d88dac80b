"""Trained networks as a function of a chunk, from mel energies to probabilities, and as ONNX."""

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import lasagne
import numpy as np
import onnx

import theano
import theano.tensor as T
from filterbank.op import in_plain_form
from mirdl.errors import UserError, one_line
from mirdl.export import graph
from mirdl.frames import WINDOW, WINDOW_HOP, before_network
from mirdl.results.models import Model
from mirdl.tagging.tagger import Tagger
from theano.link.pure import pure

CLOSE = 1e-5        # by which ONNX Runtime may differ
CHUNKS = 3          # that the comparison takes


def to_onnx(tagger: Tagger) -> onnx.ModelProto:
    """Write a network with its weights as ONNX, and compare what ONNX Runtime makes of it.

    Parameters
    ----------
    tagger : Tagger
        Of several models, the mean of their probabilities is taken. A published network that makes
        windows of songs becomes the first part.

    Returns
    -------
    onnx.ModelProto
        x: (chunks, 1, yInput, xInput), energies -> probabilities: (chunks, classes); before a
        published network as `frames.before_network` says. If each song is normalised by its own
        mean and standard deviation, mean and std: (chunks,) are inputs.

    Raises
    ------
    UserError
        If it cannot be written; it names the layer that prevents it.
    """
    if theano.config.floatX != "float32":
        raise UserError(f"floatX={theano.config.floatX} cannot be exported: expected "
                        "floatX=float32 in THEANO_FLAGS")
    ds, network = tagger.parameters["DS"], tagger.network()
    try:
        windows = _windows_by(network.windows, ds["xInput"]) if network.windows else None
        function = _of_energies(network.output, tagger, tagger.models, windows)
        return _converted(function, tagger.models[0], before_network(ds))
    except UserError:
        raise
    except Exception as error:      # jax2onnx raises nearly anything
        reason = _refused_layer(tagger) or _first_line(error)
        raise UserError(f"the network {tagger.parameters['DL']['type']} cannot be exported: "
                        f"{reason}") from error


def _of_energies(layer: lasagne.layers.Layer, tagger: Tagger, models: list[Model],
                 windows: Callable | None = None) -> Callable:
    """Make a JAX function of one chunk of what a layer gives; `windows`, if any, comes first.

    Returns
    -------
    callable
        (energies: (1, yInput, xInput), and mean and std if they are inputs) -> what the layer
        gives for this chunk, the mean over the models.
    """
    one = T.TensorType(theano.config.floatX, (True, False, False, False))("x")
    given = lasagne.layers.get_output(layer, one, deterministic=True)
    call, shared = pure(theano.function([one], given))
    weights = []
    for model in models:
        tagger.network().set_weights(model)
        weights.append([variable.get_value() for variable in shared])

    def function(x: jax.Array, *own: jax.Array) -> jax.Array:
        if windows:
            x = windows(x)
        if tagger.parameters["DS"]["inputNorm"] == "log0m1v":
            x = jnp.log10(x * 10000 + 1)
        answers = []
        for model, values in zip(models, weights, strict=True):
            mean, std = own or np.float32(model.info.moments)
            [answer], _ = call([((x - mean) / std)[None]], values)
            answers.append(answer[0])
        return answers[0] if len(answers) == 1 else sum(answers) / len(answers)

    return function


def _windows_by(network: Callable, count: int) -> Callable:
    """Make a JAX function: mel bands (1, bands, frames) -> windows (1, numbers, count)."""
    call, shared = pure(network)
    values = [variable.get_value() for variable in shared]

    def function(x: jax.Array) -> jax.Array:
        starts = range(0, count * WINDOW_HOP, WINDOW_HOP)
        [found], _ = call([jnp.stack([x[..., at:at + WINDOW] for at in starts])], values)
        return found.T[None]

    return function


def _converted(function: Callable, model: Model, ds: dict[str, Any]) -> onnx.ModelProto:
    """Convert a function of `_of_energies`; a ValueError if ONNX Runtime computes anything else."""
    shapes = {"x": (1, ds["yInput"], ds["xInput"])}
    # what chunks might hold
    inputs = [np.random.RandomState(0).gamma(0.3, 0.01, (CHUNKS, *shapes["x"])).astype(np.float32)]
    if model.info.moments is None:
        shapes |= {"mean": (), "std": ()}
        inputs += [np.full(CHUNKS, 1, np.float32), np.full(CHUNKS, 0.5, np.float32)]
    with in_plain_form():
        converted = graph.converted(function, shapes)
    found = graph.computed(converted, inputs)
    with jax.default_matmul_precision("highest"):       # on a GPU, too
        expected = jax.vmap(function)(*inputs)
    if not np.allclose(found, expected, rtol=CLOSE, atol=CLOSE):
        difference = np.abs(found - expected).max()
        raise ValueError(f"ONNX Runtime's values differ from JAX's by up to {difference:.2g}")
    return converted


def _refused_layer(tagger: Tagger) -> str:
    """Find the first layer that cannot be written, and say why; '' if each one by itself can."""
    for number, layer in enumerate(lasagne.layers.get_all_layers(tagger.network().output)):
        try:
            function = _of_energies(layer, tagger, tagger.models[:1])
            _converted(function, tagger.models[0], tagger.parameters["DS"])
        except Exception as error:
            name = f" {layer.name!r}" if layer.name else ""
            advice = ("; give it unroll_scan=True" if getattr(layer, "unroll_scan", True) is False
                      else "")
            return (f"its layer {number} ({type(layer).__name__}{name}) has no form in ONNX: "
                    f"{_first_line(error)}{advice}")
    return ""


def _first_line(error: Exception) -> str:
    return one_line(str(error).strip().partition("\n")[0])[:200] or type(error).__name__
