import io
import os
import shutil
import subprocess
import sys
import tarfile
import tracemalloc
from collections import Counter
from dataclasses import replace

import makeSounds
import numpy as np
import pytest
import soundfile
from conftest import ROOT

import loadDatasets
from mirdl.errors import UserError
from mirdl.songs import checks, public_sets, shared_sound, splits
from mirdl.songs.audio_files import in_folders
from mirdl.songs.dataset import Songs
from mirdl.songs.download import unpack
from mirdl.spectrograms import cache
from mirdl.spectrograms.store import Stored

BEATS = ("DS.dataset=Beats", "folds=3", "chunkHop=80")


def test_normalisation_equals_the_originals(miniRhythm, workplace, oracle, parameters):
    numbers = oracle("normalisation.npz")
    for name in numbers["order"]:
        folder = workplace / "data" / "datasets" / "Six" / name.split("_")[0]
        folder.mkdir(parents=True, exist_ok=True)
        os.symlink(miniRhythm / name.split("_")[0] / f"{name}.wav", folder / f"{name}.wav")
    settled = parameters("DS.dataset=Six", "folds=3")
    dataset = loadDatasets.load_dataset(settled)
    mean, std = loadDatasets.normalization(dataset, [], settled["DS"])
    assert mean[0] == pytest.approx(float(numbers["mean"]), abs=1e-7)
    assert std[0] == pytest.approx(float(numbers["std"]), abs=1e-7)
    for place, name in enumerate(dataset.names):
        normalised = (dataset.spectrograms[place] - mean[place]) / std[place]
        expected = numbers["norm_" + name.split("/")[1][:-4]]
        np.testing.assert_allclose(normalised[:, ::50], expected, rtol=0, atol=1e-5)


def test_each_band_is_normalised_by_the_training_songs(here, parameters):
    settled = parameters(*BEATS, "DS.inputNorm=bands", "asPublished=False")
    dataset = loadDatasets.load_dataset(settled)
    fold = loadDatasets.foldOf(dataset, 1, settled)
    frames = np.concatenate([dataset.spectrograms[song] for song in fold.songs.train], axis=1)
    assert fold.mean.shape == fold.std.shape == (18, 40, 1)
    np.testing.assert_allclose(fold.mean[5, :, 0], frames.mean(axis=1), rtol=1e-4)
    np.testing.assert_allclose(fold.std[5, :, 0], frames.std(axis=1), rtol=1e-4)
    x, _ = fold.test[np.array([3])]
    song, start = fold.test.spectrograms[fold.test.song[3]], fold.test.start[3]
    np.testing.assert_allclose(x[0, 0] * fold.std[0] + fold.mean[0], song[:, start:start + 250],
                               rtol=1e-4, atol=1e-6)


def test_songs_have_the_labels_of_their_tags(here, parameters):
    dataset = loadDatasets.load_dataset(parameters(*BEATS))
    assert dataset.classes == ["fast", "middle", "slow"] and len(dataset.names) == 18
    assert dataset.names == splits.shuffled(sorted(dataset.names)) != sorted(dataset.names)
    tags = [dataset.classes[label] for label in dataset.labels]
    assert tags == [name.split("/")[0] for name in dataset.names]


def test_short_and_broken_songs_are_left_out_with_their_reasons(beats, workplace, parameters,
                                                                capsys):
    shutil.copytree(beats, workplace / "data/datasets/Beats")
    (workplace / "data/datasets/Beats/slow/text.wav").write_text("not audio")
    assert len(loadDatasets.load_dataset(parameters(*BEATS)).names) == 18
    out = capsys.readouterr().out
    assert "1 of 19 files are left out:" in out and "'slow/text.wav' cannot be decoded" in out
    with pytest.raises(UserError, match="all 18 songs of data set 'Beats' are too short .389 fr"):
        loadDatasets.load_dataset(parameters("DS.dataset=Beats", "folds=3", "DS.xInput=1000"))


def test_oddities_are_noted(beats, workplace, parameters, capsys):
    folder = workplace / "data/datasets/Beats"
    shutil.copytree(beats, folder)
    shutil.copy(folder / "fast/fast 0.wav", folder / "slow/copy.wav")
    loadDatasets.load_dataset(parameters(*BEATS))
    out = capsys.readouterr().out
    assert "  Note: 2 songs share sound: 'fast/fast 0.wav', 'slow/copy.wav'; if one trains" in out


def test_a_softer_copy_that_begins_later_is_noted_dropped_or_kept_together(
        beats, workplace, parameters, capsys, monkeypatch):
    folder = workplace / "data/datasets/Beats"
    shutil.copytree(beats, folder)
    samples = 0.2 * np.random.RandomState(0).normal(size=9 * 44100)
    soundfile.write(folder / "fast/noise.wav", samples, 44100)
    soundfile.write(folder / "slow/copy.ogg", 0.3 * samples[44 * 1024:], 44100)
    loadDatasets.load_dataset(parameters(*BEATS))
    path = "data/preloaded/Beats.groups.csv"
    assert ("  Note: 2 songs share sound: 'fast/noise.wav', 'slow/copy.ogg'; if one trains and "
            "another is tested, accuracy is inflated; listen, then set DS.duplicates=together or "
            f"DS.duplicates=drop; {path} has all, for DS.groups\n") in capsys.readouterr().out
    monkeypatch.setattr(shared_sound, "pairs_sharing", None)    # they are known by now
    both = "fast/noise.wav", "slow/copy.ogg"
    for asked in (f"DS.groups={path}", "DS.duplicates=together"):
        dataset = loadDatasets.load_dataset(parameters(*BEATS, asked))
        assert len(set(dataset.groups)) == 19
        assert len({dataset.groups[dataset.names.index(name)] for name in both}) == 1
    capsys.readouterr()
    dataset = loadDatasets.load_dataset(parameters(*BEATS, "DS.duplicates=drop"))
    out = capsys.readouterr().out
    assert {*both} & {*dataset.names} == {"fast/noise.wav"} and len(dataset.names) == 19
    assert "drop leaves out 1 song: 'slow/copy.ogg' (as 'fast/noise.wav')\n" in out
    assert "share sound:" not in out


@pytest.mark.parametrize("norm", ["log0m1v", "None"])
def test_a_song_whose_channels_cancel_out_is_named(beats, workplace, parameters, capsys, norm):
    shutil.copytree(beats, workplace / "data/datasets/Beats")
    noise = makeSounds.noise(8)
    for name, right in (("cancels", -noise), ("quiet", noise)):
        content = makeSounds.by_libsndfile(np.stack([noise, right], 1) / 500, "WAV", "PCM_16")
        (workplace / f"data/datasets/Beats/slow/{name}.wav").write_bytes(content)
    loadDatasets.load_dataset(parameters(*BEATS, f"DS.inputNorm={norm}"))
    note = "  Note: 'slow/cancels.wav' is silence, or two channels that cancel out"
    assert note in capsys.readouterr().out


# a program whose decoder meets its fate at the first two songs
CRASH = """if True:
    import itertools, os, sys
    from mirdl import settings
    from mirdl.spectrograms import cache, decoding, features
    import loadDatasets
    parameters = settings.published()
    decode = features.compute_spectrogram

    def crash(file, *how):
        if file.endswith('0.wav'):
            os.abort()
        return sum(itertools.repeat(1)) if file.endswith('1.wav') else decode(file, *how)
    features.compute_spectrogram, decoding.SECONDS, decoding.SECONDS_PER_MB = crash, 5, 0
    cache.in_parallel = lambda function, calls, *_: (function(*call) for call in calls)
    for _ in range(2):
        loadDatasets.load_dataset(settings.check(settings.override(parameters, sys.argv[1:])))
        features.compute_spectrogram = decode
    """


@pytest.mark.slow
def test_a_decoder_that_crashes_or_never_ends_costs_its_song_only(workplace):
    for place, tag in enumerate("aabbab"):
        path = workplace / "data/datasets/Small" / tag / f"{place}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(makeSounds.wav(makeSounds.noise() * (1 - place / 10)))
    done = subprocess.run(
        [sys.executable, "-c", CRASH, "DS.dataset=Small", "DS.xInput=50", "chunkHop=20",
         "folds=2"], capture_output=True, text=True, env={**os.environ, "PYTHONPATH": ROOT})
    assert done.returncode == 0, done.stderr
    told = ("  2 of 6 files are left out:\n"
            "    'a/0.wav' cannot be decoded: the decoder crashed (SIGABRT); convert it to wav or "
            "flac\n"
            "    'a/1.wav' cannot be decoded: the decoder took longer than 5 s; split it into "
            "shorter files\n")
    assert done.stdout.count(told) == 1, "and at the next run they are tried again"


def test_data_sets_that_cannot_be_learnt_are_refused(beats, here, parameters):
    (here / "data/datasets/One/only").mkdir(parents=True)
    shutil.copy(beats / "slow" / "slow 0.wav", here / "data/datasets/One/only")
    with pytest.raises(UserError, match="has 1 tag"):
        loadDatasets.load_dataset(parameters("DS.dataset=One", "folds=1", "chunkHop=80"))


def test_a_fold(here, parameters):
    settled = parameters(*BEATS, "DL.batchSize=4", "DS.inputNormWhere=train")
    dataset = loadDatasets.load_dataset(settled)
    fold = loadDatasets.foldOf(dataset, 1, settled)
    mean, std = loadDatasets.normalization(dataset, fold.songs.train, settled["DS"])
    np.testing.assert_array_equal([fold.mean, fold.std], [mean, std])
    for songs, chunks in zip(fold.songs, (fold.train, fold.validation, fold.test), strict=True):
        assert chunks.places is songs and chunks.batch_size == 4
        assert chunks.labels.tolist() == dataset.labels[songs].tolist()
        assert list(map(len, chunks.batches())) == [4], "six songs of one chunk; two are dropped"
    whole = loadDatasets.foldOf(dataset, 1, {**settled, "asPublished": False})
    assert list(map(len, whole.test.batches())) == [4, 4, 4]


def test_x_and_y_of_some_songs(here, parameters):
    settled = parameters(*BEATS)
    dataset = loadDatasets.load_dataset(settled)
    songs = np.array([4, 2])
    mean, std = loadDatasets.normalization(dataset, [], settled["DS"])
    chunks = loadDatasets.format4MIRdl(dataset, songs, mean, std, settled)
    x, y = chunks[np.arange(len(chunks))]
    assert x.shape == (2, 1, 40, 250) and y.tolist() == dataset.labels[songs].tolist()
    expected = (dataset.spectrograms[2][:, :250] - mean[2]) / std[2]
    np.testing.assert_allclose(x[1, 0], expected, rtol=1e-6)


@pytest.fixture
def loader(monkeypatch):
    """Add a loader to loadDatasets.py: loader("Beats", function)."""
    def add(name, function):
        function.__module__ = "loadDatasets"
        monkeypatch.setattr(loadDatasets, name, function, raising=False)
    return add


def test_groups_and_replicas_of_a_data_set(here, parameters, loader):
    pairs = ("fast/fast 0.wav", "slow/slow 5.wav"), ("fast/fast 1.wav", "fast/fast 2.wav")
    loader("Beats", lambda folder: replace(in_folders(folder), replicas=pairs))
    dataset = loadDatasets.load_dataset(parameters(*BEATS))
    assert dataset.groups is None and len(dataset.names) == 18
    assert len(loadDatasets.load_dataset(parameters(*BEATS, "DS.replicas=drop")).names) == 16
    together = loadDatasets.load_dataset(parameters(*BEATS, "DS.replicas=together"))
    group = dict(zip(together.names, together.groups, strict=True))
    assert len(set(together.groups)) == 16 and group[pairs[0][0]] == group[pairs[0][1]]
    byNumber = loadDatasets.load_dataset(parameters(*BEATS, r"DS.groups=(\d).wav"))
    assert [name[-5] for name in byNumber.names] == byNumber.groups


def rows(names, column, value):
    return f"song,{column}\n" + "".join(f"{name},{value(name)}\n" for name in names)


def test_songs_of_a_given_split_and_what_it_leaves_out(here, parameters, capsys):
    names = sorted(loadDatasets.findSongs(parameters(*BEATS))[0].files)
    (here / "s.csv").write_text(rows(names, "fold", lambda name: (
        "unused" if name == "slow/slow 5.wav" else int(name[-5]) % 2)))
    settled = parameters("DS.dataset=Beats", "chunkHop=80", "DS.split=s.csv", "DS.groups=(.).wav")
    *_, settled = loadDatasets.findSongs(settled)
    dataset = loadDatasets.load_dataset(settled)
    assert settled["folds"] == 2 and len(dataset.names) == 17
    assert dataset.names == splits.shuffled(sorted(names)[:-1])
    assert dataset.split == [int(name[-5]) % 2 for name in dataset.names]
    fold = loadDatasets.foldOf(dataset, 1, settled)
    assert {dataset.names[song][-5] for song in fold.songs.test} == {*"135"}
    out = capsys.readouterr().out
    assert ("Data set Beats: 18 audio files, 2 folds by DS.split=s.csv\n"
            "  1 song is left out by DS.split=s.csv: 'slow/slow 5.wav'\n") in out
    assert "stale" not in out and "on both sides" not in out


def test_other_tags_and_splits_compute_no_spectrogram(here, parameters, capsys, monkeypatch):
    names = sorted(loadDatasets.findSongs(parameters(*BEATS))[0].files)
    (here / "l.csv").write_text(
        rows(names, "tag", lambda name: "odd" if name[-5] in "135" else "even"))
    monkeypatch.setattr(cache, "in_parallel", lambda function, calls, *_: iter(calls and None))
    first = loadDatasets.load_dataset(parameters(*BEATS))
    dataset = loadDatasets.load_dataset(parameters(*BEATS, "DS.labels=l.csv"))
    assert dataset.names == first.names and dataset.classes == ["even", "odd"]
    assert [dataset.classes[label] == "odd" for label in dataset.labels] == [
        name[-5] in "135" for name in dataset.names]
    assert not dataset.fits(first.fingerprint())
    together = parameters(*BEATS, "DS.labels=l.csv", "stratified=True", r"DS.groups=(\d).wav")
    assert set(loadDatasets.load_dataset(together).groups) == {*"012345"}


def test_stretches_of_joined_songs_are_the_songs(here, parameters, capsys):
    """Three tapes of a song of each tag, labelled; the edges of a song hear its neighbours."""
    whole, frames = loadDatasets.load_dataset(parameters(*BEATS)), 388      # of each song
    for place in ("tapes", "labels"):
        (here / "data/datasets/Tapes" / place).mkdir(parents=True)
    for number in range(3):
        songs = [f"{tag}/{tag} {number}.wav" for tag in whole.classes]
        samples = [soundfile.read(f"data/datasets/Beats/{song}")[0] for song in songs]
        padded = [np.pad(song, (0, frames * 1024 - len(song))) for song in samples]
        soundfile.write(f"data/datasets/Tapes/tapes/{number}.wav", np.concatenate(padded), 44100)
        border = [f"{place * frames * 1024 / 44100:.6f}" for place in range(4)]
        (here / f"data/datasets/Tapes/labels/{number}.txt").write_text("".join(
            f"{border[place]}\t{border[place + 1]}\t{tag}\n"
            for place, tag in enumerate(whole.classes)))
    settled = parameters(*BEATS, "DS.dataset=Tapes", "DS.labels=data/datasets/Tapes/labels")
    tapes = loadDatasets.load_dataset(settled)
    assert "Data set Tapes: 3 audio files, 9 labelled stretches\n" in capsys.readouterr().out
    assert sorted(tapes.groups) == sorted(3 * [f"tapes/{number}.wav" for number in range(3)])
    assert not tapes.in_memory or len(tapes.names) == 9
    for name, label, found in zip(tapes.names, tapes.labels, tapes.spectrograms, strict=True):
        tag = tapes.classes[label]
        expected = whole.spectrograms[whole.names.index(f"{tag}/{tag} {name[6]}.wav")]
        assert found.shape == (40, frames)
        np.testing.assert_allclose(found[:, 2:380], expected[:, 2:380], rtol=0, atol=1e-4)
    stored = loadDatasets.load_dataset(settled, store="disk")
    np.testing.assert_allclose(stored.mean, tapes.mean, rtol=1e-5)
    for part, found in zip(stored.spectrograms, tapes.spectrograms, strict=True):
        np.testing.assert_array_equal(np.asarray(part), found)


def test_a_background_needs_stretches(here, parameters):
    with pytest.raises(UserError, match="DS.background=noise needs DS.labels with stretches"):
        loadDatasets.findSongs(parameters(*BEATS, "DS.background=noise"))


def test_a_loader_gives_songs_groups_and_a_split(here, parameters, loader):
    def byNumber(folder):
        files = in_folders(folder).files
        return Songs({name: (path, "odd" if name[-5] in "135" else "even")
                      for name, (path, _) in files.items()},
                     groups={name: name[-5] for name in files},
                     splits={"thirds": {name: int(name[-5]) // 2 for name in files}})
    loader("Beats", byNumber)
    dataset = loadDatasets.load_dataset(parameters(*BEATS))
    assert dataset.classes == ["even", "odd"] and dataset.split is None
    assert dataset.groups == [name[-5] for name in dataset.names]
    thirds = loadDatasets.load_dataset(parameters(*BEATS, "DS.split=thirds"))
    assert thirds.split == [int(name[-5]) // 2 for name in thirds.names]


def test_ESC10_is_divided_by_its_own_folds(workplace, parameters):
    folder = workplace / "data/datasets/ESC10"
    for tag in ("dog_bark", "rain"):
        (folder / tag).mkdir(parents=True)
        for fold in "4132":
            (folder / tag / f"{fold}-2{fold}1-A.ogg").touch()
    songs, split, settled = loadDatasets.findSongs(parameters("DS.dataset=ESC10"))
    assert settled["folds"] == 4 and settled["DS"]["split"] == "folds"
    assert all(place == int(os.path.basename(name)[0]) - 1 for name, place in split.places.items())
    assert {*songs.tags.values()} == {"dog_bark", "rain"}
    (folder / "rain/other.ogg").touch()
    assert len(loadDatasets.findSongs(parameters("DS.dataset=ESC10"))[1].places) == 8
    _, none, settled = loadDatasets.findSongs(parameters("DS.dataset=ESC10", "DS.split=none"))
    assert none is None and settled["folds"] == 10


GENRES = ("blues", "classical", "country", "disco", "hiphop", "jazz", "metal", "pop", "reggae",
          "rock")


@pytest.fixture(params=[".wav", ".au"])
def gtzan(request, workplace):
    """Make the archive of GTZAN with empty files, and unpack it; return what its files end in."""
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for tag in GENRES:
            for number in range(100):
                tar.addfile(tarfile.TarInfo(f"genres/{tag}/{tag}.{number:05}{request.param}"))
    (workplace / "genres.tar.gz").write_bytes(content.getvalue())
    unpack("genres.tar.gz", "GTZAN", public_sets.GTZAN, "data/datasets")
    return request.param


def test_GTZAN_has_faults_replicas_and_a_filtered_split(gtzan, parameters, capsys):
    songs, split, settled = loadDatasets.findSongs(parameters("DS.dataset=GTZAN",
                                                              "DS.split=filtered"))
    assert len(songs.files) == 1000 and settled["folds"] == 1
    assert Counter(split.places.values()) == {"train": 443, "validation": 197, "test": 290}
    assert split.places[f"blues/blues.00029{gtzan}"] == "train"
    assert f"pop/pop.00037{gtzan}" not in split.places
    capsys.readouterr()
    checks.print_songs(songs, split, settled)
    told = capsys.readouterr().out
    assert told.count("  Note: ") == 4 and "14 pairs of files are equal" in told
    assert "  70 songs are left out by DS.split=filtered: 'classical/classical.00042" in told
    songs, split, settled = loadDatasets.findSongs(parameters("DS.dataset=GTZAN",
                                                              "DS.replicas=drop"))
    assert len(songs.files) == 986 and f"metal/metal.00058{gtzan}" not in songs.files
    assert split is None and settled["folds"] == 10


def test_a_copy_of_GTZAN_that_lacks_a_song_has_its_split(gtzan, parameters):
    os.unlink(f"data/datasets/GTZAN/jazz/jazz.00054{gtzan}")
    os.rename("data/datasets/GTZAN", "data/datasets/genres")
    _, split, _ = loadDatasets.findSongs(parameters("DS.dataset=genres", "DS.split=filtered"))
    assert len(split.places) == 929


def test_Ballroom_is_divided_as_published(workplace, parameters):
    for tag in ("Rumba", "Waltz"):
        (workplace / "data/datasets/Ballroom" / tag).mkdir(parents=True)
        (workplace / "data/datasets/Ballroom" / tag / "1.wav").touch()
    asked = parameters()
    songs, split, settled = loadDatasets.findSongs(asked)
    assert split is None and settled is asked and len(songs.files) == 2


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
        size = sum(spectrogram.nbytes for spectrogram in dataset.spectrograms)
        before, peak = tracemalloc.get_traced_memory()
        sound = songs * seconds * 44100 * 4
        assert sound > 20 * size and peak < 2.5 * size + 4e6, (size, peak)
        fold = loadDatasets.foldOf(dataset, 0, settled)
        chunks = len(fold.train) + len(fold.validation) + len(fold.test)
        added = tracemalloc.get_traced_memory()[0] - before
        assert chunks >= songs and added < size / 20, "a fold copies no spectrogram"
    finally:
        tracemalloc.stop()


def test_from_disk_the_next_start_reads_no_spectrogram_and_knows_the_same(here, parameters,
                                                                          monkeypatch):
    settled = parameters(*BEATS)
    first = loadDatasets.load_dataset(settled, store="disk")
    with monkeypatch.context() as patch:
        patch.setattr(Stored, "__getitem__", None)
        second = loadDatasets.load_dataset(settled, store="disk")
    assert first.fits(second.fingerprint())
    inMemory = loadDatasets.load_dataset(settled, store="memory")
    assert inMemory.in_memory and not second.in_memory
    assert inMemory.fits(first.fingerprint()), "so that a run can be resumed from either"
    every = np.concatenate(inMemory.spectrograms, axis=1).astype(np.float64)
    mean, std = loadDatasets.normalization(second, [], settled["DS"])
    np.testing.assert_allclose([mean[0], std[0]], [every.mean(), every.std()], rtol=1e-6)
