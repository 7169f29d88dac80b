import glob
import json
import os
import pickle
import subprocess
import sys
from itertools import count
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from conftest import ROOT, small

import buildArchitecture
import dl
import loadDatasets
import predict
from mirdl import settings
from mirdl.errors import UserError
from mirdl.frames import before_network
from mirdl.networks import architectures
from mirdl.results import files, models
from mirdl.results.outcome import Outcome
from mirdl.spectrograms import cache
from mirdl.spectrograms.chunks import Chunks
from mirdl.spectrograms.decoding import spectrogram_of
from mirdl.spectrograms.windows import finished
from mirdl.system import pickles
from mirdl.system.pool import in_parallel
from mirdl.training import runs
from mirdl.training.network import Network
from mirdl.training.run import Run
from mirdl.training.schedule import Published
from mirdl.training.trial import Training, Trial, all_trials

# a fold whose chunks nobody looks at
UNDIVIDED = SimpleNamespace(train=SimpleNamespace(augmented=lambda *_: None), validation=None)


@pytest.fixture(autouse=True, scope="module")
def compiledOnce():
    """Compile each network once for all tests: a trial starts it anew, whatever it was used for."""
    made, make = {}, dl.make_network

    def known(build, parameters, dataset):
        key = repr((parameters["DL"], parameters["DS"], parameters["chunkHop"], dataset.classes))
        if key not in made:
            made[key] = make(build, parameters, dataset)
        return made[key]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dl, "make_network", known)
        yield


@pytest.fixture
def asked(here, tiny, parameters):
    """Return the parameters of a small run of tiny: asked("folds=2")."""
    return lambda *overrides: parameters(*small("DL.type=tiny", *overrides))


@pytest.fixture
def cross_validate(asked, few_trees):
    """Cross-validate tiny and return the outcomes: cross_validate("folds=2")."""
    return lambda *overrides: dl.main(asked(*overrides))


def parametersOf(name):
    with open(files.path_of(name, ".param")) as file:
        return json.load(file)


def written(folder="data/results"):
    return sorted(os.listdir(folder))


@pytest.mark.parametrize("name, seed", [("oNetOne", 21), ("pNetOne", 22)])
def test_twenty_steps_equal_the_originals(oracle, parameters, monkeypatch, name, seed):
    monkeypatch.setattr(buildArchitecture, "dropout", lambda incoming, p: incoming)
    numbers = oracle(f"train_{name}.npz")
    count = sum(key.startswith("init_") for key in numbers.files)
    settled = parameters(f"DL.type={name}", "DL.batchSize=10")
    network = Network(buildArchitecture.buildNet, settled, 8)
    network.set_weights([numbers[f"init_{place}"] for place in range(count)])
    network.set_learning_rate(0.01)
    rs = np.random.RandomState(seed)
    X = (0.2 * rs.standard_normal((200, 1, 40, 250))).astype(np.float32)
    y = rs.randint(0, 8, 200)
    for i in range(200):
        X[i, 0, 5 * y[i]:5 * y[i] + 5] += np.float32(0.5)
    figures = [network.train(X[at:at + 10], y[at:at + 10].astype(np.int32))
               for at in range(0, 200, 10)]
    expected = np.transpose([numbers["loss"], numbers["acc"]])
    np.testing.assert_allclose(figures, expected, rtol=0, atol=1e-5)
    for place, weight in enumerate(network.get_weights()):
        np.testing.assert_allclose(weight, numbers[f"final_{place}"], rtol=0, atol=1e-5)


def test_initial_filters_of_the_first_fold_equal_the_originals(oracle, parameters):
    rng = np.random.RandomState(11)
    for chunks in (80, 40, 40):         # the original draws the order of its chunks first
        rng.permutation(chunks)
    settled = parameters("DL.type=oNetOne", "DL.batchSize=2")
    network = Network(buildArchitecture.buildNet, settled, 4)
    network.reset(rng, seed=1)
    expected = oracle("initial_oNetOne.npz")
    # without the output layer, which the original drew after a layer that it did not use
    for place, weight in enumerate(network.get_weights()[:-2]):
        np.testing.assert_array_equal(weight, expected[f"arr_{place}"])


def test_a_cross_validation_writes_every_file_and_they_agree(asked, capsys):
    settled = asked()
    outcomes = dl.main(settled)
    out = capsys.readouterr().out
    assert len(outcomes) == 3
    names = [outcome.name for outcome in outcomes]
    whole = names[0][:-len("-f0")]
    assert written() == sorted(
        [f"{name}{ending}" for name in names
         for ending in (".npz", ".param", ".result", ".training")]
        + [f"CrossValidation_{whole}{ending}" for ending in (".confusionMatrix", ".json",
                                                             ".result")]
        + [f"{whole}.calibration.json", f"{whole}.unknown"])
    for outcome in outcomes:
        assert parametersOf(outcome.name) == settings.divide(settled)[0], (
            "how the work was done is no part of it")
        curves = files.read_training(outcome.name)
        assert curves.epoch.tolist() == [0, 1, 2, 3]
        assert curves.validation_accuracy.max() == pytest.approx(outcome.validation)
        model = models.load(outcome.name)
        assert [weight.shape for weight in model.weights] == [
            (4, 1, 1, 20), (4,), (4, 1, 1, 60), (4,), (80, 3), (3,)]
        info = model.info
        assert info.classes == ["fast", "middle", "slow"] and info.test_songs == outcome.songs
        songs = {*info.training_songs, *info.validation_songs, *info.test_songs}
        assert len(songs) == 18
        with open(files.path_of(outcome.name, ".result")) as file:
            assert f"test accuracy:\t\t{outcome.majority_vote:.2f} %" in file.read()
    [matrix] = pickles.load(f"data/results/CrossValidation_{whole}.confusionMatrix")
    assert matrix.shape == (3, 3) and matrix.sum(axis=1).tolist() == [6, 6, 6]
    content = files.read_outcomes("CrossValidation_" + whole)
    assert content.outcomes == outcomes
    for outcome in outcomes:
        assert len(outcome.songs) == len(outcome.votes)
        assert [sum(votes) for votes in outcome.votes] == [1] * 6
        assert [np.argmax(votes) for votes in outcome.votes] == outcome.voted
    recalls = [content.per_class[tag]["recall"] for tag in content.classes]
    np.testing.assert_allclose(recalls, np.diag(matrix) / matrix.sum(axis=1))
    mean = np.mean([outcome.majority_vote for outcome in outcomes])
    assert 100 * np.trace(matrix) / 18 == pytest.approx(mean)
    with open(files.path_of("CrossValidation_" + whole, ".result")) as file:
        text = file.read()
    assert "precision    recall  f1-score" in text and text in out
    assert all(name in text for name in names)
    assert f"[CV-MAJORITYVOTE] test accuracy:\n  mean:\t\t{mean:.2f} %" in text
    assert "Number of parameters: 571" in text


WITH = "baselines=True"


def result_of(outcomes):
    """Give the name of a run, the text of its .result file and what its .json file says."""
    name = outcomes[0].name.removesuffix("-f0")
    with open(files.path_of(files.cross_validation(name), ".result")) as file:
        return name, file.read().replace(name, "NAME"), files.read_outcomes(name)


def test_baselines_and_mean_probabilities_come_after_the_originals_part(cross_validate, capsys):
    with_them = result_of(cross_validate("DL.num_epochs=1", WITH))
    out = capsys.readouterr().out
    assert ("\nbaselines: largest class, logistic regression, random forest ...\n"
            "learning what the songs of this run sound like ...\n####") in out
    without = result_of(cross_validate("DL.num_epochs=1"))
    assert "baselines" not in capsys.readouterr().out.replace("override: baselines", "")
    name, text, result = with_them
    means = [outcome.mean_probability for outcome in result.outcomes]
    published, found, rest = without[1].partition("[CV-MEANPROBABILITY] test accuracy:\n")
    assert published.rstrip().endswith("18") and found, "the original's part, then what is new"
    assert rest == f"  mean:\t\t{np.mean(means):.2f} %\n  std:\t\t{np.std(means):.2f} %\n"
    assert text.startswith(without[1]) and text.replace("NAME", name) in out
    assert text.removeprefix(without[1]).startswith("Baselines (docs/results.md says ")
    assert "\nPaired test against " in text
    assert without[2].baselines == [] and without[2].best_baseline is None
    assert [each.name for each in result.baselines] == ["largest class", "logistic regression",
                                                        "random forest", "file properties"]
    for baseline in result.baselines:
        assert list(map(len, baseline.voted)) == [6, 6, 6]
        assert f"  {baseline.name}: " in text and f"{baseline.mean:.2f} % of songs" in text
    for one, other in zip(result.outcomes, without[2].outcomes, strict=True):
        assert (one.votes, one.likeliest) == (other.votes, other.likeliest)
        with open(files.path_of(one.name, ".result")) as file:
            assert file.read().endswith(
                "\n[MEANPROBABILITY] Final results:\n"
                f"  test accuracy:\t\t{one.mean_probability:.2f} %\n")


def test_a_run_stopped_before_its_baselines_ends_as_if_it_had_not_been(
        cross_validate, parameters, monkeypatch):
    expected = result_of(cross_validate("DL.num_epochs=1", WITH))

    def interrupt(*arguments):
        raise KeyboardInterrupt
    with monkeypatch.context() as patch:
        patch.setattr(dl, "baselines_of", interrupt)
        with pytest.raises(KeyboardInterrupt, match="resume with: python run.py resume="):
            cross_validate("DL.num_epochs=1", WITH)
    found = result_of(dl.resume("last", parameters()))
    assert found[1] == expected[1] and found[2].baselines == expected[2].baselines


def test_songs_that_go_away_while_they_train_lose_nothing(cross_validate, monkeypatch):
    train = dl.trainAll

    def away(*given):
        os.rename("data/datasets/Beats", "Beats")
        yield from train(*given)
    monkeypatch.setattr(dl, "trainAll", away)
    baselines = result_of(cross_validate("DL.num_epochs=1", WITH))[2].baselines
    assert [each.name for each in baselines][-1] == "file properties"


def test_baselines_answer_the_folds_that_count(cross_validate, monkeypatch):
    all_folds = result_of(cross_validate("DL.num_epochs=1", WITH))[2]
    original = dl.trainTrial
    monkeypatch.setattr(dl, "trainTrial", lambda trial, *others: (
        None if trial.fold == 1 else original(trial, *others)))
    outcomes = cross_validate("DL.num_epochs=1", WITH)
    _, text, result = result_of(outcomes)
    assert "1 of 3 folds had no finite loss" in text and len(result.outcomes) == 2
    assert result.baselines == [each.of_folds([0, 2]) for each in all_folds.baselines]


def test_without_votes_of_songs_baselines_answer_alone(cross_validate):
    _, text, result = result_of(cross_validate("DL.num_epochs=1", "testMethod=utterances", WITH))
    assert result.baselines[2].mean > 0 and "random forest: " in text
    assert "Paired test" not in text and "does worse" not in text
    assert np.isnan(result.outcomes[0].mean_probability)


def test_a_model_that_is_tested_has_no_baselines(cross_validate, capsys):
    outcomes = cross_validate("DL.num_epochs=1", WITH)
    capsys.readouterr()
    tested = cross_validate(WITH, f"mode={outcomes[0].name.removesuffix('-f0')}")
    assert "aselines" not in capsys.readouterr().out.replace("override: baselines", "")
    assert [each.likeliest for each in tested] == [each.likeliest for each in outcomes]


def test_the_network_learns_beats(cross_validate):
    outcomes = cross_validate("chunkHop=20", "DL.batchSize=6", "DL.num_epochs=40",
                              "asPublished=False")
    assert np.mean([outcome.majority_vote for outcome in outcomes]) > 80


def test_the_same_seed_gives_the_same_bits_another_seed_others(cross_validate):
    def curves(*overrides):
        return [files.read_training(outcome.name) for outcome in cross_validate(*overrides)]
    first, again, other = curves(), curves(), curves("random_seed=12")
    np.testing.assert_equal(first, again)
    assert (first[0].training_loss != other[0].training_loss).all()
    runs_there = {name.split("-f")[0] for name in written() if name.endswith(".training")}
    assert len(runs_there) == 3, "ids never repeat"


def test_without_asPublished_every_chunk_counts(cross_validate, monkeypatch):
    seen = []
    original = dl.mean_figures

    def mean_figures(losses, probabilities, y, song):
        seen.append(len(y))
        return original(losses, probabilities, y, song)
    monkeypatch.setattr(dl, "mean_figures", mean_figures)
    few = "DL.batchSize=4", "DL.num_epochs=1"
    cross_validate(*few, "asPublished=False")
    assert seen == [12, 12] * 3             # 6 songs of 2 chunks in validation and test
    seen.clear()
    cross_validate(*few)
    assert seen == [4, 4] * 3               # 6 songs of 1 chunk, an incomplete batch dropped


@pytest.mark.parametrize("method, missing", [
    ("utterances", "MAJORITYVOTE"), ("majorityVote", "UTTERANCES")])
def test_each_test_method_alone(cross_validate, capsys, method, missing):
    [outcome] = cross_validate("folds=1", "trainSplit=0.5", "testSplit=0.25", "DL.num_epochs=1",
                               f"testMethod={method}")
    with open(files.path_of(outcome.name, ".result")) as file:
        assert missing not in file.read()
    assert "nan" not in capsys.readouterr().out


def test_two_folds_and_two_tries(cross_validate):
    outcomes = cross_validate("folds=2", "DL.num_epochs=2", "randomTry=2")
    names = [name[:-len(".npz")] for name in written() if name.endswith(".npz")]
    assert len(outcomes) == 2 and len(names) == 4
    curves = {str(files.read_training(name).training_loss.tolist()) for name in names}
    assert len(curves) == 4, "every try has a random stream of its own"


def test_without_validation_songs_the_last_epochs_model_counts(cross_validate, capsys):
    outcomes = cross_validate("validation=0.0", "DL.schedule=cosine", "DL.num_epochs=3")
    for outcome in outcomes:
        curves, info = files.read_training(outcome.name), models.load(outcome.name).info
        assert outcome.best_epoch == 2 and np.isnan(outcome.validation)
        assert np.isnan(curves.validation_loss).all() and np.isfinite(curves.training_loss).all()
        assert info.validation_songs == [] and len(info.training_songs) == 12
        assert info.validation is None
    name = outcomes[0].name.removesuffix("-f0")
    assert models.load_best(name).name == outcomes[0].name, "no fold is the best one"
    assert "learning rate" not in capsys.readouterr().out, "a gradual change is not told"


def test_squared_error_trains(cross_validate):
    outcome, *_ = cross_validate("DL.cost=squared_error", "DL.lr=0.1", "DL.momentum=0.9")
    losses = files.read_training(outcome.name).training_loss
    assert losses[-1] < losses[0] < 1


def test_a_model_is_tested_as_it_was_after_training(cross_validate, capsys):
    outcomes = cross_validate()
    tested = cross_validate(f"mode={outcomes[1].name}")
    assert tested[1].voted == outcomes[1].voted
    assert tested[1].utterances == outcomes[1].utterances
    note = "Note: 6 of the 18 songs were training songs of the model that was tested on them"
    assert note in capsys.readouterr().out
    assert [name for name in written() if name.startswith("Test_Beats_tiny_")]


def test_of_a_run_each_fold_is_tested_by_its_own_model(cross_validate, capsys):
    outcomes = cross_validate()
    tested = cross_validate(f"mode={outcomes[0].name.removesuffix('-f0')}")
    assert [one.votes for one in tested] == [one.votes for one in outcomes]
    assert "were training songs" not in capsys.readouterr().out


def writeSplit(path, column, places):
    """Write a split of Beats: to songs 0 to 5 of each tag their place."""
    rows = [f"{tag}/{tag} {song},{place}" for tag in ("fast", "middle", "slow")
            for song, place in enumerate(places)]
    path.write_text("\n".join([f"song,{column}", *rows]))


def test_a_given_split_is_kept_by_the_parameters_the_model_and_its_test(cross_validate, here,
                                                                        capsys):
    writeSplit(here / "s.csv", "fold", "112232")
    outcomes = cross_validate("DS.split=s.csv", "folds=3")
    assert [outcome.songs[0][-5] in "01" for outcome in outcomes] == [True, False, False]
    kept = parametersOf(outcomes[0].name)
    assert kept["DS"]["split"] == "s.csv" and kept["folds"] == 3
    assert len(models.load(outcomes[2].name).info.test_songs) == 3
    tested = cross_validate(f"mode={outcomes[0].name.removesuffix('-f0')}", "folds=10")
    assert [one.votes for one in tested] == [one.votes for one in outcomes]
    out = capsys.readouterr().out
    assert "DS.split=s.csv, as the model was trained" in out and "training songs" not in out


def test_a_given_fixed_split_is_one_fold(cross_validate, here):
    writeSplit(here / "s.csv", "part", ["train"] * 3 + ["validation", "test", "unused"])
    [outcome] = cross_validate("DS.split=s.csv", "folds=10", "DL.batchSize=3")
    assert sorted(outcome.songs) == ["fast/fast 4.wav", "middle/middle 4.wav", "slow/slow 4.wav"]
    info = models.load(outcome.name).info
    assert len(info.training_songs) == 9 and len(info.validation_songs) == 3


def test_a_sweep_over_splits(cross_validate, here):
    writeSplit(here / "s.csv", "fold", "111222")
    writeSplit(here / "p.csv", "part", ["train"] * 4 + ["validation", "test"])
    results = cross_validate("folds=10", "DL.num_epochs=1", "sweep=DS.split=s.csv,p.csv")
    assert list(map(len, results)) == [2, 1]


@pytest.mark.parametrize("setting, column, places", [
    ("DS.split", "fold", "121212"), ("DS.labels", "tag", "xyxyxy")])
def test_a_run_does_not_go_on_with_another_table(asked, here, monkeypatch, setting, column, places):
    writeSplit(here / "t.csv", column, places)
    settled = asked(f"{setting}=t.csv", "folds=2")

    def interrupt(*arguments):
        raise KeyboardInterrupt
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(dl, "testTrial", interrupt)
        dl.main(settled)
    writeSplit(here / "t.csv", column, places[3:] + places[:3])
    message = "the songs of data set 'Beats', or their tags, groups or split, are not those that"
    with pytest.raises(UserError, match=message):
        dl.resume("last", settled)
    writeSplit(here / "t.csv", column, places)
    assert len(dl.resume("last", settled)) == 2


def test_models_that_do_not_fit_are_refused(cross_validate):
    outcome = cross_validate()[0]
    message = "was made with DL.type=tiny, here it is DL.type=oNetOne; add the model's settings"
    with pytest.raises(UserError, match=message):
        cross_validate("DL.type=oNetOne", f"mode={outcome.name}")
    with pytest.raises(UserError, match="there is no run 'nothing'.*the latest there: Beats_tiny"):
        cross_validate("mode=nothing")
    os.rename("data/datasets/Beats", "data/datasets/link")
    os.mkdir("data/datasets/Beats")
    for tag in ("fast", "middle"):
        os.symlink(os.path.realpath(f"data/datasets/link/{tag}"), f"data/datasets/Beats/{tag}")
    message = "has the classes fast, middle, slow, data set .* has fast, middle"
    with pytest.raises(UserError, match=message):
        cross_validate(f"mode={outcome.name}")


def test_an_infinite_loss_stops_the_try_and_is_told(cross_validate, capsys):
    with pytest.raises(UserError, match="no fold could be trained: .*DL.lr=1e[+]30; lower it"):
        cross_validate("DL.lr=1e30")
    assert "fold 1 of 3: the training loss is " in "".join(capsys.readouterr())


def test_batches_larger_than_a_part_are_refused_before_training(cross_validate):
    message = "fold 1 has 6 training chunks of 6 songs, less than one batch of DL.batchSize=50"
    with pytest.raises(UserError, match=message):
        cross_validate("DL.batchSize=50")
    assert written() == []


@pytest.mark.xdist_group("serial")
def test_results_that_may_not_be_written_are_told(public, without_rights, parameters, monkeypatch):
    monkeypatch.chdir(public)
    os.makedirs("data/results")
    with without_rights("data/results", 0o555), pytest.raises(UserError) as error:
        dl.main(parameters("DL.type=oNetOne"))
    assert str(error.value) == ("cannot write 'data/results': Permission denied; free some space "
                                "or change the permissions of its folder, then run again")


class Recorded:
    """Notes the learning rates that a network is given."""

    def __init__(self):
        self.rates = []

    def set_learning_rate(self, *rate):
        self.rates.append(rate)

    def get_weights(self):
        return []

    def save(self, *arguments):
        pass


@pytest.fixture
def fitted(asked, monkeypatch):
    """Call dl.fit on prescribed training losses: fitted([1.0, 0.5]) -> network, training."""
    def call(losses, *overrides):
        times, given = count(2, 7), iter(losses)
        monkeypatch.setattr(dl, "trainEpoch", lambda *_: (next(given), 50.0))
        monkeypatch.setattr(dl, "validate", lambda *_: (1.0, 50.0))
        monkeypatch.setattr(dl, "time", SimpleNamespace(monotonic=lambda: next(times)))
        settled = asked(f"DL.num_epochs={len(losses)}", *overrides)
        trial = Trial(Run(settled, "id", 11, {}, ""), 0, 0)
        files.write_training([], trial.name)
        training, network = Training.new(trial, SimpleNamespace(several=False)), Recorded()
        dl.fit(network, UNDIVIDED, trial, training, network)
        assert files.read_training(trial.name).training_loss.tolist() == [
            row.training_loss for row in training.rows]
        return network, training
    return call


def test_the_rate_is_set_when_it_falls_and_the_seconds_add_up(fitted, capsys):
    network, training = fitted([1.0, *[2.0] * 21, 0.5, 0.4])
    assert network.rates == [(0.005, False)]
    assert training.seconds == 24 * 7
    assert "fold 1 of 3: learning rate 0.005 from epoch 24 on\n" in capsys.readouterr().out


def test_a_gradual_rate_is_set_after_every_epoch(fitted, capsys):
    network, _ = fitted([1.0, 2.0], "DL.schedule=cosine", "DL.lr=0.4")
    assert network.rates == [(pytest.approx(0.2), True), (pytest.approx(0), True)]
    assert "learning rate" not in capsys.readouterr().out


def test_nothing_is_kept_from_the_epoch_that_diverges_on(fitted, capsys):
    _, training = fitted([1.0, np.nan, 1.0])
    assert training.epoch == 1
    assert "the training loss is nan in epoch 2, training stops" in capsys.readouterr().out


@pytest.mark.parametrize("published, rows", [(True, 41), (False, 42)])
def test_the_epoch_at_which_training_stops_counts_unless_as_published(fitted, published, rows):
    _, training = fitted([1.0, *[2.0] * 41, 0.5], f"asPublished={published}")
    assert training.epoch == rows


def test_the_figures_of_an_epoch_weigh_each_batch_by_its_chunks():
    chunks = Chunks([np.zeros((1, 4))], [0], [range(4)], 1, [0], [1], batch_size=3)
    network = SimpleNamespace(train_epoch=lambda chunks, batches: ([1.0, 3.0], [0.5, 1.0]))
    assert dl.trainEpoch(network, chunks, np.random.RandomState(0)) == (1.5, 62.5)


@pytest.mark.parametrize("method, loss, votes", [
    ("all", 1.5, [[1, 1], [1, 0]]), ("utterances", 1.5, []),
    ("majorityVote", pytest.approx(np.nan, nan_ok=True), [[1, 1], [1, 0]])])
def test_chunks_of_whole_batches_and_all_chunks_of_a_song_are_tested(method, loss, votes):
    losses, probabilities = np.array([1, 2, 6.0]), np.array([[0.9, 0.1], [0.2, 0.8], [0.6, 0.4]])
    network = SimpleNamespace(
        evaluate_all=lambda chunks, order: (losses[order], probabilities[order]))
    chunks = Chunks([np.zeros((1, 4))] * 2, [0, 1], [range(2), range(1)], 1, [0] * 2, [1] * 2,
                    batch_size=2, drop_incomplete=True)
    outcome = dl.testTrial(network, SimpleNamespace(test=chunks), Outcome("x", 1, 0, 50.0),
                           {"testMethod": method, "errorCode": 9})
    assert (outcome.loss, outcome.votes) == (loss, votes)
    assert dl.validate(network, chunks) == (1.5, 50.0)
    assert np.isnan(dl.validate(network, Chunks([], [], [], 1, [], [], batch_size=2))).all()


def test_a_trial_shuffles_its_parts_then_draws_its_weights(asked, monkeypatch):
    class Begun(Exception):
        pass

    def fit(network, fold, *others):
        begun.update(weights=network.get_weights(), fold=fold)
        raise Begun
    begun, settled = {}, asked()
    monkeypatch.setattr(dl, "fit", fit)
    with pytest.raises(Begun):
        dl.main(settled)
    dataset, rng = loadDatasets.load_dataset(settings.divide(settled)[0]), np.random.RandomState(11)
    fold = loadDatasets.foldOf(dataset, 0, settled)
    for part in ("train", "validation", "test"):
        chunks = getattr(fold, part)
        order = rng.permutation(len(chunks))
        np.testing.assert_array_equal(getattr(begun["fold"], part).song, chunks.song[order])
    network = Network(buildArchitecture.buildNet, settled, 3)
    network.reset(rng, 1)
    for weight, expected in zip(begun["weights"], network.get_weights(), strict=True):
        np.testing.assert_array_equal(weight, expected)


def test_workers_train_what_is_left(asked, monkeypatch):
    parameters, execution = settings.divide(asked("workers=2"))
    dataset = loadDatasets.load_dataset(parameters)
    trials = all_trials(tinyRun(parameters, {}))

    def run_jobs(function, jobs, execution, progress):
        return [(job, function.func.__name__) for job in jobs]
    monkeypatch.setattr(dl.processes, "run_jobs", run_jobs)
    assert list(dl.trainAll(trials[1:], dataset, execution, None)) == [
        (trial, "trainTrialOf") for trial in trials[1:]]


@pytest.mark.parametrize("where", ["global", "local"])
def test_a_model_is_tested_with_the_normalisation_of_its_training(cross_validate, monkeypatch,
                                                                  where):
    """Also if its name comes after the word 'train'."""
    options = "DL.num_epochs=1", f"DS.inputNormWhere={where}"
    outcome, *_ = cross_validate(*options)
    model, seen, original = models.load(outcome.name), [], dl.testTrial
    if where == "global":
        model.info.moments = [3.0, 2.0]
    os.makedirs(models.PRELOADED, exist_ok=True)
    np.savez(os.path.join(models.PRELOADED, "zebra.npz"), *model.weights,
             about=np.array(json.dumps(model.info.to_json())))

    def testTrial(network, fold, *others):
        seen.append([fold.test.mean.tolist(), fold.test.std.tolist()])
        return original(network, fold, *others)
    monkeypatch.setattr(dl, "testTrial", testTrial)
    tested = cross_validate(*options, "mode=zebra")
    assert [(one.epochs, one.best_epoch) for one in tested] == [(0, 0)] * 3
    if where == "global":
        assert seen == [[[3.0] * 6, [2.0] * 6]] * 3
    else:
        assert len(np.unique(seen[0])) == 12 and tested[0].votes == outcome.votes


@pytest.mark.parametrize("case", range(8))
def test_stop_and_best_model_follow_the_originals_rule(asked, oracle, monkeypatch, case):
    """Feed fit() with prescribed losses and accuracies, as the original was."""
    case = [entry for entry in oracle("schedule.json") if entry["error"] is None][case]
    losses, accuracies = iter(case["train_loss"]), iter(case["val_acc"])
    monkeypatch.setattr(dl, "trainEpoch", lambda *_: (next(losses), 50.0))
    monkeypatch.setattr(dl, "validate", lambda *_: (1.0, 100 * next(accuracies)))
    best = []

    class Still:
        set_learning_rate = save = lambda *_: None

        def get_weights(self):
            best.append(training.epoch - 1)
    settled = asked(f"DL.num_epochs={len(case['val_acc'])}")
    trial = Trial(Run(settled, "id", 11, {}, ""), 0, 0)
    files.write_training([], trial.name)
    training = Training(Published(0.01), None, SimpleNamespace(several=False))
    dl.fit(Still(), UNDIVIDED, trial, training, Still())
    rows = files.read_training(trial.name).epoch
    assert [rows[0], rows[-1], len(rows)] == case["rows_in_training_file"]
    kept = case["best_model_saved_at_epochs"]
    assert [epoch for epoch in best if epoch in kept] == kept
    assert set(best) - set(kept) <= {0}, "the first epoch may be kept in addition, if it had 0 %"


@pytest.mark.parametrize("in_memory", [True, False])
def test_workers_keep_the_songs_where_the_run_does_whatever_their_memory(asked, monkeypatch,
                                                                         in_memory):
    settled, execution = settings.divide(asked("workers=2"))
    sizes = {True: 2**40, False: 0}
    monkeypatch.setattr(cache, "memory", lambda: sizes[in_memory])
    dataset = loadDatasets.load_dataset(settled)
    run = tinyRun(settled, dataset.fingerprint())

    def run_jobs(function, jobs, *_):
        return map(*pickle.loads(pickle.dumps((function, jobs))))
    with runs.begun(run):
        monkeypatch.setattr(cache, "memory", lambda: sizes[not in_memory])
        monkeypatch.setattr(dl, "trainHeld", lambda trial, songs, *_: (trial, songs))
        monkeypatch.setattr(dl.processes, "run_jobs", run_jobs)
        [(trial, songs)] = dl.trainAll([Trial(run, 0, 0)], dataset, execution, None)
    assert dataset.in_memory == songs.in_memory == in_memory
    assert trial.parameters == settled


def tinyRun(settled, fingerprint):
    source = architectures.source_hash("tiny", buildArchitecture)
    return Run(settled, "id", 11, fingerprint, source)


def test_a_run_begun_and_resumed_shares_the_memory_among_its_workers(asked, parameters,
                                                                     monkeypatch):
    shared = []

    class Asked(Exception):
        pass

    def belongs_on_disk(songs, where, processes):
        shared.append(processes)
        raise Asked
    monkeypatch.setattr(cache, "_belongs_on_disk", belongs_on_disk)
    with pytest.raises(Asked):
        dl.main(asked("workers=3"))
    settled, _ = settings.divide(asked())
    with runs.begun(tinyRun(settled, {})):
        pass
    with pytest.raises(Asked):
        dl.resume("id", parameters("workers=2"))
    assert shared == [3, 2]


LIMITED = """if True:
    import resource, sys
    import numpy as np
    import buildArchitecture, dl, loadDatasets
    from mirdl import settings
    from mirdl.spectrograms import cache
    from mirdl.training.network import Network
    parameters = settings.published()
    parameters = settings.check(settings.override(parameters, sys.argv[2:]))

    def in_parallel(function, calls, *names):        # the songs, of 1 MB each
        rng = np.random.default_rng(0)
        for file, _ in calls:
            song = rng.random((40, 6554), np.float32)
            song[:20 if '/a/' in file else 40] *= 9
            yield song, ""
    cache.in_parallel = in_parallel
    network = Network(buildArchitecture.buildNet, parameters, 2)
    with open('/proc/self/status') as file:
        [taken] = [int(line.split()[1]) * 1024 for line in file if line.startswith('VmData')]
    resource.setrlimit(resource.RLIMIT_DATA, (taken + 2**26,) * 2)
    dataset = loadDatasets.load_dataset(parameters, store=sys.argv[1])
    fold = loadDatasets.foldOf(dataset, 0, parameters)
    rng = np.random.RandomState(0)
    for epoch in range(3):
        dl.trainEpoch(network, fold.train, rng)
    size = sum(song.nbytes for song in dataset.spectrograms) / 2**26
    print(len(fold.train), size, dl.validate(network, fold.validation)[1])
    """


@pytest.mark.xdist_group("serial")
@pytest.mark.slow
@pytest.mark.parametrize("store", ["disk", "memory"])
def test_a_data_set_of_8_times_the_memory_trains_from_disk(workplace, store):
    for song in range(512):
        path = workplace / "data/datasets/Large" / "ab"[song % 2] / f"{song}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, store, "DS.dataset=Large",
         "DL.type=oNetOne", "folds=2"],
        capture_output=True, text=True, timeout=300,
        # without a device=cuda of the environment: the memory of a card has no such limit
        env={**os.environ, "PYTHONPATH": ROOT, "THEANO_FLAGS": "floatX=float32"})
    if store == "memory":
        assert "MemoryError" in ended.stderr, "the limit was none"
        return
    assert not ended.returncode, ended.stderr
    chunks, times, accuracy = map(float, ended.stdout.splitlines()[-1].split())
    assert chunks == 128 * 25 and times >= 8 and accuracy > 90


def test_the_trial_that_counts_is_the_best_one():
    def outcome(validation, majority_vote, utterances=50.0):
        return Outcome("x", 1, 0, validation, utterances=utterances, majority_vote=majority_vote)
    tries = [outcome(60, 70), outcome(80, 50), None, outcome(50, 70, 55), outcome(70, 60)]
    assert dl.bestTrial(tries, {"asPublished": True}) is tries[3], "majority vote, then utterances"
    assert dl.bestTrial(tries, {"asPublished": False}) is tries[1], "validation"
    untested = [outcome(60, float("nan"), 40.0), outcome(50, float("nan"), 45.0)]
    assert dl.bestTrial(untested, {"asPublished": True}) is untested[1]


@pytest.mark.slow
def test_a_layer_learns_on_what_musicnn_has_learnt(here, musicnn_weights, script, few_trees):
    def ended(name, *arguments):
        done = script(name, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    out = ended("run.py", "DS.dataset=Beats", "recipe=transfer", "folds=3")
    assert "all windows will take about" in out and " on musicnn-MSD:" in out
    [result] = glob.glob("data/results/CrossValidation_Beats_probe_*.json")
    content = json.loads(Path(result).read_text())
    assert [each["name"] for each in content["baselines"]] == [
        "largest class", "logistic regression", "random forest",
        "logistic regression on musicnn-MSD", "file properties"]
    assert np.mean([fold["majorityVote"] for fold in content["folds"]]) > 60
    # one song at a time gives the same numbers as all of them did, to the bit
    [first, *_] = content["folds"]
    loaded = ended("run.py", "DS.dataset=Beats", "recipe=transfer", "folds=3", "baselines=False",
                   "DL.num_epochs=1")
    assert "loaded the spectrograms of 18 songs" in loaded and "compiling musicnn" not in loaded
    path = "data/preloaded/Beats_2048_1024_musicnn-MSD_40_blackmanharris62.pickle"
    os.unlink(path)
    tagger = predict.Tagger(first["name"])
    network = tagger.network().windows
    loadDatasets.load_dataset(tagger.parameters)    # by this process, whose XLA has its own threads
    kept = pickles.load(path)
    song = first["songs"][0]
    call = os.path.abspath(f"data/datasets/Beats/{song}"), before_network(tagger.parameters["DS"])
    [(bands, _)] = in_parallel(spectrogram_of, [call], "songs", "song")
    alone = finished(bands, network)
    np.testing.assert_array_equal(alone, kept["songs"][song][1])
    answer = tagger.tag(f"data/datasets/Beats/{song}")
    assert answer.label == first["voted"][0] and len(answer.probabilities) == 1


def test_a_run_that_cannot_have_musicnns_weights_is_not_begun(here, monkeypatch):
    def refused(model):
        raise UserError(f"the weights of {model} cannot be fetched")
    monkeypatch.setattr(loadDatasets, "networkOf", refused)
    with pytest.raises(UserError, match="weights of musicnn-MSD cannot"):
        dl.main(settings.check(settings.override(settings.published(), small("unknown=musicnn"))))
    assert os.listdir("data/results") == []
