from types import SimpleNamespace

import lasagne
import numpy as np
import pytest
from conftest import optional
from lasagne.layers import (
    ConcatLayer,
    Conv1DLayer,
    Conv2DLayer,
    DenseLayer,
    DimshuffleLayer,
    ElemwiseSumLayer,
    FlattenLayer,
    GlobalPoolLayer,
    LSTMLayer,
    MaxPool2DLayer,
    NonlinearityLayer,
    PadLayer,
    Pool2DLayer,
    ReshapeLayer,
    dropout,
)
from lasagne.nonlinearities import rectify, softmax

import buildArchitecture
import predict
import theano.tensor as T
from mirdl.errors import UserError
from mirdl.networks import architectures
from mirdl.spectrograms.normalisation import compress, own_mean_and_std
from mirdl.spectrograms.windows import finished

graph = optional("mirdl.export.graph")
conversion = optional("mirdl.export.conversion")

SHORT = "DS.xInput=80", "chunkHop=80"       # for which the predecessor's networks are made
NETWORKS = sorted(architectures.networks(buildArchitecture))
QUICK = "oNetOne", "timeFrequency"


def exported(run, ensemble=False):
    """Return a run's ONNX model and its tagger."""
    tagger = predict.Tagger(run, ensemble)
    return conversion.to_onnx(tagger), tagger


def energies(tagger, chunks=7):
    DS = tagger.parameters["DS"]                                                        # noqa: N806
    shape = DS["yInput"], DS["xInput"] + 80 * chunks
    return np.random.RandomState(1).gamma(0.3, 0.01, shape).astype(np.float32)


def chunks_of(spectrogram, answer, tagger):
    """Cut the chunks of an answer out of a spectrogram."""
    DS = tagger.parameters["DS"]                                                        # noqa: N806
    starts = np.rint(answer.start * 44100 / DS["hopSize"]).astype(int)
    return np.stack([spectrogram[None, :, start:start + DS["xInput"]] for start in starts])


def difference(model, tagger, *more):
    """Compare ONNX Runtime's probabilities of a song's chunks, and of one, with predict's."""
    spectrogram = energies(tagger)
    answer = tagger.answer("song.wav", spectrogram.copy())
    x = chunks_of(spectrogram, answer, tagger)
    assert len(x) == 7
    found = graph.computed(model, [x, *(np.full(len(x), value) for value in more)])
    assert found.shape == answer.probabilities.shape
    assert np.ptp(found, axis=0).max() > 1e-3, "chunks differ"
    one = graph.computed(model, [x[:1], *(np.full(1, value) for value in more)])
    return max(np.abs(found - answer.probabilities).max(),
               np.abs(one - answer.probabilities[:1]).max())


def test_there_are_fourteen_networks():
    assert len(NETWORKS) == 16


@pytest.mark.parametrize("name", [
    pytest.param(name, marks=() if name in QUICK else pytest.mark.slow) for name in NETWORKS])
def test_a_network_answers_as_predict_does(untrained, name):
    short = SHORT if name in ("time", "frequency", "timeFrequency", "blackBox") else ()
    model, tagger = exported(untrained(f"DL.type={name}", "chunkHop=80", *short))
    assert difference(model, tagger) < 1e-5


@pytest.mark.slow
def test_an_ensemble_is_the_mean_of_models_each_normalised_as_its_own(untrained):
    run = untrained("DL.type=oNetOne", "chunkHop=80", "DS.inputNormWhere=train",
                    moments=[(2, 1.3), (0.5, 0.9)])
    model, tagger = exported(run, ensemble=True)
    assert difference(model, tagger) < 1e-5
    single, _ = exported(run)
    assert difference(single, tagger) > 1e-3


@pytest.mark.parametrize("ensemble", [False, True])
@pytest.mark.parametrize("norm, where", [
    ("log0m1v", "global"), ("log0m1v", "local"), ("log0m1v", "train"), ("None", "global"),
    pytest.param("None", "local", marks=pytest.mark.slow),
    pytest.param("None", "train", marks=pytest.mark.slow)])
def test_every_normalisation_is_inside_or_an_input(untrained, norm, where, ensemble):
    own = (norm, where) == ("log0m1v", "local")
    moments = {"log0m1v": [(2, 1.3), (0.5, 0.9)], "None": [(0, 1)] * 2}[norm]
    model, tagger = exported(untrained(
        "DL.type=oNetOne", "chunkHop=80", f"DS.inputNorm={norm}", f"DS.inputNormWhere={where}",
        moments=[None] * 2 if own else moments), ensemble)
    mean_and_std = own_mean_and_std(compress(energies(tagger), norm),
                                    tagger.parameters["DS"]) if own else ()
    assert [each.name for each in model.graph.input] == ["x", "mean", "std"][:3 if own else 1]
    assert difference(model, tagger, *mean_and_std) < 1e-5


def test_magnitudes_are_taken_as_they_are(untrained):
    model, tagger = exported(untrained(
        "DL.type=oNetOne", "chunkHop=80", "DS.inputNorm=None", "DS.specTransform=magnitudeSTFT",
        "DS.frameSize=64", moments=[(0, 1)]))
    assert difference(model, tagger) < 1e-5


class BatchNorm(lasagne.layers.Layer):
    """Normalises each channel by mean and deviation that are parameters, as in a test."""

    def __init__(self, incoming):
        super().__init__(incoming)
        size = self.input_shape[1],
        self.values = [self.add_param(lasagne.init.Constant(1), size, name=name)
                       for name in ("mean", "inv_std", "gamma", "beta")]

    def get_output_for(self, input, **kwargs):      # noqa: A002 (Lasagne's name)
        mean, inv_std, gamma, beta = (value.dimshuffle("x", 0, "x", "x") for value in self.values)
        return (input - mean) * (gamma * inv_std) + beta


def convolved(incoming):
    return NonlinearityLayer(BatchNorm(Conv2DLayer(incoming, 4, (3, 3), pad="same")), rectify)


def modern(input_var, parameters, numClasses):      # noqa: N803
    """Stack convolutions of 3 by 3, with every kind of pooling."""
    data = buildArchitecture.inputLayer(input_var, parameters)
    one = Pool2DLayer(convolved(data), (2, 2), mode="average_exc_pad")
    other = convolved(one)
    both = ElemwiseSumLayer([other, convolved(other)])
    pooled = MaxPool2DLayer(both, (3, 3), stride=2, pad=1)
    padded = Pool2DLayer(PadLayer(pooled, 2), (2, 3), stride=1, pad=1, mode="average_inc_pad")
    pooled = Pool2DLayer(padded, (padded.output_shape[2], 1), mode="average_exc_pad")
    overTime = [GlobalPoolLayer(pooled, pool_function=each) for each in (T.mean, T.max)]    # noqa: N806
    hidden = DenseLayer(dropout(ConcatLayer(overTime)), 10)
    return buildArchitecture.outputLayer(hidden, numClasses), {}


def strided(input_var, parameters, numClasses):     # noqa: N803
    """Stack convolutions with every border, with steps and gaps, and over time alone."""
    data = buildArchitecture.inputLayer(input_var, parameters)
    full = Conv2DLayer(Conv2DLayer(data, 4, (3, 5), stride=(2, 1)), 3, (2, 4), stride=(1, 3),
                       pad="full")
    gaps = Conv2DLayer(full, 4, 3, convolution=lambda x, w, **settings: T.nnet.conv2d(
        x, w, filter_dilation=(2, 3), border_mode="valid"))
    rows = ReshapeLayer(Conv2DLayer(full, 4, 3, pad="same"), ([0], -1, [3]))
    both = [FlattenLayer(Conv1DLayer(rows, 5, 4, pad=1)), GlobalPoolLayer(gaps)]
    return buildArchitecture.outputLayer(ConcatLayer(both), numClasses), {}


def recurrent(input_var, parameters, numClasses, unrolled=False):      # noqa: N803
    data = buildArchitecture.inputLayer(input_var, parameters)
    overTime = DimshuffleLayer(ReshapeLayer(data, ([0], [2], [3])), (0, 2, 1))      # noqa: N806
    hidden = LSTMLayer(overTime, 3, name="memory", unroll_scan=unrolled)
    return DenseLayer(hidden, numClasses, nonlinearity=softmax), {}


@pytest.mark.parametrize("network", [pytest.param(modern, marks=pytest.mark.slow), strided])
def test_a_network_of_other_layers(untrained, monkeypatch, network):
    monkeypatch.setattr(buildArchitecture, network.__name__, network, raising=False)
    model, tagger = exported(untrained(f"DL.type={network.__name__}", "DS.xInput=63",
                                       "chunkHop=80"))
    assert difference(model, tagger) < 1e-5


def test_a_layer_that_has_no_form_is_named(untrained, monkeypatch):
    def memory(input_var, parameters, numClasses):      # noqa: N803
        return recurrent(input_var, parameters, numClasses)
    monkeypatch.setattr(buildArchitecture, "memory", memory, raising=False)
    run = untrained("DL.type=memory", "DS.xInput=9", "chunkHop=80")
    with pytest.raises(UserError, match="the network memory cannot be exported: its layer 3 "
                                        r"\(LSTMLayer 'memory'\) has no form in ONNX: .*; give it "
                                        "unroll_scan=True"):
        exported(run)


def test_an_unrolled_layer_has_a_form(untrained, monkeypatch):
    def memory(input_var, parameters, numClasses):      # noqa: N803
        return recurrent(input_var, parameters, numClasses, unrolled=True)
    monkeypatch.setattr(buildArchitecture, "memory", memory, raising=False)
    model, tagger = exported(untrained("DL.type=memory", "DS.xInput=9", "chunkHop=80"))
    assert difference(model, tagger) < 1e-5


def test_an_operation_that_has_no_form_is_named(untrained, monkeypatch):
    def nonzero(input_var, parameters, numClasses):     # noqa: N803
        data = buildArchitecture.inputLayer(input_var, parameters)
        places = NonlinearityLayer(data, lambda x: x * x.nonzero()[0].sum())
        return buildArchitecture.outputLayer(places, numClasses), {}
    monkeypatch.setattr(buildArchitecture, "nonzero", nonzero, raising=False)
    with pytest.raises(UserError, match=r"its layer 1 \(NonlinearityLayer\) has no .*Nonzero"):
        exported(untrained("DL.type=nonzero", "DS.xInput=20", "chunkHop=80"))


def test_what_onnx_runtime_computes_otherwise_is_refused(untrained, monkeypatch):
    computed = graph.computed
    monkeypatch.setattr(graph, "computed", lambda *given: computed(*given) + 1e-3)
    with pytest.raises(UserError, match="ONNX Runtime's values differ from JAX's by up to 0.001"):
        exported(untrained("DL.type=oNetOne"))


def test_other_numbers_than_float32_are_refused(untrained, monkeypatch):
    config = SimpleNamespace(floatX="float64")
    monkeypatch.setattr(conversion, "theano", SimpleNamespace(config=config))
    with pytest.raises(UserError, match="floatX=float64 cannot be exported: expected floatX=float"):
        conversion.to_onnx(None)


@pytest.mark.slow
def test_musicnn_is_the_first_part_of_a_graph(musicnn_weights, untrained):
    rng = np.random.RandomState(4)
    moments = rng.rand(1506, 1).tolist(), rng.uniform(1, 5, (1506, 1)).tolist()
    tagger = predict.Tagger(untrained(
        "DL.type=probe", "DS.specTransform=musicnn-MSD", "DS.inputNorm=bands", "DS.xInput=2",
        "chunkHop=2", "asPublished=False", moments=[moments]))
    model = conversion.to_onnx(tagger)
    mel = rng.gamma(0.5, 0.5, (96, 187 + 3 * 93)).astype(np.float32)
    chunks = np.stack([mel[None, :, start:start + 187 + 93] for start in (0, 2 * 93)])
    answer = tagger.answer("song", finished(mel, tagger.network().windows))
    np.testing.assert_allclose(graph.computed(model, [chunks]), answer.probabilities, atol=1e-5)
