"""The networks, as the paper's table. A function added here is a network: DL.type=itsName.

A network is a function of (input_var, parameters, numClasses): the input variable x: (chunks, 1,
yInput, xInput), the checked parameters and the number of classes. It gives its output layer
(softmax over the classes) and a dict of the layers that one may want to look at.
"""

import sys

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
from lasagne.nonlinearities import softmax

from filterbank import TemporalFilterBankLayer
from mirdl.errors import UserError
from mirdl.training import architectures

# (frames, filters): 1xn filters over time for the shapes of onsets (short) and of patterns (long),
# paper section 3
oNet = [(n, 5) for n in range(6, 42, 5)]
pNet = [(n, 1) for n in range(46, 217, 5)]


def temporalNet(filters, input_var, parameters, numClasses):
    """Build a bank of filters over time, each with ReLU and its maximum over 4 bands and all time.

    `filters`: a list of (frames, number of filters). Dropout and softmax follow the bank.
    """
    data = inputLayer(input_var, parameters)
    bank = TemporalFilterBankLayer(data, filters, pool_bands=4, W=HeUniform())
    output = outputLayer(bank, numClasses)
    return output, {"input": data, "fusion": bank, "output": output}


def oNetOne(input_var, parameters, numClasses):
    """Build the network of 40 filters for onsets."""
    return temporalNet(oNet, input_var, parameters, numClasses)


def pNetOne(input_var, parameters, numClasses):
    """Build the network of 35 filters for patterns."""
    return temporalNet(pNet, input_var, parameters, numClasses)


def oNetTwo(input_var, parameters, numClasses):
    """Build the network of 80 filters for onsets."""
    return temporalNet(2 * oNet, input_var, parameters, numClasses)


def pNetTwo(input_var, parameters, numClasses):
    """Build the network of 70 filters for patterns."""
    return temporalNet(2 * pNet, input_var, parameters, numClasses)


def oNetpNet(input_var, parameters, numClasses):
    """Build the network of 40 filters for onsets, 35 for patterns."""
    return temporalNet(oNet + pNet, input_var, parameters, numClasses)


def oNetTwopNetTwo(input_var, parameters, numClasses):
    """Build the network of 80 filters for onsets, 70 for patterns."""
    return temporalNet(2 * (oNet + pNet), input_var, parameters, numClasses)


def oNetFourpNetFour(input_var, parameters, numClasses):
    """Build the network of 160 filters for onsets, 140 for patterns."""
    return temporalNet(4 * (oNet + pNet), input_var, parameters, numClasses)


def oNetEightpNetEight(input_var, parameters, numClasses):
    """Build the network of 320 filters for onsets, 280 for patterns."""
    return temporalNet(8 * (oNet + pNet), input_var, parameters, numClasses)


# The networks of the predecessor: J. Pons, T. Lidy and X. Serra, 'Experimenting with musically
# motivated convolutional neural networks', CBMI 2016. Their input is 40 bands by 80 frames: set
# DS.xInput=80 (and chunkHop=80).

def time(input_var, parameters, numClasses):
    """Build the network of 32 filters over 60 frames."""
    data = inputLayer(input_var, parameters)
    filters = Conv2DLayer(data, 32, (1, 60), W=HeUniform())
    output = outputLayer(maxOverBands(filters), numClasses)
    return output, {"input": data, "time": filters, "output": output}


def frequency(input_var, parameters, numClasses):
    """Build the network of 32 filters over 32 bands."""
    data = inputLayer(input_var, parameters)
    filters = Conv2DLayer(data, 32, (32, 1), W=HeUniform())
    output = outputLayer(maxOverTime(filters), numClasses)
    return output, {"input": data, "frequency": filters, "output": output}


def timeFrequency(input_var, parameters, numClasses):
    """Build the network of both kinds of filters, then 200 hidden units."""
    data = inputLayer(input_var, parameters)
    overTime = Conv2DLayer(data, 32, (1, 60), W=HeUniform())
    overBands = Conv2DLayer(data, 32, (32, 1), W=HeUniform())
    fusion = ConcatLayer([FlattenLayer(maxOverBands(overTime)),
                          FlattenLayer(maxOverTime(overBands))])
    hidden = DenseLayer(fusion, 200, W=HeUniform())
    output = outputLayer(hidden, numClasses)
    return output, {"input": data, "time": overTime, "frequency": overBands, "fusion": fusion,
                    "hidden": hidden, "output": output}


def blackBox(input_var, parameters, numClasses):
    """Build the network of 32 filters of 12 bands by 8 frames, then 200 hidden units."""
    data = inputLayer(input_var, parameters)
    filters = Conv2DLayer(data, 32, (12, 8), W=HeUniform())
    hidden = DenseLayer(MaxPool2DLayer(filters, (4, 1)), 200, W=HeUniform())
    output = outputLayer(hidden, numClasses)
    return output, {"input": data, "conv": filters, "hidden": hidden, "output": output}


def inputLayer(input_var, parameters):
    """Build the input layer for x: (chunks, numChannels, yInput, xInput)."""
    DS = parameters["DS"]
    return InputLayer((None, DS["numChannels"], DS["yInput"], DS["xInput"]), input_var)


def maxOverBands(incoming):
    """Take the maximum over all bands, at each frame."""
    return MaxPool2DLayer(incoming, (incoming.output_shape[2], 1))


def maxOverTime(incoming):
    """Take the maximum over all time, in each band."""
    return MaxPool2DLayer(incoming, (1, incoming.output_shape[3]))


def outputLayer(incoming, numClasses):
    """Drop out half of the units, then softmax over the classes."""
    return DenseLayer(dropout(incoming, p=0.5), numClasses, nonlinearity=softmax)


def buildNet(inputs, parameters, numClasses):
    """Build the network parameters["DL"]["type"].

    Parameters
    ----------
    inputs : theano tensor4
        (chunks, numChannels, yInput, xInput).
    parameters : dict
        Checked by mirdl.settings.check.
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
    name, DS = parameters["DL"]["type"], parameters["DS"]
    net = architectures.find(name, sys.modules[__name__])
    try:
        return net(inputs, parameters, numClasses)
    except ValueError as error:
        raise UserError(f"DL.type={name} cannot be built for chunks of {DS['yInput']} bands and "
                        f"DS.xInput={DS['xInput']} frames: {error}") from error


if __name__ == "__main__":
    sys.exit("error: buildArchitecture.py is not run by itself; run: python run.py")
