import numpy as np
import pytest
import soundfile
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score
from sklearn.preprocessing import StandardScaler

import loadDatasets
from mirdl.songs.dataset import DataSet, Songs
from mirdl.songs.splits import split
from mirdl.spectrograms.store import Store
from mirdl.training import baselines, giveaways
from mirdl.training.baselines import baselines_of, features
from mirdl.training.run import Run


@pytest.fixture
def run_of(parameters):
    """Make a run of three folds: run_of("stratified=True", seed=12)."""
    def make(*overrides, seed=11):
        return Run(parameters("folds=3", "asPublished=False", *overrides), "id", seed, {}, "")
    return make


def dataset_of(labels, spectrograms=None):
    """Make songs of noise of 4 bands, in which the band of the song's label is louder."""
    rng = np.random.RandomState(5)
    if spectrograms is None:
        spectrograms = [rng.rand(4, rng.randint(3, 40)).astype(np.float32) for _ in labels]
        for song, label in zip(spectrograms, labels, strict=True):
            song[label] += np.float32(0.3)
    classes = [f"tag{label}" for label in range(max(labels) + 1)]
    names = [f"tag{label}/{place}.wav" for place, label in enumerate(labels)]
    return DataSet(classes, names, np.array(labels, np.uint8), spectrograms)


def test_features_are_mean_and_standard_deviation_of_each_band():
    songs = [np.float32([[1, 3], [5, 5]]), np.float32([[0, 0, 6], [1, 2, 3]])]
    np.testing.assert_allclose(features(songs), [
        [2, 5, 1, 0], [2, 2, np.sqrt(8), np.sqrt(2 / 3)]], rtol=1e-12)
    assert features(songs).dtype == np.float64


def test_answers_are_those_of_scikit_learn(run_of, few_trees):
    run, songs = run_of(), dataset_of([0, 0, 0, 1, 2, 3] * 5)
    largest, logistic, forest = baselines_of(run, songs, [0, 2])
    assert [each.name for each in (largest, logistic, forest)] == [
        "largest class", "logistic regression", "random forest"]
    x = features(songs.spectrograms)
    for place, fold in enumerate((0, 2)):
        train, _, test = split(songs, fold, run.parameters)
        scaler = StandardScaler().fit(x[train])
        for baseline, classifier in (
                (logistic, LogisticRegression(C=0.1, max_iter=1000)),
                (forest, RandomForestClassifier(baselines.TREES, random_state=11))):
            classifier.fit(scaler.transform(x[train]), songs.labels[train])
            expected = classifier.predict(scaler.transform(x[test]))
            assert baseline.voted[place] == expected.tolist()
            assert baseline.accuracies[place] == pytest.approx(
                100 * np.mean(expected == songs.labels[test]))
        assert largest.voted[place] == [0] * 10
        assert largest.accuracies[place] == pytest.approx(100 * np.mean(songs.labels[test] == 0))
    assert forest.mean > 60 > largest.mean, "there was something to learn"


def test_the_seed_decides(run_of, few_trees):
    songs = dataset_of(np.random.RandomState(2).randint(0, 4, 60).tolist(),
                       [np.random.RandomState(place).rand(4, 9) for place in range(60)])
    first, again, other = (baselines_of(run_of(seed=seed), songs, [0, 1, 2])
                           for seed in (11, 11, 12))
    assert first == again
    assert first[:2] == other[:2] and first[2] != other[2], "only the forest draws"


def test_songs_on_disk_give_the_answers_of_songs_in_memory(run_of, few_trees, tmp_path):
    inMemory = dataset_of([0, 1, 2, 3] * 6)
    store = Store(str(tmp_path / "songs"), {})
    stored = [store.keep(name, (1, 2), song)[1] for name, song in zip(
        inMemory.names, inMemory.spectrograms, strict=True)]
    onDisk = dataset_of([0, 1, 2, 3] * 6, stored)
    assert not onDisk.in_memory
    np.testing.assert_array_equal(features(onDisk.spectrograms), features(inMemory.spectrograms))
    assert baselines_of(run_of(), onDisk, [0, 2]) == baselines_of(run_of(), inMemory, [0, 2])


def test_classes_that_training_lacks(run_of, few_trees):
    songs = dataset_of([0] * 8 + [1] * 4)
    assert set(songs.labels[split(songs, 2, run_of().parameters).train]) == {0}
    for baseline in baselines_of(run_of(), songs, [2]):
        assert baseline.voted == [[0, 0, 0, 0]] and baseline.accuracies == [0], baseline.name
    songs = dataset_of([0, 1] * 4 + [2] * 4)
    for baseline in baselines_of(run_of(), songs, [2]):
        assert set(baseline.voted[0]) <= {0, 1} and baseline.accuracies == [0], baseline.name


def test_a_song_shorter_than_a_chunk_is_answered(run_of, few_trees):
    run, songs = run_of("DS.xInput=100"), dataset_of([0, 1, 2] * 4)
    assert len(loadDatasets.foldOf(songs, 0, run.parameters).test) == 0
    for baseline in baselines_of(run, songs, [0]):
        assert len(baseline.voted[0]) == 4


def test_nothing_is_done_without_baselines_or_folds(run_of, capsys):
    assert baselines_of(run_of("baselines=False"), dataset_of([0, 1] * 4), [0]) == []
    assert baselines_of(run_of(), dataset_of([0, 1] * 4), []) == []
    assert "baselines:" not in capsys.readouterr().out


def test_files_that_give_the_classes_away_are_noted_with_the_property(run_of, few_trees, capsys,
                                                                      tmp_path):
    songs, paths = dataset_of([0, 0, 0, 1, 1, 2] * 10), {}
    for name, label in zip(songs.names, songs.labels, strict=True):
        paths[name] = str(tmp_path / name.replace("/", "_"))
        soundfile.write(paths[name], np.zeros(10), 8000 if label else 44100)
    songs.songs = Songs({name: (path, "tag") for name, path in paths.items()})
    *others, properties = baselines_of(run_of(), songs, [0, 1, 2])
    assert len(others) == 3 and properties.name == "file properties"
    [note] = [line for line in capsys.readouterr().out.splitlines() if "Note" in line]
    assert note.startswith("Note: the files give the classes away: by their sample rate alone a ")
    assert "is right for 83 % of the songs, the largest class for 50 % (McNemar's exact" in note
    for path in paths.values():
        soundfile.write(path, np.zeros(10), 8000)
    baselines_of(run_of(), songs, [0, 1, 2])
    assert "Note" not in capsys.readouterr().out


def test_properties_are_those_of_the_header_and_the_spectrogram(tmp_path):
    paths = {"a": str(tmp_path / "a.wav"), "b": str(tmp_path / "b.flac"), "c": "c.wma"}
    soundfile.write(paths["a"], np.zeros((10, 2)), 8000)
    soundfile.write(paths["b"], np.zeros(10), 44100)
    song = np.zeros((4, 9), np.float32)
    song[:3, 2:8] = 1
    found = giveaways.properties_of(["a", "b", "c"], [song, song[:, 2:], 0 * song], paths)
    assert found["sample rate"].ravel().tolist() == [8000, 44100, 0]
    assert found["channels"].ravel().tolist() == [2, 1, 0]
    assert found["bandwidth"].ravel().tolist() == [2, 2, 0]
    assert found["length"].ravel().tolist() == [9, 7, 9]
    assert found["silence at the ends"].tolist() == [[2, 1], [0, 1], [9, 9]]
    assert len({tuple(each) for each in found["format"].tolist()}) == 3


def test_of_several_tags_the_baselines_rank_songs(run_of, few_trees):
    """Bands are louder by their tags; the last tag is in one fold's songs alone."""
    rng = np.random.RandomState(4)
    has = np.column_stack([rng.rand(48, 3) < 0.4, np.arange(48) == 0])
    songs = [rng.rand(4, 30).astype(np.float32) + np.float32(0.3) * tags[:, None] for tags in has]
    data = DataSet(list("abcd"), [f"{number}.wav" for number in range(48)], np.float32(has), songs,
                   songs=Songs({}))
    run = run_of()
    found = {each.name: each for each in baselines_of(run, data, [0, 1, 2])}
    assert list(found) == ["tags' shares", "logistic regression", "random forest"]
    folds = [split(data, fold, run.parameters) for fold in range(3)]
    shares = [100 * np.mean([has[fold.test, tag].mean() for tag in range(4)
                             if has[fold.test, tag].any()]) for fold in folds]
    np.testing.assert_allclose(found["tags' shares"].accuracies, shares)
    x, tested = StandardScaler(), []
    seen = features(songs)
    for fold in folds:
        model = LogisticRegression(C=0.1, max_iter=1000)
        scaled = x.fit(seen[fold.train]).transform(seen)
        each = []
        for tag in range(3):
            model.fit(scaled[fold.train], has[fold.train, tag])
            chances = model.predict_proba(scaled[fold.test])[:, 1]
            each.append(average_precision_score(has[fold.test, tag], chances))
        if has[fold.test, 3].any():
            each.append(1 / len(fold.test))     # no song of it trains: all are alike
        tested.append(100 * np.mean(each))
    np.testing.assert_allclose(found["logistic regression"].accuracies, tested)
    assert found["random forest"].mean > found["tags' shares"].mean + 20
    assert all(each.voted == [] for each in found.values())
