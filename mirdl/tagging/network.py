"""The compiled network of a model."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import lasagne

import theano
import theano.tensor as T
from mirdl.errors import UserError
from mirdl.networks import architectures
from mirdl.results.models import Model


class Network:
    """A network that gives probabilities.

    Parameters
    ----------
    model : Model
        Whose weights it has at first.
    parameters : dict
        That the model was trained with, complete.
    module : module
        Where the networks are: buildArchitecture.

    Attributes
    ----------
    output : lasagne Layer
        (chunks, classes).
    forward : callable
        x: (chunks, 1, yInput, xInput) -> probabilities: (chunks, classes).
    windows : callable or None
        The published network that makes windows of songs; see `mirdl.spectrograms.windows`.

    Raises
    ------
    UserError
        If the model does not fit the network of its name.
    """

    def __init__(self, model: Model, parameters: dict[str, Any], module: ModuleType) -> None:
        x, self._type = T.tensor4("x"), parameters["DL"]["type"]
        self.output, _ = module.buildNet(x, parameters, len(model.info.classes),
                                         model.info.several)
        self.set_weights(model)
        if model.info.architecture not in (None, architectures.source_hash(self._type, module)):
            print(f"Note: the network {self._type} of buildArchitecture.py has changed since "
                  f"{model.path} was trained", file=sys.stderr)
        self.windows = module.windowsOf(parameters["DS"]["specTransform"])
        self.forward: Callable = theano.function(
            [x], lasagne.layers.get_output(self.output, deterministic=True))

    def set_weights(self, model: Model) -> None:
        """Take the weights of a model; refuse those of another network."""
        expected = [value.shape for value in lasagne.layers.get_all_param_values(self.output)]
        if [value.shape for value in model.weights] != expected:
            raise UserError(f"the model {model.path!r} does not fit the network {self._type} of "
                            "buildArchitecture.py, which has changed since it was trained; put "
                            "the old one back, or train again")
        lasagne.layers.set_all_param_values(self.output, model.weights)
