import os
import pickle
import shutil
import signal
import subprocess
import sys

import numpy as np
import pytest
import soundfile
from conftest import ROOT, check_order

from mirdl.songs.audio_files import folder_of, in_folders
from mirdl.spectrograms import cache, store
from mirdl.system import pickles


@pytest.fixture
def compute(beats, workplace, parameters, capsys):
    """Call cache.spectrograms for Beats; return the spectrograms and what was printed."""
    shutil.copytree(beats, workplace / "data/datasets/Beats")

    def call(*overrides, where="auto"):
        ds = parameters("DS.dataset=Beats", *overrides)["DS"]
        paths = in_folders(folder_of("Beats")).paths
        return cache.spectrograms(paths, ds, where=where), capsys.readouterr().out
    return call


PATH = "data/preloaded/Beats_2048_1024_mel_40_blackmanharris62.pickle"
STORE = PATH.replace(".pickle", ".store")


def test_second_time_loads_the_same(compute):
    first, out = compute()
    assert f"saved the spectrograms to {PATH}" in out
    second, out = compute()
    assert f"loaded the spectrograms of 18 songs from {PATH}" in out
    assert list(first) == list(second)
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.fixture
def computed(monkeypatch):
    """List the audio files that are decoded."""
    files, original = [], cache.in_parallel

    def in_parallel(function, calls, *names):
        files.extend(os.path.basename(file) for file, _ in calls)
        return original(function, calls, *names)
    monkeypatch.setattr(cache, "in_parallel", in_parallel)
    return files


def test_only_new_and_changed_songs_are_computed(compute, computed):
    first, _ = compute()
    shutil.copy("data/datasets/Beats/slow/slow 0.wav", "data/datasets/Beats/slow/extra.wav")
    os.remove("data/datasets/Beats/fast/fast 1.wav")
    os.utime("data/datasets/Beats/fast/fast 0.wav", ns=(1, 1))
    computed.clear()
    second, out = compute()
    assert "is stale: 2 songs are new or changed, 1 are gone" in out
    assert sorted(computed) == ["extra.wav", "fast 0.wav"] and "fast/fast 1.wav" not in second
    assert np.array_equal(second["slow/extra.wav"], first["slow/slow 0.wav"])


def replace(path, other):
    """Replace a file by another one that has its size and its time."""
    before = os.stat(path)
    shutil.copy(other, path)
    assert os.path.getsize(path) == before.st_size
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


@pytest.mark.parametrize("where", ["memory", "disk"])
def test_a_song_of_the_same_size_and_time_is_another_song(compute, computed, where):
    first, _ = compute(where=where)
    replace("data/datasets/Beats/fast/fast 0.wav", "data/datasets/Beats/slow/slow 3.wav")
    computed.clear()
    second, out = compute(where=where)
    assert "is stale: 1 songs are new or changed" in out and computed == ["fast 0.wav"]
    assert np.array_equal(second["fast/fast 0.wav"], first["slow/slow 3.wav"])
    computed.clear()
    compute(where=where)
    assert not computed


@pytest.mark.parametrize("where", ["memory", "disk"])
def test_what_was_kept_without_a_hash_is_completed_and_not_computed_again(
        compute, computed, monkeypatch, where):
    path, stamp = PATH if where == "memory" else STORE, cache._stamp
    with monkeypatch.context() as patch:
        patch.setattr(cache, "_stamp", lambda file: stamp(file)[:2])
        first, _ = compute(where=where)
    size = sum(map(os.path.getsize, files_of(path)))
    computed.clear()
    for _ in range(2):
        second, out = compute(where=where)
        assert not computed and "stale" not in out and "saved" not in out
        assert all(np.array_equal(first[name], second[name]) for name in first)
    grown = sum(map(os.path.getsize, files_of(path))) - size
    assert 0 < grown < 18 * 1000, "the hashes, and no spectrogram twice"
    replace("data/datasets/Beats/fast/fast 0.wav", "data/datasets/Beats/slow/slow 3.wav")
    compute(where=where)
    assert computed == ["fast 0.wav"]


def files_of(path):
    return [path] if os.path.isfile(path) else [os.path.join(path, name)
                                                for name in os.listdir(path)]


def test_blocks_from_the_start_to_the_end_tell_files_apart(tmp_path):
    path = tmp_path / "a.wav"

    def hash_of(content):
        path.write_bytes(content)
        return cache._stamp(path)[2]
    for size in (1, cache.BLOCK - 1, cache.BLOCK, 3 * cache.BLOCK, 10**6):
        content = bytearray(size)
        zeros = hash_of(content)
        for place in (0, size // 2, size - 1):
            changed = bytearray(content)
            changed[place] = 1
            assert hash_of(changed) != zeros, (size, place)
    os.mkfifo(tmp_path / "pipe")
    assert cache._stamp(tmp_path / "pipe")[2] == "", "and it is not waited for"
    assert cache._stamp(tmp_path / "none") is None


def test_songs_at_one_level_are_kept_beside_the_published_ones(compute, computed):
    before, _ = compute()
    with open(PATH, "rb") as file:
        kept = file.read()
    levelled, out = compute("DS.level=rms")
    assert PATH.replace(".pickle", "_rms.pickle") in out and len(computed) == 36
    on_disk, _ = compute("DS.level=rms", where="disk")
    for name, song in levelled.items():
        np.testing.assert_allclose(song, before[name] * (1e-2 / before[name].mean()), rtol=1e-5)
        np.testing.assert_array_equal(on_disk[name], song)
    assert len(computed) == 36 and "loaded the spectrograms of 18 songs" in compute()[1]
    with open(PATH, "rb") as file:
        assert file.read() == kept, "not even the file has changed"


@pytest.mark.parametrize("override, count", [
    ("DS.xInput=100", 0), ("DS.inputNorm=None", 0), ("DS.inputNormWhere=train", 0),
    ("DS.groups=slow", 0), ("chunkHop=20", 0),
    ("DS.hopSize=2048", 18), ("DS.melBands=30", 18), ("DS.windowType=hann", 18),
])
def test_only_what_shapes_spectrograms_computes_them_anew(compute, computed, override, count):
    compute()
    computed.clear()
    compute(override)
    assert len(computed) == count


@pytest.mark.parametrize("spoil, reason", [
    (lambda content: content[:-1000], ""),
    (lambda content: b"", ""),
    (lambda content: pickle.dumps([1, 2]), "another format"),
    (lambda content: pickle.dumps(print), "neither a NumPy array nor a plain value"),
    (lambda content: content.replace(b"harris62", b"harris70"), "made with other parameters"),
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


def test_on_disk_the_same_songs_and_moved_from_one_to_the_other(compute):
    first, _ = compute()
    on_disk, out = compute(where="disk")
    assert f"18 songs are read from {STORE} as needed" in out and not os.path.exists(PATH)
    assert not any(isinstance(song, np.ndarray) for song in on_disk.values())
    assert all(np.array_equal(first[name], on_disk[name]) for name in first)
    shutil.copy("data/datasets/Beats/slow/slow 0.wav", "data/datasets/Beats/slow/extra.wav")
    again, out = compute(where="disk")
    assert "is stale: 1 songs are new" in out
    assert np.array_equal(again["slow/extra.wav"], first["slow/slow 0.wav"])
    back, out = compute(where="memory")
    assert f"saved the spectrograms to {PATH}" in out and not os.path.exists(STORE)
    assert len(back) == 19 and all(isinstance(song, np.ndarray) for song in back.values())
    assert all(np.array_equal(first[name], back[name]) for name in first)
    compute(where="disk")
    assert all(np.array_equal(first[name], on_disk[name]) for name in first), "still readable"


def test_songs_are_on_the_disk_before_the_file_that_held_them_is_removed(compute, journal):
    pickled, folder = os.path.abspath(PATH), os.path.abspath(STORE)
    preloaded, lines = os.path.dirname(folder), f"{folder}/songs.jsonl"
    steps = {"memory": [("renamed", pickled), ("synced", preloaded), ("removed", lines)],
             "disk": [("synced", f"{folder}/spectra.f32"), ("synced", lines), ("synced", folder),
                      ("synced", preloaded), ("removed", pickled)]}
    for where in ("memory", "disk", "memory"):
        journal.clear()
        compute(where=where)
        check_order(journal, steps[where])


def test_songs_that_are_not_used_now_are_kept_and_not_computed(compute, computed, parameters):
    files, ds = in_folders(folder_of("Beats")).paths, parameters("DS.dataset=Beats")["DS"]
    dropped = {name: files.pop(name) for name in list(files)[:2]}
    for where in ("memory", "disk"):
        computed.clear()
        for _ in range(2):
            found = cache.spectrograms(files, ds, dropped, where=where)
            assert not {*found} & {*dropped}
        assert len(computed) == (16 if where == "memory" else 0)
        compute(where=where)
        assert len(computed) == (18 if where == "memory" else 0)
        computed.clear()
        cache.spectrograms(files, ds, dropped, where=where)
        compute(where=where)
        assert not computed


def test_large_data_sets_stay_on_disk(compute, monkeypatch):
    monkeypatch.setattr(cache, "SHARE", 1e-6)
    assert "are read from" in compute()[1]


def test_processes_share_the_memory(beats, workplace, parameters, monkeypatch):
    shutil.copytree(beats, workplace / "data/datasets/Beats")
    files, ds = in_folders(folder_of("Beats")).paths, parameters("DS.dataset=Beats")["DS"]
    size = sum(song.nbytes for song in cache.spectrograms(files, ds).values())
    monkeypatch.setattr(cache, "memory", lambda: 2.5 * size / cache.SHARE)
    for processes, kind in (2, np.ndarray), (3, cache.Stored):
        songs = cache.spectrograms(files, ds, processes=processes)
        assert all(isinstance(song, kind) for song in songs.values())


def test_a_damaged_store_is_named_and_computed_anew(compute):
    first = {name: np.asarray(song) for name, song in compute(where="disk")[0].items()}
    os.truncate(f"{STORE}/spectra.f32", 1000)
    second, out = compute(where="disk")
    assert f"{STORE} cannot be used and is computed anew: the numbers of" in out
    assert all(np.array_equal(first[name], second[name]) for name in first)


@pytest.mark.xdist_group("serial")
def test_a_song_computed_before_a_kill_is_not_computed_again(beats, workplace):
    shutil.copytree(beats, workplace / "data/datasets/Beats")
    code = """if True:
        import os, signal, sys
        from mirdl import settings
        from mirdl.spectrograms import cache, store
        from mirdl.songs.audio_files import folder_of, in_folders
        parameters = settings.published()
        keep, kept = cache.Store.keep, []

        def keepOrDie(store, name, *rest):
            kept.append(name)
            song = keep(store, name, *rest)
            if len(kept) == 7 and sys.argv[1:] == ['die']:
                os.kill(os.getpid(), signal.SIGKILL)
            return song
        cache.Store.keep = keepOrDie
        ds = settings.check(settings.override(parameters, ['DS.dataset=Beats']))['DS']
        cache.spectrograms(in_folders(folder_of('Beats')).paths, ds)
        print(len(kept), 'kept')
        """

    def run(*arguments):
        return subprocess.run(
            [sys.executable, "-c", code, *arguments], capture_output=True, text=True, timeout=100,
            env={**os.environ, "PYTHONPATH": ROOT},
        )
    assert run("die").returncode == -signal.SIGKILL
    out = run()
    assert out.stdout.endswith("11 kept\n"), out.stdout + out.stderr
    assert len(pickles.load(PATH)["songs"]) == 18
    assert sorted(os.listdir("data/preloaded")) == [os.path.basename(PATH), "models"]


@pytest.mark.essentia
def test_notes_are_kept_with_the_songs(compute):
    path = "data/datasets/Beats/slow/half.flac"
    soundfile.write(path, np.random.RandomState(1).uniform(-0.3, 0.3, 88200), 44100)
    os.truncate(path, os.path.getsize(path) // 2)
    note = "  Note: 'slow/half.flac' holds 1.0 s, but its header promises 2.0 s\n"
    for override in ("memory", "memory", "disk", "disk", "memory"):
        assert note in compute(where=override)[1]
    soundfile.write(path, np.random.RandomState(1).uniform(-0.3, 0.3, 88200), 44100)
    assert "Note" not in compute()[1], "the file is whole now"


def test_reasons_of_an_earlier_version_are_looked_into_again(compute, computed, monkeypatch):
    with open("data/datasets/Beats/slow/text.wav", "w") as file:
        file.write("hello")
    for where in ("memory", "disk"):
        compute(where=where)
        computed.clear()
        with monkeypatch.context() as patch:
            patch.setattr(cache, "READERS", cache.READERS + 1)
            patch.setattr(store, "READERS", cache.READERS)
            songs, _ = compute(where=where)
        assert computed == ["text.wav"] and "cannot be decoded" in songs["slow/text.wav"]
