import os
import shutil
import tracemalloc

import makeSounds
import numpy as np
import pytest
from conftest import link

import loadDatasets
from mirdl.errors import UserError
from mirdl.spectrograms.store import Stored


def test_shuffle_and_splits_equal_the_originals(oracle, parameters):
    splits = oracle("splits.json")
    for songs, order in splits["shuffle_seed11"].items():
        assert loadDatasets.shuffled(range(int(songs))) == order
    for case in splits["folds"]:
        settled = parameters(f"folds={case['folds']}")
        for fold, expected in enumerate(case["split"]):
            split = loadDatasets.splitTrainTest(case["songs"], fold, settled)
            assert [part.tolist() for part in split] == [expected["train"], expected["val"], expected["test"]]


def test_chunk_starts_equal_the_originals(oracle):
    for case in oracle("chunk.json"):
        assert list(loadDatasets.chunk(case["T"], case["n"], case["h"], asPublished=True)) == case["starts"]


def test_chunks_without_the_published_loss():
    assert list(loadDatasets.chunk(500, 250, 250, False)) == [0, 250]
    assert list(loadDatasets.chunk(250, 250, 80, False)) == [0]
    assert list(loadDatasets.chunk(249, 250, 80, False)) == []
    assert list(loadDatasets.chunk(100, 250, 80, True)) == []


@pytest.mark.parametrize("songs, folds, asPublished", [(7, 2, True), (4, 2, False), (9, 3, False), (23, 10, False)])
def test_every_split_is_a_partition_with_songs_in_each_part(parameters, songs, folds, asPublished):
    tested = []
    for fold in range(folds):
        split = loadDatasets.splitTrainTest(songs, fold, parameters(f"folds={folds}", f"asPublished={asPublished}"))
        assert sorted(np.concatenate(split)) == list(range(songs)) and all(len(part) for part in split)
        tested += split[2].tolist()
    assert sorted(tested) == list(range(songs))


def test_normalisation_equals_the_originals(miniRhythm, workplace, oracle, parameters):
    numbers = oracle("normalisation.npz")
    for name in numbers["order"]:
        folder = workplace / "data" / "datasets" / "Six" / name.split("_")[0]
        folder.mkdir(parents=True, exist_ok=True)
        os.symlink(miniRhythm / name.split("_")[0] / f"{name}.wav", folder / f"{name}.wav")
    settled = parameters("DS.dataset=Six", "folds=3")
    dataset = loadDatasets.load_dataset(settled)
    mean, std = loadDatasets.normalization(dataset, settled["DS"], [])
    assert mean[0] == pytest.approx(float(numbers["mean"]), abs=1e-7) and std[0] == pytest.approx(float(numbers["std"]), abs=1e-7)
    for place, name in enumerate(dataset.names):
        normalised = (dataset.spectrograms[place] - mean[place]) / std[place]
        np.testing.assert_allclose(normalised[:, ::50], numbers["norm_" + name.split("/")[1][:-4]], rtol=0, atol=1e-5)


def pretend(spectrograms):
    return loadDatasets.DataSet(["a", "b"], ["a/1", "b/2", "b/3"], np.array([0, 1, 1], np.uint8), spectrograms)


def test_normalisation_over_each_song_training_songs_or_nothing(parameters):
    rng = np.random.RandomState(0)
    songs = [rng.normal(level, 1 + level, (4, width)).astype(np.float32) for level, width in ((0, 50), (3, 70), (7, 20))]
    dataset = pretend(songs)
    mean, std = loadDatasets.normalization(dataset, parameters("DS.inputNormWhere=local")["DS"], [0])
    np.testing.assert_allclose(mean, [song.mean() for song in songs], rtol=1e-5)
    np.testing.assert_allclose(std, [song.std() for song in songs], rtol=1e-5)
    mean, std = loadDatasets.normalization(dataset, parameters("DS.inputNormWhere=train")["DS"], np.array([0, 2]))
    joined = np.concatenate([songs[0], songs[2]], axis=1)
    np.testing.assert_allclose([mean[1], std[1]], [joined.mean(), joined.std()], rtol=1e-5)
    mean, std = loadDatasets.normalization(dataset, parameters("DS.inputNorm=None")["DS"], [0])
    assert mean.tolist() == [0, 0, 0] and std.tolist() == [1, 1, 1]
    silent = pretend([np.zeros((4, 9), np.float32)] * 3)
    assert loadDatasets.normalization(silent, parameters()["DS"], [0])[1].tolist() == [1, 1, 1]


def test_songs_are_found_in_sorted_order_at_any_depth_and_others_passed_over(workplace):
    for name in ("b/2.wav", "b/deep/er/1.FLAC", "b/.hidden.wav", "b/cover.jpg", "a/1.mp3", ".git/x.wav", "loose.wav"):
        path = workplace / "data/datasets/Set" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    os.symlink("..", workplace / "data/datasets/Set/a/loop")
    assert list(loadDatasets.findSongs("Set")) == ["a/1.mp3", "b/2.wav", "b/deep/er/1.FLAC"]


def test_short_and_broken_songs_are_left_out_with_their_reasons(beats, workplace, parameters, capsys):
    shutil.copytree(beats, workplace / "data/datasets/Beats")
    (workplace / "data/datasets/Beats/slow/text.wav").write_text("not audio")
    settled = parameters("DS.dataset=Beats", "folds=3", "chunkHop=80")
    dataset = loadDatasets.load_dataset(settled)
    assert dataset.classes == ["fast", "middle", "slow"] and len(dataset.names) == 18
    assert [dataset.classes[label] for label in dataset.labels] == [name.split("/")[0] for name in dataset.names]
    out = capsys.readouterr().out
    assert "1 of 19 files are left out:" in out and "'slow/text.wav' cannot be decoded" in out
    with pytest.raises(UserError, match="no usable song left with the tag 'fast'"):
        loadDatasets.load_dataset(parameters("DS.dataset=Beats", "folds=3", "DS.xInput=1000"))
    assert "is too short: 389 frames give no chunk of 1000 (asPublished wants 1250)" in capsys.readouterr().out


def test_data_sets_that_cannot_be_learnt_from_are_refused(beats, workplace, parameters):
    link(beats, workplace)
    with pytest.raises(UserError, match=r"there is no data set 'Beets'.*data sets there: Beats"):
        loadDatasets.findSongs("Beets")
    with pytest.raises(UserError, match="folds=500 is more than the 18 usable songs"):
        loadDatasets.load_dataset(parameters("DS.dataset=Beats", "folds=500", "chunkHop=80"))
    (workplace / "data/datasets/One/only").mkdir(parents=True)
    with pytest.raises(UserError, match="the tag 'only' of data set 'One' has no audio file"):
        loadDatasets.findSongs("One")
    shutil.copy(beats / "slow" / "slow 0.wav", workplace / "data/datasets/One/only")
    with pytest.raises(UserError, match="has 1 tag"):
        loadDatasets.load_dataset(parameters("DS.dataset=One", "folds=1", "chunkHop=80"))


def test_x_and_y_of_a_fold(beats, workplace, parameters):
    link(beats, workplace)
    settled = parameters("DS.dataset=Beats", "folds=3", "chunkHop=80")
    dataset = loadDatasets.load_dataset(settled)
    songs = np.array([4, 2])
    moments = loadDatasets.normalization(dataset, settled["DS"], [])
    chunks = loadDatasets.format4MIRdl(dataset, songs, moments, settled)
    x, y = chunks[np.arange(len(chunks))]
    assert x.shape == (2, 1, 40, 250) and y.tolist() == dataset.labels[songs].tolist()
    np.testing.assert_allclose(x[1, 0], (dataset.spectrograms[2][:, :250] - moments[0][2]) / moments[1][2], rtol=1e-6)


def grouped(groups, labels):
    names = [f"song {number}" for number in range(len(labels))]
    return loadDatasets.DataSet(["a", "b"], names, np.array(labels, np.uint8), [np.zeros((2, 3), np.float32)] * len(labels), groups)


@pytest.mark.parametrize("stratified", [True, False])
@pytest.mark.parametrize("folds, asPublished", [(2, True), (4, True), (4, False)])
def test_groups_stay_together_in_every_part(parameters, stratified, folds, asPublished):
    rng = np.random.RandomState(2)
    groups, labels = [f"g{number}" for number in rng.randint(0, 15, 60)], rng.randint(0, 2, 60)
    dataset, tested = grouped(groups, labels), []
    settled = parameters(f"folds={folds}", f"stratified={stratified}", f"asPublished={asPublished}", "DS.groups=by hand")
    for fold in range(folds):
        split = loadDatasets.split(dataset, fold, settled)
        assert sorted(np.concatenate(split)) == list(range(60)) and all(len(part) for part in split)
        parts = [{groups[song] for song in part} for part in split]
        assert not parts[0] & parts[1] and not parts[0] & parts[2] and not parts[1] & parts[2]
        tested += split[2].tolist()
    assert sorted(tested) == list(range(60))


def test_stratified_folds_have_the_classes_in_equal_shares(parameters):
    dataset = grouped(None, [0] * 30 + [1] * 10)
    for fold in range(5):
        for part in loadDatasets.split(dataset, fold, parameters("folds=5", "stratified=True"))[1:]:
            assert np.bincount(dataset.labels[part]).tolist() == [6, 2]
    unsorted = loadDatasets.split(dataset, 0, parameters("folds=5"))
    assert [part.tolist() for part in unsorted] == [part.tolist() for part in loadDatasets.splitTrainTest(40, 0, parameters("folds=5"))]


def test_fewer_groups_than_folds_are_refused(parameters):
    with pytest.raises(UserError, match="folds=4 is more than the 3 groups"):
        loadDatasets.split(grouped(["x", "y", "z"] * 4, [0, 1] * 6), 0, parameters("folds=4"))
    with pytest.raises(UserError, match="folds=1 is the published .* need folds of 2 or more"):
        parameters("folds=1", "DS.groups=x")


def test_groups_and_replicas_of_a_data_set(beats, workplace, parameters, monkeypatch):
    link(beats, workplace)
    pairs = ("fast/fast 0.wav", "slow/slow 5.wav"), ("fast/fast 1.wav", "fast/fast 2.wav")
    monkeypatch.setitem(loadDatasets.public_sets.SETS, "Beats", loadDatasets.public_sets.GTZAN._replace(replicas=pairs))
    settings = "DS.dataset=Beats", "folds=3", "chunkHop=80"
    dataset = loadDatasets.load_dataset(parameters(*settings))
    assert dataset.groups is None and len(dataset.names) == 18
    assert len(loadDatasets.load_dataset(parameters(*settings, "DS.replicas=drop")).names) == 16
    together = loadDatasets.load_dataset(parameters(*settings, "DS.replicas=together"))
    group = dict(zip(together.names, together.groups))
    assert len(set(together.groups)) == 16 and group[pairs[0][0]] == group[pairs[0][1]]
    byNumber = loadDatasets.load_dataset(parameters(*settings, r"DS.groups=(\d).wav"))
    assert [name[-5] for name in byNumber.names] == byNumber.groups
    monkeypatch.delitem(loadDatasets.public_sets.SETS, "Beats")
    with pytest.raises(UserError, match="DS.replicas=drop needs a data set whose replicas are known: Ballroom, not Beats"):
        loadDatasets.load_dataset(parameters(*settings, "DS.replicas=drop"))


def test_memory_holds_the_spectrograms_and_no_songs(workplace, parameters):
    songs, seconds = 30, 10
    noise = makeSounds.noise(seconds)
    for song in range(songs):
        folder = workplace / "data/datasets/Many" / "ab"[song % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{song}.wav").write_bytes(makeSounds.wav((0.5 + song / 100) * noise))
    settled = parameters("DS.dataset=Many", "folds=2", "chunkHop=80")
    tracemalloc.start()
    try:
        dataset = loadDatasets.load_dataset(settled)
        size, peak = sum(spectrogram.nbytes for spectrogram in dataset.spectrograms), tracemalloc.get_traced_memory()[1]
        sound = songs * seconds * 44100 * 4
        assert sound > 20 * size and peak < 2.5 * size + 4e6, (size, peak)
        before = tracemalloc.get_traced_memory()[0]
        moments = loadDatasets.normalization(dataset, settled["DS"], [])
        chunks = loadDatasets.format4MIRdl(dataset, np.arange(songs), moments, settled)
        assert len(chunks) >= songs and tracemalloc.get_traced_memory()[0] - before < size / 20, "a fold copies no spectrogram"
    finally:
        tracemalloc.stop()


def test_from_disk_the_next_start_reads_no_spectrogram_and_knows_the_same(beats, workplace, parameters, monkeypatch):
    link(beats, workplace)
    settled = parameters("DS.dataset=Beats", "folds=3", "chunkHop=80", "DS.store=disk")
    first = loadDatasets.load_dataset(settled)
    with monkeypatch.context() as patch:
        patch.setattr(Stored, "__getitem__", None)
        second = loadDatasets.load_dataset(settled)
    assert first.fits(second.fingerprint())
    inMemory = loadDatasets.load_dataset(parameters("DS.dataset=Beats", "folds=3", "chunkHop=80", "DS.store=memory"))
    assert inMemory.fits(first.fingerprint()), "so that a run can be resumed from either"
    every = np.concatenate(inMemory.spectrograms, axis=1).astype(np.float64)
    mean, std = loadDatasets.normalization(second, settled["DS"], [])
    np.testing.assert_allclose([mean[0], std[0]], [every.mean(), every.std()], rtol=1e-6)


def test_of_many_songs_that_are_the_same_some_are_named(capsys):
    songs = [np.full((2, 3), 1 + place // 2, np.float32) for place in range(60)]
    loadDatasets.noteOddities(loadDatasets.DataSet(["a"], [f"a/{place:02}" for place in range(60)], np.zeros(60, int), songs), 2)
    *named, others = capsys.readouterr().out.splitlines()
    assert len(named) == 20 and named[0].startswith("  Note: 'a/00' and 'a/01' are the same sound") and others == "  Note: so are 10 other pairs"


def test_a_data_set_knows_whether_it_is_the_one_of_a_fingerprint():
    def made(names=("a/1", "b/1"), groups=None, level=1):
        return loadDatasets.DataSet(["a", "b"], list(names), np.arange(2), [np.full((2, 3), level * song, np.float32) for song in (1, 2)], groups)
    first = made().fingerprint()
    assert made().fits(first) and made(level=1 + 1e-6).fits(first), "another processor rounds otherwise"
    assert not made(names=["b/1", "a/1"]).fits(first) and not made(level=1.01).fits(first) and not made(groups=["x", "y"]).fits(first)
    assert not made(groups=["x", "x"]).fits(made(groups=["x", "y"]).fingerprint())
