import os
import pickle
import subprocess
import sys

import numpy as np
import pytest
from conftest import ROOT, link

import buildArchitecture
import dl
import loadDatasets
from mirdl import settings
from mirdl.errors import UserError
from mirdl.results import files
from mirdl.spectrograms import cache
from mirdl.training import architectures, checkpoint
from mirdl.training.network import Network
from mirdl.training.schedule import Schedule
from mirdl.training.trial import Try

SMALL = ("DS.dataset=Beats", "DL.type=tiny", "folds=3", "chunkHop=80", "DL.batchSize=3", "DL.num_epochs=4")


@pytest.fixture(autouse=True)
def tiny(monkeypatch):
    """A network that compiles and learns Beats quickly."""
    def tiny(input_var, parameters, numClasses):
        return buildArchitecture.temporalNet([(20, 4), (60, 4)], input_var, parameters, numClasses)
    monkeypatch.setattr(buildArchitecture, "tiny", tiny, raising=False)


@pytest.fixture
def here(beats, workplace):
    link(beats, workplace)
    return workplace


def written(folder="data/results"):
    return sorted(os.listdir(folder))


@pytest.mark.parametrize("name, seed", [("oNetOne", 21), ("pNetOne", 22)])
def test_twenty_steps_equal_the_originals(oracle, parameters, monkeypatch, name, seed):
    monkeypatch.setattr(buildArchitecture, "dropout", lambda incoming, p: incoming)
    numbers = oracle(f"train_{name}.npz")
    count = sum(key.startswith("init_") for key in numbers.files)
    network = Network(buildArchitecture.buildNet, parameters(f"DL.type={name}", "DL.batchSize=10"), 8)
    network.set_weights([numbers[f"init_{place}"] for place in range(count)])
    network.set_learning_rate(0.01)
    rs = np.random.RandomState(seed)
    X = (0.2 * rs.standard_normal((200, 1, 40, 250))).astype(np.float32)
    y = rs.randint(0, 8, 200)
    for i in range(200):
        X[i, 0, 5 * y[i]:5 * y[i] + 5] += np.float32(0.5)
    figures = [network.train(X[at:at + 10], y[at:at + 10].astype(np.int32)) for at in range(0, 200, 10)]
    np.testing.assert_allclose(figures, np.transpose([numbers["loss"], numbers["acc"]]), rtol=0, atol=1e-5)
    for place, weight in enumerate(network.get_weights()):
        np.testing.assert_allclose(weight, numbers[f"final_{place}"], rtol=0, atol=1e-5)


def test_initial_filters_of_the_first_fold_equal_the_originals(oracle, parameters):
    rng = np.random.RandomState(11)
    for chunks in (80, 40, 40):         # the original draws the order of its chunks first
        rng.permutation(chunks)
    network = Network(buildArchitecture.buildNet, parameters("DL.type=oNetOne", "DL.batchSize=2"), 4)
    network.reset(rng, seed=1)
    expected = oracle("initial_oNetOne.npz")
    for place, weight in enumerate(network.get_weights()[:-2]):      # the output layer is drawn after a layer that is not used
        np.testing.assert_array_equal(weight, expected[f"arr_{place}"])


def test_a_cross_validation_writes_every_file_and_they_agree(here, parameters, capsys):
    settled = parameters(*SMALL)
    outcomes = dl.main(settled)
    out = capsys.readouterr().out
    assert len(outcomes) == 3
    names = [outcome.name for outcome in outcomes]
    whole = names[0][:-len("-f0")]
    assert written() == sorted([f"{name}{ending}" for name in names for ending in (".npz", ".param", ".result", ".training")]
                             + [f"CrossValidation_{whole}{ending}" for ending in (".confusionMatrix", ".json", ".result")])
    for outcome in outcomes:
        assert files.read_parameters(outcome.name) == settings.apart(settled)[0], "how the work was done is no part of it"
        curves = files.read_training(outcome.name)
        assert curves["epoch"].tolist() == [0, 1, 2, 3] and curves["validationAccuracy"].max() == pytest.approx(outcome.validation)
        weights, about = files.load_model(files.find_model(outcome.name))
        assert [weight.shape for weight in weights] == [(4, 1, 1, 20), (4,), (4, 1, 1, 60), (4,), (80, 3), (3,)]
        assert about["classes"] == ["fast", "middle", "slow"]
        assert len(set(about["trainingSongs"] + about["validationSongs"] + about["testSongs"])) == 18
        with open(files.path_of(outcome.name, ".result")) as file:
            assert f"test accuracy:\t\t{outcome.majorityVote:.2f} %" in file.read()
    matrix = files.read_confusion("CrossValidation_" + whole)
    assert matrix.shape == (3, 3) and matrix.sum(axis=1).tolist() == [6, 6, 6]
    content = files.read_outcomes("CrossValidation_" + whole)
    assert [fold["votes"] for fold in content["folds"]] == [outcome.votes for outcome in outcomes]
    for fold in content["folds"]:
        assert len(fold["songs"]) == len(fold["votes"]) and [sum(votes) for votes in fold["votes"]] == [1] * 6
        assert [np.argmax(votes) for votes in fold["votes"]] == fold["voted"]
    recalls = [content["perClass"][tag]["recall"] for tag in content["classes"]]
    np.testing.assert_allclose(recalls, np.diag(matrix) / matrix.sum(axis=1))
    mean = np.mean([outcome.majorityVote for outcome in outcomes])
    assert 100 * np.trace(matrix) / 18 == pytest.approx(mean)
    with open(files.path_of("CrossValidation_" + whole, ".result")) as file:
        text = file.read()
    assert "precision    recall  f1-score" in text and text in out and all(name in text for name in names)
    assert f"[CV-MAJORITYVOTE] test accuracy:\n  mean:\t\t{mean:.2f} %" in text and "Number of parameters: 571" in text


def test_the_network_learns_beats(here, parameters):
    outcomes = dl.main(parameters(*SMALL[:3], "chunkHop=20", "DL.batchSize=6", "DL.num_epochs=40", "asPublished=False"))
    assert np.mean([outcome.majorityVote for outcome in outcomes]) > 80


def test_the_same_seed_gives_the_same_bits_another_seed_others(here, parameters):
    def curves(*overrides):
        return [files.read_training(outcome.name) for outcome in dl.main(parameters(*SMALL, *overrides))]
    first, again, other = curves(), curves(), curves("random_seed=12")
    np.testing.assert_equal(first, again)
    assert (first[0]["trainingLoss"] != other[0]["trainingLoss"]).all()
    assert len(set(name.split("-f")[0] for name in written() if name.endswith(".training"))) == 3, "ids never repeat"


def test_without_asPublished_every_chunk_counts(here, parameters, monkeypatch):
    seen = []
    original = dl.figuresOf
    monkeypatch.setattr(dl, "figuresOf", lambda losses, probabilities, y: seen.append(len(y)) or original(losses, probabilities, y))
    dl.main(parameters(*SMALL[:-2], "DL.batchSize=4", "DL.num_epochs=1", "asPublished=False"))
    assert seen == [12, 12] * 3             # 6 songs of 2 chunks in validation and test
    seen.clear()
    dl.main(parameters(*SMALL[:-2], "DL.batchSize=4", "DL.num_epochs=1"))
    assert seen == [4, 4] * 3               # 6 songs of 1 chunk, an incomplete batch dropped


@pytest.mark.parametrize("method, missing", [("utterances", "MAJORITYVOTE"), ("majorityVote", "UTTERANCES")])
def test_each_test_method_alone(here, parameters, method, missing):
    [outcome] = dl.main(parameters(*SMALL[:2], "folds=1", "trainSplit=0.5", "testSplit=0.25", *SMALL[3:-1],
                                   "DL.num_epochs=1", f"testMethod={method}"))
    with open(files.path_of(outcome.name, ".result")) as file:
        assert missing not in file.read()


def test_two_folds_and_two_tries(here, parameters):
    outcomes = dl.main(parameters("DS.dataset=Beats", "DL.type=tiny", "folds=2", "chunkHop=80", "DL.batchSize=3",
                                  "DL.num_epochs=2", "randomTry=2"))
    assert len(outcomes) == 2 and len([name for name in written() if name.endswith(".npz")]) == 4
    curves = [files.read_training(name[:-4])["trainingLoss"].tolist() for name in written() if name.endswith(".npz")]
    assert len(set(map(str, curves))) == 4, "every try has a random stream of its own"


def test_squared_error_trains(here, parameters):
    outcome, *_ = dl.main(parameters(*SMALL, "DL.cost=squared_error", "DL.lr=0.1", "DL.momentum=0.9"))
    losses = files.read_training(outcome.name)["trainingLoss"]
    assert losses[-1] < losses[0] < 1


def test_a_model_is_tested_as_it_was_after_training(here, parameters, capsys):
    outcomes = dl.main(parameters(*SMALL))
    tested = dl.main(parameters(*SMALL, f"mode={outcomes[1].name}"))
    assert tested[1].voted == outcomes[1].voted and tested[1].utterances == outcomes[1].utterances
    assert "Note: 6 of the 18 songs were training songs of this model" in capsys.readouterr().out
    assert [name for name in written() if name.startswith("Test_Beats_tiny_")]


def test_models_that_do_not_fit_are_refused(here, parameters):
    outcome = dl.main(parameters(*SMALL))[0]
    with pytest.raises(UserError, match="was made with DL.type=tiny, here it is DL.type=oNetOne; add the former"):
        dl.main(parameters(*SMALL, "DL.type=oNetOne", f"mode={outcome.name}"))
    with pytest.raises(UserError, match="there is no model 'nothing'.*models there: Beats_tiny"):
        dl.main(parameters(*SMALL, "mode=nothing"))
    os.rename("data/datasets/Beats", "data/datasets/link")
    for tag in ("fast", "middle"):
        os.makedirs("data/datasets/Beats", exist_ok=True)
        os.symlink(os.path.realpath(f"data/datasets/link/{tag}"), f"data/datasets/Beats/{tag}")
    with pytest.raises(UserError, match="knows the classes fast, middle, slow, data set .* has fast, middle"):
        dl.main(parameters(*SMALL, f"mode={outcome.name}"))


def test_an_infinite_loss_stops_the_try_and_is_told(here, parameters, capsys):
    with pytest.raises(UserError, match="no fold could be trained: .*DL.lr=1e[+]30; lower it"):
        dl.main(parameters(*SMALL, "DL.lr=1e30"))
    assert "fold 1 of 3: the training loss is " in "".join(capsys.readouterr())


def test_batches_larger_than_a_part_are_refused_before_training(here, parameters):
    with pytest.raises(UserError, match="fold 1 has 6 training chunks of 6 songs, less than one batch of DL.batchSize=50"):
        dl.main(parameters(*SMALL, "DL.batchSize=50"))
    assert written() == []


@pytest.mark.parametrize("case", range(8))
def test_stop_and_best_model_follow_the_originals_rule(here, oracle, parameters, monkeypatch, case):
    """fit() fed with prescribed losses and accuracies, as the original was."""
    case = [entry for entry in oracle("schedule.json") if entry["error"] is None][case]
    losses, accuracies = iter(case["train_loss"]), iter(case["val_acc"])
    monkeypatch.setattr(dl, "trainEpoch", lambda *_: (next(losses), 50.0))
    monkeypatch.setattr(dl, "accuracyOn", lambda *_: (1.0, 100 * next(accuracies)))
    best = []

    class Still:
        set_learning_rate = save = lambda *_: None

        def get_weights(self):
            best.append(len(files.read_training(this.name)["epoch"]) - 1)
    settled = parameters(*SMALL[:-1], f"DL.num_epochs={len(case['val_acc'])}")
    this = Try({"id": "id", "seed": 11, "parameters": settled}, 0, 0)
    files.write_training([], this.name)
    dl.fit(Still(), None, None, None, dl.Training(Schedule(0.01)), this, {}, Still())
    rows = files.read_training(this.name)["epoch"]
    assert [rows[0], rows[-1], len(rows)] == case["rows_in_training_file"]
    kept = case["best_model_saved_at_epochs"]
    assert [epoch for epoch in best if epoch in kept] == kept
    assert set(best) - set(kept) <= {0}, "only the first epoch may be kept in addition, if its accuracy is 0"


def test_majority_vote_equals_the_originals_for_up_to_eight_classes(oracle):
    for case in oracle("majority_vote.json"):
        if max(case["votes"]) < 8:
            assert dl.majorityVote(case["votes"], 999) == case["winner"]
    assert dl.majorityVote([9, 8, 1, 0], 999) == 0
    assert dl.majorityVote([], 999) == 999


@pytest.mark.parametrize("isInMemory", [True, False])
def test_workers_keep_the_songs_where_the_run_does_whatever_their_memory(here, parameters, monkeypatch, isInMemory):
    settled = dl.checked(parameters(*SMALL))
    sizes = {True: 2**40, False: 0}
    monkeypatch.setattr(cache, "memory", lambda: sizes[isInMemory])
    dataset = loadDatasets.load_dataset(settled)
    run = {"parameters": settled, "id": "id", "seed": 11, "songs": dataset.fingerprint(), "sweep": None,
           "architecture": architectures.source_hash("tiny", buildArchitecture)}
    with checkpoint.begun(run):
        monkeypatch.setattr(cache, "memory", lambda: sizes[not isInMemory])
        taken = pickle.loads(pickle.dumps(dl.Trainer(run, dataset)))
    assert dataset.isInMemory == taken.dataset.isInMemory == isInMemory
    assert taken.run["parameters"] == settled and settled["DS"]["store"] == "auto", "its files say what was asked for"


def test_a_run_begun_and_resumed_shares_the_memory_among_its_workers(here, parameters, monkeypatch):
    asked = []
    monkeypatch.setattr(cache, "_belongs_on_disk", lambda songs, where, processes: asked.append(processes) or 1 / 0)
    with pytest.raises(ZeroDivisionError):
        dl.main(parameters(*SMALL, "workers=3"))
    run = {"parameters": dl.checked(parameters(*SMALL)), "id": "id", "seed": 11, "songs": "", "sweep": None,
           "architecture": architectures.source_hash("tiny", buildArchitecture)}
    with checkpoint.begun(run):
        pass
    with pytest.raises(ZeroDivisionError):
        dl.resume("id", parameters("workers=2"))
    assert asked == [3, 2]


LIMITED = """if True:
    import resource, sys
    import numpy as np
    import buildArchitecture, dl, loadDatasets
    from mirdl import settings
    from mirdl.spectrograms import cache
    from mirdl.training.network import Network
    from run import parameters
    parameters = settings.check(settings.override(parameters, sys.argv[1:]))

    def in_parallel(function, calls, *names):        # the songs, of 1 MB each
        rng = np.random.default_rng(0)
        for file, _ in calls:
            song = rng.random((40, 6554), np.float32)
            song[:20 if '/a/' in file else 40] *= 9
            yield song
    cache.in_parallel = in_parallel
    network = Network(buildArchitecture.buildNet, parameters, 2)
    with open('/proc/self/status') as file:
        [taken] = [int(line.split()[1]) * 1024 for line in file if line.startswith('VmData')]
    resource.setrlimit(resource.RLIMIT_DATA, (taken + 2**26,) * 2)
    dataset = loadDatasets.load_dataset(parameters)
    train, validation, *_ = dl.foldData(dataset, 0, parameters)
    rng = np.random.RandomState(0)
    for epoch in range(3):
        dl.trainEpoch(network, train, rng, parameters)
    print(len(train), sum(song.nbytes for song in dataset.spectrograms) / 2**26, dl.accuracyOn(network, validation, parameters)[1])
    """


@pytest.mark.parametrize("store", ["disk", "memory"])
def test_a_data_set_of_8_times_the_memory_trains_from_disk(workplace, store):
    for song in range(512):
        path = workplace / "data/datasets/Large" / "ab"[song % 2] / f"{song}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    ended = subprocess.run([sys.executable, "-c", LIMITED, "DS.dataset=Large", f"DS.store={store}", "DL.type=oNetOne", "folds=2"],
                           capture_output=True, text=True, timeout=300,
                           env={**os.environ, "PYTHONPATH": ROOT, "THEANO_FLAGS": "floatX=float32"})      # a card's memory has no limit
    if store == "memory":
        assert "MemoryError" in ended.stderr, "the limit was none"
        return
    assert not ended.returncode, ended.stderr
    chunks, times, accuracy = map(float, ended.stdout.splitlines()[-1].split())
    assert chunks == 128 * 25 and times >= 8 and accuracy > 90
