"""The networks of the paper's table. A function added here is a network: DL.type=itsName.

A network is a function of (input_var, parameters, numClasses): the input variable x: (chunks, 1,
yInput, xInput), the checked parameters and the number of classes. It gives its output layer
(softmax over the classes) and a dict of the layers worth looking at.
"""

import sys
from bisect import bisect_left
from functools import lru_cache

import numpy as np
from lasagne.init import Constant, HeUniform
from lasagne.layers import (
    ConcatLayer,
    Conv2DLayer,
    DenseLayer,
    ElemwiseSumLayer,
    FlattenLayer,
    GlobalPoolLayer,
    InputLayer,
    MaxPool2DLayer,
    PadLayer,
    Pool2DLayer,
    dropout,
    get_output,
    set_all_param_values,
)
from lasagne.nonlinearities import sigmoid, softmax

import theano
import theano.tensor as T
from filterbank import TemporalFilterBankLayer
from mirdl.errors import UserError
from mirdl.frames import MUSICNN, WINDOW, frames_of
from mirdl.networks import architectures
from mirdl.networks.batch_norm import BatchNormLayer, batch_norm
from mirdl.pretrained import musicnn as published
from mirdl.settings import that_work

# (frames, filters): 1xn filters over time for the shapes of onsets (short) and of patterns (long),
# paper section 3
LONGEST = 2**13     # frames of a chunk that are tried for a network that does not fit
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


# Networks after the paper, for chunks of any length. Train them with recipe=today.

def timbreRhythm(input_var, parameters, numClasses):
    """Build filters over bands and over time, three layers over time, mean and maximum.

    After J. Pons, O. Nieto, M. Prockup, E. Schmidt, A. Ehmann and X. Serra, 'End-to-end learning
    for music audio tagging at scale', ISMIR 2018, but with fewer filters.
    """
    data = inputLayer(input_var, parameters)
    bands = data.output_shape[2]
    timbre = [maxOverBands(normalised(data, 24, (bands * tenths // 10, 7), pad=(0, 3)))
              for tenths in (4, 9)]
    rhythm = [normalised(meanOverBands(data), 8, (1, frames), pad="same")
              for frames in (17, 33, 65)]
    layer = MaxPool2DLayer(ConcatLayer([*timbre, *rhythm]), (1, 2))
    front = layer
    for _ in range(3):
        layer = normalised(layer, 72, (1, 7), pad="same")
    output = outputLayer(meanAndMaxOverTime(layer), numClasses)
    return output, {"input": data, "front": front, "back": layer, "output": output}


def vgg(input_var, parameters, numClasses):
    """Build 3x3 filters in four layers, mean over bands, mean and maximum over time."""
    data = inputLayer(input_var, parameters)
    layer = data
    for filters in (16, 32, 64):
        layer = MaxPool2DLayer(normalised(layer, filters, 3, pad="same"), 2)
    layer = normalised(layer, 128, 3, pad="same")
    output = outputLayer(meanAndMaxOverTime(meanOverBands(layer)), numClasses)
    return output, {"input": data, "conv": layer, "output": output}


def musicnn(input_var, parameters, numClasses):
    """Build filters over bands and over time, three layers over time, mean and maximum, 200 units.

    J. Pons and X. Serra, 'musicnn: pre-trained convolutional neural networks for music audio
    tagging', ISMIR 2019. It takes musicnn's mel bands, and may start from published weights
    (DL.start).
    """
    data = inputLayer(input_var, parameters)
    start, bands = standardised(data), data.output_shape[2]
    timbre = [standardised(Conv2DLayer(start, 204, (bands * tenths // 10, 7), pad=(0, 3),
                                       W=HeUniform())) for tenths in (4, 7)]
    # as many frames come out as go in; TensorFlow puts the odd one of the padding behind
    rhythm = [standardised(Conv2DLayer(PadLayer(start, [(0, 0), (frames // 2 - 1, frames // 2)]),
                                       51, (1, frames), W=HeUniform())) for frames in (128, 64, 32)]
    front = ConcatLayer([maxOverBands(filters) for filters in (*timbre, *rhythm)])
    first = overTime(front)
    second = ElemwiseSumLayer([overTime(first), first])
    third = ElemwiseSumLayer([overTime(second), second])
    pool = meanAndMaxOverTime(ConcatLayer([front, first, second, third]))
    hidden = standardised(DenseLayer(dropout(standardised(pool), p=0.5), 200, W=HeUniform()))
    output = outputLayer(hidden, numClasses)
    return output, {"input": data, "front": front, "back": third, "pool": pool, "hidden": hidden,
                    "output": output}


def probe(input_var, parameters, numClasses):
    """Build one softmax layer on the maximum of each band over time, for windows of musicnn."""
    data = inputLayer(input_var, parameters)
    output = DenseLayer(maxOverTime(data), numClasses, W=Constant(0), nonlinearity=softmax)
    return output, {"input": data, "output": output}


def overTime(incoming):
    """Add 64 filters of 7 frames, with ReLU, then batch normalisation."""
    return standardised(Conv2DLayer(incoming, 64, (1, 7), pad=(0, 3), W=HeUniform()))


def standardised(incoming):
    """Add batch normalisation to what `incoming` gives, behind its ReLU."""
    return BatchNormLayer(incoming, epsilon=published.EPSILON)


def normalised(incoming, filters, size, pad):
    """Add filters with batch normalisation and ReLU."""
    return batch_norm(Conv2DLayer(incoming, filters, size, pad=pad, W=HeUniform()))


def meanOverBands(incoming):
    """Take the mean over all bands, at each frame."""
    return Pool2DLayer(incoming, (incoming.output_shape[2], 1), mode="average_inc_pad")


def meanAndMaxOverTime(incoming):
    """Take the mean and the maximum of each channel: (chunks, 2 * channels)."""
    return ConcatLayer([GlobalPoolLayer(incoming, T.mean), GlobalPoolLayer(incoming, T.max)])


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


@lru_cache(1)
def windowsOf(model):
    """Compile the published network `model`: (1, 1, 96, 187) -> mean and maximum, (1, 1506).

    `model` may be any DS.specTransform: None for one that has no network.
    """
    if model not in MUSICNN:
        return None
    x, weights = T.tensor4("x"), published.weights(model)
    DS = {"numChannels": 1, "yInput": 96, "xInput": WINDOW}
    output, layers = musicnn(x, {"DS": DS}, len(weights[-1]))
    set_all_param_values(output, weights)
    network = theano.function([x], get_output(layers["pool"], deterministic=True))
    network(np.zeros((1, 1, 96, WINDOW), np.float32))       # now, so that no song waits for it
    return network


def buildNet(inputs, parameters, numClasses, several=False):
    """Build the network parameters["DL"]["type"].

    Parameters
    ----------
    inputs : theano tensor4
        (chunks, numChannels, yInput, xInput).
    parameters : dict
        Checked by mirdl.settings.check.
    numClasses : int
    several : bool
        A song may have several of the classes: sigmoid takes the place of the last softmax.

    Returns
    -------
    output : lasagne Layer
        (chunks, numClasses), probabilities.
    network : dict of Layer

    Raises
    ------
    UserError
        If there is no such network, or its filters do not fit into the chunks; with settings that
        fit. If its last layer has no softmax that can be replaced.
    """
    names = architectures.networks(sys.modules[__name__])
    architectures.find(parameters["DL"]["type"], sys.modules[__name__])
    try:
        output, network = built(inputs, parameters, numClasses)
    except UserError as error:
        def fits(width):
            return any(that_work([f"DS.xInput={width}"], parameters, checkFit))
        width = bisect_left(range(LONGEST), True, 1, key=fits)
        needed = width + (parameters["chunkHop"] if parameters["asPublished"] else 0)
        ways = {f"DS.xInput={width}": " (for songs of "
                f"{needed * frames_of(parameters['DS']).seconds:.1f} s or more)",
                "DS.melBands=40": ""}
        # probe fits whatever there is, but is meant for what a network has made of songs
        types = that_work([f"DL.type={name}" for name in names if name != "probe"], parameters,
                          checkFit)
        fitting = ", ".join(way.removeprefix("DL.type=") for way in types)
        advice = [f"set {way}{ways[way]}" for way in that_work(ways, parameters, checkFit)]
        advice += [f"choose a network that fits: {fitting}"] if fitting else []
        raise UserError(f"{error}; {' or '.join(advice) or 'no network fits'}") from error
    if several and getattr(output, "nonlinearity", None) is not softmax:
        raise UserError(f"DL.type={parameters['DL']['type']} cannot learn songs that have several "
                        "tags: its last layer has no nonlinearity=softmax, in whose place sigmoid "
                        "would come; let it end with outputLayer(..., numClasses)")
    if several:
        output.nonlinearity = sigmoid
    return output, network


def built(inputs, parameters, numClasses):
    """Build a network as `buildNet` does, with an error that also says what to do."""
    name, DS = parameters["DL"]["type"], parameters["DS"]
    try:
        return architectures.find(name, sys.modules[__name__])(inputs, parameters, numClasses)
    except ValueError as error:
        reason = str(error).rstrip(".")
        raise UserError(f"DL.type={name} cannot be built for chunks of {DS['yInput']} bands and "
                        f"DS.xInput={DS['xInput']} frames: {reason}") from error


def checkFit(parameters):
    """Refuse a network that cannot be built for the chunks of these parameters."""
    built(None, parameters, numClasses=2)


if __name__ == "__main__":
    sys.exit("error: buildArchitecture.py is not run by itself; run: python run.py")
