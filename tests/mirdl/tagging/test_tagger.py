import itertools
import json
import os
import re
import shutil
from concurrent.futures import ThreadPoolExecutor

import makeSounds
import numpy as np
import pytest
import soundfile
from makeMiniRhythm import write_wav

import buildArchitecture
import dl
import loadDatasets
from mirdl import settings
from mirdl.errors import UserError
from mirdl.results import files, models
from mirdl.results.calibration import tempered
from mirdl.results.outcome import Outcome
from mirdl.spectrograms import cache
from mirdl.tagging import tagger as tagging
from mirdl.training.run import Run
from mirdl.training.trial import Trial, model_info


def Tagger(name, ensemble=False):
    return tagging.Tagger(name, lambda: buildArchitecture, ensemble)


@pytest.fixture
def run(trained, monkeypatch):
    """Return the name of a run of three folds, in whose folder the process is."""
    monkeypatch.chdir(trained[0])
    return trained[1]


def test_votes_equal_those_of_the_test_after_training(run, trained):
    for outcome in trained[2]:
        songs = [os.path.join("data/datasets/Beats", song) for song in outcome.songs]
        answers = list(Tagger(outcome.name).tag_all(songs))
        assert [answer.votes.tolist() for answer in answers] == outcome.votes
        assert [answer.label for answer in answers] == outcome.voted
        for answer in answers:
            np.testing.assert_allclose(answer.probabilities.sum(axis=1), 1, rtol=1e-5)


def test_a_run_is_its_best_model(run, trained):
    best = max(trained[2], key=lambda outcome: outcome.validation)
    assert Tagger(run).models[0].path == files.path_of(best.name, ".npz")


def test_an_answer_has_the_spectrogram_that_the_network_saw(run):
    tagger = Tagger(run)
    energies = np.random.RandomState(0).uniform(0, 0.1, (40, 300)).astype(np.float32)
    mean, std = tagger.models[0].info.moments
    expected = (np.log10(10000 * energies + 1) - mean) / std
    answer = tagger.answer("a.wav", energies)
    np.testing.assert_allclose(answer.spectrogram, expected, atol=1e-4)


def test_of_a_model_that_does_not_know_its_songs_levels_silence_is_told(run, tmp_path):
    path = str(tmp_path / "song.wav")
    tagger = Tagger(run)
    tagger.models[0].info.training_moments, tagger.likeness = None, None
    for level, told in (0, "is silence, or "), (0.001, ""):
        write_wav(path, (level * 2**15 * makeSounds.noise(9)).astype(np.int16))
        assert tagger.tag(path).note.startswith(told) and bool(tagger.tag(path).note) == bool(told)


def test_several_notes_are_one_line(run, tmp_path):
    path = tmp_path / "song.wav"
    sound = 2**15 * makeSounds.noise(9)
    path.write_bytes(makeSounds.wav(sound, 32, "float"))
    note = Tagger(run).tag(str(path)).note
    assert re.fullmatch(r"has samples up to 163\d\d, beyond 1 and -1; scale it down; it is at "
                        r"least \d+ dB louder than most training songs, .* to their level", note)


def test_the_probabilities_of_a_song_are_calibrated(run):
    song = "data/datasets/Beats/fast/fast 0.wav"
    for ensemble in (False, True):
        tagger = Tagger(run, ensemble)
        answer = tagger.tag(song)
        assert answer.temperature == tagger.temperature is not None
        mean = answer.probabilities.mean(axis=0)
        np.testing.assert_array_equal(answer.final, tempered(mean, tagger.temperature))
        assert not np.allclose(answer.final, mean, atol=1e-4)
        tagger.temperature = None
        again = tagger.tag(song)
        np.testing.assert_array_equal(again.probabilities, answer.probabilities)
        np.testing.assert_array_equal(again.final, mean)
        assert again.tag == answer.tag


def test_at_one_level_a_gain_changes_no_answer(run, tmp_path):
    tagger = Tagger(run)
    tagger.likeness = None
    tagger.parameters["DS"].update(level="rms")
    sound, path = makeSounds.noise(9).astype(np.float32), tmp_path / "song.wav"
    first = tagger.tag(sound, 44100)
    for gain in (0.1, 0.01):
        path.write_bytes(makeSounds.wav(gain * sound, 32, "float"))
        for answer in tagger.tag(gain * sound, 44100), tagger.tag(path):
            np.testing.assert_allclose(answer.probabilities, first.probabilities, rtol=1e-4)
            assert (answer.tag, answer.note) == (first.tag, "")
    assert tagger.tag(0 * sound, 44100).note.startswith("is silence")


def test_a_song_too_short_for_training_is_tagged_if_it_has_a_chunk(run, trained, tmp_path):
    rng = np.random.RandomState(0)
    songs = [str(tmp_path / f"{seconds}.wav") for seconds in (6, 5)]
    for seconds, song in zip((6, 5), songs, strict=True):
        write_wav(song, rng.normal(0, 3000, seconds * 44100).astype(np.int16))
    short, shorter = Tagger(run).tag_all(songs)
    assert len(short.probabilities) == 1
    assert shorter.problem == "is too short: 217 frames give no chunk of 250"


def test_a_song_is_not_normalised_if_the_model_was_trained_without(run):
    tagger = Tagger(run)
    tagger.parameters["DS"].update(inputNorm="None", inputNormWhere="local")
    tagger.models[0].info.moments = None
    answer = tagger.tag("data/datasets/Beats/fast/fast 0.wav")
    assert answer.spectrogram.min() >= 0, "energies, as they are"


def test_a_file_is_found_by_what_is_open_in_this_process_alone(run):
    song = "data/datasets/Beats/fast/fast 0.wav"
    with open(song, "rb") as file:      # as /dev/stdin in predict.py NAME /dev/stdin < song.wav
        answer = Tagger(run).tag(f"/dev/fd/{file.fileno()}")
    assert answer.votes.tolist() == Tagger(run).tag(song).votes.tolist()


@pytest.mark.parametrize("kind, rate, channels", [("int16", 44100, 1), ("float32", 22050, 2)])
def test_samples_have_the_answer_of_their_file(run, tmp_path, kind, rate, channels):
    samples = np.random.RandomState(3).uniform(-0.1, 0.1, (7 * rate, channels))
    samples = (samples if kind == "float32" else samples * 2**15).astype(kind)
    path = tmp_path / "song.flac" if kind == "int16" else tmp_path / "song.wav"
    soundfile.write(path, samples, rate, "FLOAT" if kind == "float32" else None)
    tagger = Tagger(run)
    expected = tagger.tag(path)
    found = tagger.tag(samples if channels > 1 else samples[:, 0], rate)
    assert (found.song, expected.song) == ("samples", str(path))
    np.testing.assert_array_equal(found.spectrogram, expected.spectrogram)
    np.testing.assert_array_equal(found.probabilities, expected.probabilities)
    assert found.tag == tagger.classes[found.label] == expected.tag
    other = tagger.tag(samples, rate + 1000)
    assert np.abs(other.probabilities[0] - expected.probabilities[0]).max() > 1e-6


def test_what_tag_refuses_is_one_line(run, tmp_path):
    tagger, song = Tagger(run), "data/datasets/Beats/fast/fast 0.wav"
    (tmp_path / "text.wav").write_text("no audio")
    for given, words in [((tmp_path / "text.wav",), "text.wav' cannot be decoded: "),
                         (("nowhere.wav",), "there is no file or folder 'nowhere.wav'"),
                         ((np.zeros(1000), 44100), "'samples' is too short: 2 frames give no"),
                         ((np.zeros(1000),), "samples need a rate"),
                         ((song, 44100), "samples need a rate, and files have one")]:
        with pytest.raises(UserError, match=re.escape(words)):
            tagger.tag(*given)


def test_threads_may_share_a_tagger(run):
    songs = [f"data/datasets/Beats/{name}.wav" for name in ("slow/slow 0", "slow/slow 1",
                                                            "fast/fast 0", "fast/fast 1")]
    tagger = Tagger(run, ensemble=True)
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(tagger.tag, songs))
    for answer, song in zip(found, songs, strict=True):
        assert answer.song == song
        np.testing.assert_array_equal(answer.probabilities, tagger.tag(song).probabilities)


def test_a_changed_network_is_told(run, monkeypatch, capsys):
    song = "data/datasets/Beats/fast/fast 0.wav"
    Tagger(run).tag(song)
    assert "has changed" not in capsys.readouterr().err
    original = buildArchitecture.outputLayer

    def outputLayer(incoming, numClasses):
        return original(incoming, numClasses)
    monkeypatch.setattr(buildArchitecture, "outputLayer", outputLayer)
    Tagger(run).tag(song)
    told = "Note: the network oNetOne of buildArchitecture.py has changed"
    assert told in capsys.readouterr().err
    filters = buildArchitecture.oNet
    for other in (filters[::-1], [(1, 2), *filters[1:]]):
        monkeypatch.setattr(buildArchitecture, "oNet", other)
        with pytest.raises(UserError, match="does not fit the network oNetOne of buildArch"):
            Tagger(run).tag(song)


def withParameters(name, other, change):
    """Copy a model to data/preloaded/models, with parameters that `change` has changed."""
    model = models.load(name)
    content = model.info.to_json()
    change(content["parameters"])
    os.makedirs(models.PRELOADED, exist_ok=True)
    np.savez(os.path.join(models.PRELOADED, other), *model.weights,
             about=np.array(json.dumps(content)))


@pytest.mark.parametrize("change, words", [
    (lambda parameters: parameters["DS"].update(hopSize="x"),
     "DS.hopSize=x is not allowed: expected a whole number of 1 or more"),
    (lambda parameters: parameters.update(DS=7), "are not settings: DL and DS must be dicts"),
    (lambda parameters: parameters.update(rubbish=1), "unknown parameter 'rubbish'"),
])
def test_a_model_of_impossible_parameters_is_refused(run, trained, change, words):
    withParameters(trained[2][0].name, "Odd", change)
    message = "the model 'data/preloaded/models/Odd.npz' cannot be used: .*" + re.escape(words)
    with pytest.raises(UserError, match=message):
        Tagger("Odd")


def test_a_model_that_knows_fewer_settings_has_the_published_ones(run, trained):
    name = trained[2][0].name
    withParameters(name, "Old", lambda parameters: parameters["DS"].pop("replicas"))
    assert Tagger("Old").parameters["DS"]["replicas"] == "keep"


def test_a_run_whose_models_alone_are_here_has_its_best_one(run, trained, workplace):
    for outcome in trained[2]:
        shutil.copy(trained[0] / "data/results" / f"{outcome.name}.npz",
                    workplace / "data/preloaded/models")
    best = max(trained[2], key=lambda outcome: outcome.validation)
    assert Tagger(run).models[0].name == best.name
    assert [model.name for model in models.load_of_folds(run, 3)] == [
        outcome.name for outcome in trained[2]]
    with pytest.raises(UserError, match="has models of 3 folds, and folds=2: set folds=3, or"):
        models.load_of_folds(run, 2)


def test_probabilities_are_those_of_the_test_after_training(run, trained):
    """Votes on an easy set stay equal under a wrong normalisation; the loss does not."""
    for outcome in trained[2]:
        tagger = Tagger(outcome.name)
        answers = tagger.tag_all([os.path.join("data/datasets/Beats", song)
                                 for song in outcome.songs])
        losses = [-np.log(answer.probabilities[:, tagger.classes.index(song.split("/")[0])])
                  for answer, song in zip(answers, outcome.songs, strict=True)]
        assert np.mean(np.concatenate(losses)) == pytest.approx(outcome.loss, abs=1e-5)


@pytest.mark.parametrize("asPublished, voting", [(True, 3), (False, 4)])
def test_the_chunk_that_the_test_leaves_out_has_a_segment_but_no_vote(
        run, monkeypatch, asPublished, voting):
    tagger = Tagger(run)
    tagger.parameters["asPublished"] = asPublished
    each = np.eye(3, dtype=np.float32)[[0, 0, 0, 2]]        # of 387 frames, 40 from one to the next
    monkeypatch.setattr(tagger, "through", lambda model, chunks: each[:len(chunks)])
    monkeypatch.setattr(tagger, "likeness", None)
    answer = tagger.answer("a.wav", np.ones((40, 387), np.float32))
    assert answer.votes.tolist() == [3, 0, voting - 3] and answer.label == 0
    assert len(answer.start) == len(answer.probabilities) == voting
    ends = [145, 185, 225, 387][:voting]        # what is nearest to the middle of each
    assert (answer.times * 44100 / 1024).round(6).tolist() == list(
        map(list, zip([0, *ends[:-1]], ends, strict=True)))
    frame = 1024 / 44100
    assert [tuple(segment) for segment in answer.segments] == [
        (0, pytest.approx((100 + 125) * frame), 0, 1), (pytest.approx(225 * frame),
                                                        pytest.approx(387 * frame), 2, 1)]


# All values of what shapes a song's chunks and their numbers; of some settings, two
SPECTRA = {"DS.frameSize": (512, 1024), "DS.hopSize": (512, 1024), "DS.melBands": (12, 20),
           "DS.specTransform": ("mel", "magnitudeSTFT"), "DS.windowType": ("hann", "square"),
           "DS.level": ("as-is", "rms")}
INPUT = {"DS.specTransform": ("mel", "magnitudeSTFT"),
         "DS.xInput": (40, 50), "DS.inputNorm": ("log0m1v", "None"),
         "DS.inputNormWhere": ("global", "local", "train"), "asPublished": (True, False),
         "chunkHop": (15, 60), "testMethod": ("all", "majorityVote", "utterances")}
# two of the four songs are shorter than a chunk, and a third one shorter than chunk and hop
SHORT = {**INPUT, "DS.short": ("pad", "repeat"), "DS.xInput": (140,), "chunkHop": (15,),
         "testMethod": ("all",)}


def combinations(values):
    """List all combinations of values of settings, as overrides."""
    return [[f"{key}={value}" for key, value in zip(values, each, strict=True)]
            for each in itertools.product(*values.values())]


class Recorder:
    """A network that keeps the chunks that it is given: by dl's test, and by the tagger."""

    windows = None      # no published network makes windows of songs

    def evaluate_all(self, chunks, order):
        self.given = chunks[order][0]
        return np.zeros(len(order)), np.zeros((len(order), 2), np.float32)

    def forward(self, x):
        self.given.append(x.copy())
        return np.zeros((len(x), 2), np.float32)


@pytest.fixture
def unlike(workplace):
    """Make Unlike: four songs of two tags, unlike in loudness and length."""
    for place, tag in enumerate("abab"):
        path = workplace / "data/datasets/Unlike" / tag / f"{place}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(makeSounds.wav(makeSounds.noise(2.7 + place / 3) / (1 + place) ** 2))


@pytest.fixture
def spectraOnce(monkeypatch):
    """Let the tagger compute each spectrogram once."""
    original, known = tagging.in_parallel, {}

    def in_parallel(function, calls, *words):
        keys = [(file, *[DS[key] for DS in ways for key in cache.SHAPING]) for file, ways in calls]
        new = {key: call for key, call in zip(keys, calls, strict=True) if key not in known}
        known.update(zip(new, original(function, list(new.values()), *words), strict=True))
        return [[(found.copy(), note) for found, note in known[key]] for key in keys]
    monkeypatch.setattr(tagging, "in_parallel", in_parallel)


@pytest.mark.parametrize("overrides", [
    pytest.param(combinations(SPECTRA), id="spectra", marks=pytest.mark.slow),
    pytest.param(combinations(INPUT), id="input", marks=pytest.mark.slow),
    pytest.param(combinations(SHORT), id="short", marks=pytest.mark.slow)])
def test_chunks_are_those_of_the_test(unlike, spectraOnce, parameters, overrides):
    covered = {*SPECTRA, *SHORT, *settings.keys(settings.SPECTROGRAM, settings.INPUT)}
    assert covered == {*SPECTRA, *SHORT}, "no setting is forgotten"
    for each in overrides:
        settled = parameters("DS.dataset=Unlike", "DL.type=oNetOne", "DL.batchSize=1", "folds=2",
                             "DS.xInput=40", "chunkHop=15", *each)
        tested, tagged = givenByTest(settled), givenByTagger("m")
        assert len(tested)
        np.testing.assert_array_equal(tested, tagged, err_msg=str(each))


def givenByTest(settled):
    """Return the chunks of fold 0 that the test feeds to a network; write a model of the fold."""
    dataset = loadDatasets.load_dataset(settled)
    fold, network = loadDatasets.foldOf(dataset, 0, settled), Recorder()
    info = model_info(Trial(Run(settled, "id", 7, {}, ""), 0, 0), dataset, fold)
    models.save([np.zeros(1, np.float32)], info, "m")
    dl.testTrial(network, fold, Outcome("m", 0, 0, 0.0), settled)
    return network.given


def givenByTagger(name):
    """Return the chunks of a model's test songs that the tagger feeds to a network."""
    tagger, recorder, given = Tagger(name), Recorder(), []
    tagger.network = lambda: recorder
    for song in tagger.models[0].info.test_songs:
        recorder.given = []
        count = len(tagger.tag(os.path.join("data/datasets/Unlike", song)).probabilities)
        given.append(np.concatenate(recorder.given)[:count])
    return np.concatenate(given)
