import os
import pickle
import shutil
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from conftest import ROOT

import loadDatasets
from mirdl.spectrograms import cache
from mirdl.system import pickles


@pytest.fixture
def compute(beats, workplace, parameters, capsys):
    """Calls cache.spectrograms for Beats; gives the spectrograms and what was printed."""
    shutil.copytree(beats, workplace / "data/datasets/Beats")

    def call(*overrides):
        songs = cache.spectrograms(loadDatasets.findSongs("Beats"), parameters("DS.dataset=Beats", *overrides)["DS"])
        return songs, capsys.readouterr().out
    return call


PATH = "data/preloaded/Beats_2048_1024_mel_40_blackmanharris62.pickle"


def test_second_time_loads_the_same(compute):
    first, out = compute()
    assert f"saved the spectrograms to {PATH}" in out
    start = time.time()
    second, out = compute()
    assert f"loaded the spectrograms of 18 songs from {PATH}" in out
    assert list(first) == list(second)
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_only_new_and_changed_songs_are_computed(compute, monkeypatch):
    first, _ = compute()
    shutil.copy("data/datasets/Beats/slow/slow 0.wav", "data/datasets/Beats/slow/extra.wav")
    os.remove("data/datasets/Beats/fast/fast 1.wav")
    os.utime("data/datasets/Beats/fast/fast 0.wav", ns=(1, 1))
    calls = []
    original = cache.in_parallel
    monkeypatch.setattr(cache, "in_parallel", lambda function, jobs, *rest: calls.extend(jobs) or original(function, jobs, *rest))
    second, out = compute()
    assert "is stale: 2 songs are new or changed, 1 are gone" in out
    assert sorted(os.path.basename(file) for file, _ in calls) == ["extra.wav", "fast 0.wav"]
    assert np.array_equal(second["slow/extra.wav"], first["slow/slow 0.wav"]) and "fast/fast 1.wav" not in second


@pytest.mark.parametrize("override, computed", [
    ("DS.xInput=100", 0), ("DS.inputNorm=None", 0), ("DS.inputNormWhere=train", 0), ("DS.groups=slow", 0), ("chunkHop=20", 0),
    ("DS.hopSize=2048", 18), ("DS.melBands=30", 18), ("DS.windowType=hann", 18)])
def test_only_parameters_that_shape_spectrograms_compute_them_anew(compute, monkeypatch, override, computed):
    compute()
    calls = []
    original = cache.in_parallel
    monkeypatch.setattr(cache, "in_parallel", lambda function, jobs, *rest: calls.extend(jobs) or original(function, jobs, *rest))
    compute(override)
    assert len(calls) == computed


@pytest.mark.parametrize("spoil, reason", [
    (lambda content: content[:-1000], ""),
    (lambda content: b"", ""),
    (lambda content: pickle.dumps([1, 2]), "another format"),
    (lambda content: pickle.dumps(print), "neither a NumPy array nor a plain value"),
    (lambda content: content.replace(b"blackmanharris62", b"blackmanharris70"), "made with other parameters"),
])
def test_truncated_foreign_and_stale_files_are_named_and_computed_anew(compute, spoil, reason):
    first, _ = compute()
    with open(PATH, "rb") as file:
        content = file.read()
    with open(PATH, "wb") as file:
        file.write(spoil(content))
    second, out = compute()
    assert f"{PATH} cannot be used and is computed anew: " in out and reason in out
    assert all(np.array_equal(first[name], second[name]) for name in first)
    assert set(pickles.load(PATH)["songs"]) == set(first)


def test_an_unreadable_song_keeps_its_reason(compute):
    with open("data/datasets/Beats/slow/text.wav", "w") as file:
        file.write("hello")
    assert "cannot be decoded" in compute()[0]["slow/text.wav"]
    songs, out = compute()
    assert "loaded the spectrograms" in out and "cannot be decoded" in songs["slow/text.wav"]


STORE = PATH.replace(".pickle", ".store")


def test_on_disk_the_same_songs_and_moved_from_one_to_the_other(compute):
    first, _ = compute()
    onDisk, out = compute("DS.store=disk")
    assert f"18 songs are read from {STORE} as they are needed" in out and not os.path.exists(PATH)
    assert all(not isinstance(onDisk[name], np.ndarray) and np.array_equal(first[name], onDisk[name]) for name in first)
    shutil.copy("data/datasets/Beats/slow/slow 0.wav", "data/datasets/Beats/slow/extra.wav")
    again, out = compute("DS.store=disk")
    assert "is stale: 1 songs are new" in out and np.array_equal(again["slow/extra.wav"], first["slow/slow 0.wav"])
    back, out = compute("DS.store=memory")
    assert f"saved the spectrograms to {PATH}" in out and not os.path.exists(STORE) and len(back) == 19
    assert all(isinstance(back[name], np.ndarray) and np.array_equal(first[name], back[name]) for name in first)
    compute("DS.store=disk")
    assert all(np.array_equal(first[name], onDisk[name]) for name in first), "the process that has met the first store reads it on"


def test_large_data_sets_stay_on_disk(compute, monkeypatch):
    monkeypatch.setattr(cache, "SHARE", 1e-6)
    assert "are read from" in compute()[1]


def test_processes_share_the_memory(beats, workplace, parameters, monkeypatch):
    shutil.copytree(beats, workplace / "data/datasets/Beats")
    files, DS = loadDatasets.findSongs("Beats"), parameters("DS.dataset=Beats")["DS"]
    size = sum(song.nbytes for song in cache.spectrograms(files, DS).values())
    monkeypatch.setattr(cache, "memory", lambda: 2.5 * size / cache.SHARE)
    for processes, kind in (2, np.ndarray), (3, cache.Stored):
        assert all(isinstance(song, kind) for song in cache.spectrograms(files, DS, processes).values())


def test_a_damaged_store_is_named_and_computed_anew(compute):
    first = {name: np.asarray(song) for name, song in compute("DS.store=disk")[0].items()}
    os.truncate(f"{STORE}/spectra.f32", 1000)
    second, out = compute("DS.store=disk")
    assert f"{STORE} cannot be used and is computed anew: the numbers of" in out
    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_a_song_computed_before_a_kill_is_not_computed_again(beats, workplace):
    shutil.copytree(beats, workplace / "data/datasets/Beats")
    code = f"""if True:
        import os, signal, sys
        from mirdl import settings
        from mirdl.spectrograms import cache
        import loadDatasets
        from run import parameters
        keep, kept = cache.Store.keep, []

        def keepOrDie(store, name, *rest):
            kept.append(name)
            song = keep(store, name, *rest)
            if len(kept) == 7 and sys.argv[1:] == ['die']:
                os.kill(os.getpid(), signal.SIGKILL)
            return song
        cache.Store.keep = keepOrDie
        cache.spectrograms(loadDatasets.findSongs('Beats'), settings.check({{**parameters, 'DS': {{**parameters['DS'], 'dataset': 'Beats'}}}})['DS'])
        print(len(kept), 'kept')
        """

    def run(*arguments):
        return subprocess.run([sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=100,
                              env={**os.environ, "PYTHONPATH": ROOT})
    assert run("die").returncode == -signal.SIGKILL
    out = run()
    assert out.stdout.endswith("11 kept\n"), out.stdout + out.stderr
    assert len(pickles.load(PATH)["songs"]) == 18 and sorted(os.listdir("data/preloaded")) == [os.path.basename(PATH), "models"]
