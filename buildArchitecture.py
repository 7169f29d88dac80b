"""The networks, as the paper's table. A function added here is a network: `python run.py DL.type=itsName`.

A network is a function of (input_var, parameters, numClasses): the input variable x: (chunks, 1, yInput, xInput), the
settled parameters and the number of classes. It gives its output layer (softmax over the classes) and a dict of the
layers that one may want to look at.
"""

import sys

from lasagne import nonlinearities
from lasagne.init import HeUniform
from lasagne.layers import (
    ConcatLayer,
    Conv2DLayer,
    DenseLayer,
    FlattenLayer,
    InputLayer,
    MaxPool2DLayer,
    dropout,
)

from filterbank import TemporalFilterBankLayer
from mirdl.errors import UserError
from mirdl.training import architectures

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
    net, DS = architectures.find(parameters["DL"]["type"], sys.modules[__name__]), parameters["DS"]
    try:
        return net(inputs, parameters, numClasses)
    except ValueError as error:
        raise UserError(f"DL.type={parameters['DL']['type']} cannot be built for chunks of {DS['yInput']} bands and "
                        f"DS.xInput={DS['xInput']} frames: {error}") from error
