"""The networks, as the paper's table. A function added here is a network: `python run.py DL.type=itsName`.

A network is a function of (input_var, parameters, numClasses): the input variable x: (chunks, 1, yInput, xInput), the
settled parameters and the number of classes. It gives its output layer (softmax over the classes) and a dict of the
layers that one may want to look at.
"""

import difflib
import hashlib
import inspect
import sys

from lasagne import nonlinearities
from lasagne.init import HeUniform
from lasagne.layers import ConcatLayer, Conv2DLayer, DenseLayer, FlattenLayer, InputLayer, MaxPool2DLayer, dropout

from filterbank import TemporalFilterBankLayer
from mirdl.errors import UserError

# (frames, filters): 1xn filters over time for the shapes of onsets (short) and of patterns (long), paper section 3
oNet = [(n, 5) for n in range(6, 42, 5)]
pNet = [(n, 1) for n in range(46, 217, 5)]


def oNetOne(input_var, parameters, numClasses):
    return temporalNet(oNet, input_var, parameters, numClasses)


def pNetOne(input_var, parameters, numClasses):
    return temporalNet(pNet, input_var, parameters, numClasses)


def oNetTwo(input_var, parameters, numClasses):
    return temporalNet(2 * oNet, input_var, parameters, numClasses)


def pNetTwo(input_var, parameters, numClasses):
    return temporalNet(2 * pNet, input_var, parameters, numClasses)


def oNetpNet(input_var, parameters, numClasses):
    return temporalNet(oNet + pNet, input_var, parameters, numClasses)


def oNetTwopNetTwo(input_var, parameters, numClasses):
    return temporalNet(2 * (oNet + pNet), input_var, parameters, numClasses)


def oNetFourpNetFour(input_var, parameters, numClasses):
    return temporalNet(4 * (oNet + pNet), input_var, parameters, numClasses)


def oNetEightpNetEight(input_var, parameters, numClasses):
    return temporalNet(8 * (oNet + pNet), input_var, parameters, numClasses)


# The networks of the predecessor: J. Pons, T. Lidy and X. Serra, 'Experimenting with musically motivated convolutional
# neural networks', CBMI 2016. Their input is 40 bands by 80 frames: set DS.xInput=80 (and chunkHop=80).

def time(input_var, parameters, numClasses):
    network = {"input": inputLayer(input_var, parameters)}
    return withOutput(network, timeFilters(network), numClasses)


def frequency(input_var, parameters, numClasses):
    network = {"input": inputLayer(input_var, parameters)}
    return withOutput(network, frequencyFilters(network), numClasses)


def timeFrequency(input_var, parameters, numClasses):
    network = {"input": inputLayer(input_var, parameters)}
    network["fusion"] = ConcatLayer([FlattenLayer(timeFilters(network)), FlattenLayer(frequencyFilters(network))])
    return withOutput(network, hiddenLayer(network, network["fusion"]), numClasses)


def blackBox(input_var, parameters, numClasses):
    network = {"input": inputLayer(input_var, parameters)}
    network["conv"] = Conv2DLayer(network["input"], 32, (12, 8), W=HeUniform())
    return withOutput(network, hiddenLayer(network, MaxPool2DLayer(network["conv"], (4, 1))), numClasses)


def timeFilters(network):
    """32 filters over 60 frames; at each frame the maximum over all bands."""
    network["time"] = Conv2DLayer(network["input"], 32, (1, 60), W=HeUniform())
    return MaxPool2DLayer(network["time"], (network["time"].output_shape[2], 1))


def frequencyFilters(network):
    """32 filters over 32 bands; of each band the maximum over all time."""
    network["frequency"] = Conv2DLayer(network["input"], 32, (32, 1), W=HeUniform())
    return MaxPool2DLayer(network["frequency"], (1, network["frequency"].output_shape[3]))


def hiddenLayer(network, incoming):
    """A layer of 200 units."""
    network["hidden"] = DenseLayer(incoming, 200, W=HeUniform())
    return network["hidden"]


def temporalNet(filters, input_var, parameters, numClasses):
    """A bank of filters over time, each followed by ReLU and the maximum over 4 bands and all time; dropout; softmax.

    Parameters
    ----------
    filters : list of (int, int)
        Frames and number of filters of each part of the bank.
    """
    network = {"input": inputLayer(input_var, parameters)}
    network["fusion"] = TemporalFilterBankLayer(network["input"], filters, pool_bands=4, W=HeUniform())
    return withOutput(network, network["fusion"], numClasses)


def inputLayer(input_var, parameters):
    """The input layer for x: (chunks, numChannels, yInput, xInput)."""
    DS = parameters["DS"]
    return InputLayer((None, DS["numChannels"], DS["yInput"], DS["xInput"]), input_var)


def withOutput(network, incoming, numClasses):
    """Close `network` by half of the units dropped out and a softmax over the classes."""
    network["output"] = DenseLayer(dropout(incoming, p=0.5), numClasses, nonlinearity=nonlinearities.softmax)
    return network["output"], network


def architectures():
    """Name -> function of every network in this file: the functions of (input_var, parameters, numClasses)."""
    functions = inspect.getmembers(sys.modules[__name__], inspect.isfunction)
    return {name: function for name, function in functions
            if list(inspect.signature(function).parameters) == ["input_var", "parameters", "numClasses"]}


def findNet(name):
    """The function of the network `name`; a `UserError` with the list of networks if there is none."""
    networks = architectures()
    if name not in networks:
        near = difflib.get_close_matches(name, networks, 1)
        raise UserError(f"DL.type={name} is no network of buildArchitecture.py" + (f"; did you mean {near[0]}? There" if near else "; there")
                        + f" are: {', '.join(sorted(networks))}")
    return networks[name]


def sourceHash(name):
    """SHA-256, in hexadecimal digits, of the source of the network `name` and of the functions and values that it uses.

    A model keeps it, so that one can tell whether the network is still the one that was trained.
    """
    todo, sources = [findNet(name)], {}
    while todo:
        function = todo.pop()
        if function.__qualname__ in sources:
            continue
        sources[function.__qualname__] = inspect.getsource(function)
        for used in _names(function.__code__) & set(function.__globals__):
            value = function.__globals__[used]
            if inspect.isfunction(value):
                todo.append(value)
            elif not callable(value) and not inspect.ismodule(value):
                sources[used] = repr(value)     # a plain value, such as a list of filters
    return hashlib.sha256(repr(sorted(sources.items())).encode()).hexdigest()


def _names(code):
    """The names that a function's code uses, that of the functions inside it included."""
    inside = [_names(constant) for constant in code.co_consts if inspect.iscode(constant)]
    return set(code.co_names).union(*inside)


def buildNet(inputs, parameters, numClasses):
    """Build the network parameters['DL']['type'].

    Parameters
    ----------
    inputs : theano tensor4
        (chunks, numChannels, yInput, xInput).
    parameters : dict
        Settled by mirdl.settings.check.
    numClasses : int

    Returns
    -------
    output : lasagne Layer
        (chunks, numClasses), probabilities.
    network : dict of Layer

    Raises
    ------
    UserError
        If there is no such network, or its filters do not fit into the chunks.
    """
    net, DS = findNet(parameters["DL"]["type"]), parameters["DS"]
    try:
        return net(inputs, parameters, numClasses)
    except ValueError as error:
        raise UserError(f"DL.type={parameters['DL']['type']} cannot be built for chunks of {DS['yInput']} bands and "
                        f"DS.xInput={DS['xInput']} frames: {error}") from error
