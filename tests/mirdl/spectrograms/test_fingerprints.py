import numpy as np
import pytest

from mirdl.frames import MAGNITUDES, MUSICNN_MEL
from mirdl.spectrograms import fingerprints

DS = {"specTransform": "mel", "frameSize": 2048, "hopSize": 1024, "melBands": 40}


def song(seed, frames=900):
    """Make energies of noise, in frames that overlap."""
    drawn = np.exp(2 * np.random.RandomState(seed).normal(size=(40, frames + 1)))
    return (1e-4 * (drawn[:, 1:] + drawn[:, :-1])).astype(np.float32)


def loop(seed, frames=900):
    """Make the same beat with the same two sounds, each time a little louder or softer."""
    rng, beat = np.random.RandomState(seed), np.zeros((40, frames))
    sounds = np.random.RandomState(0).exponential(size=(2, 40, 1))
    for number, start in enumerate(range(0, frames - 20, 20)):
        fall = 0.7 ** np.arange(20) * np.exp(0.3 * rng.normal())
        beat[:, start:start + 20] = sounds[number % 2] * fall
    return (beat * 0.01 + song(seed, frames) * 0.05).astype(np.float32)


def found(songs, **changes):
    named = {str(number): each for number, each in enumerate(songs)}
    return fingerprints.pairs_sharing(named, {**DS, **changes})


def moved(energies, share):
    """Begin a share of a frame later."""
    return (1 - share) * energies[:, :-1] + share * energies[:, 1:]


@pytest.mark.parametrize("copy", [
    lambda one: 0.09 * one,
    lambda one: one[:, 215:],
    lambda one: moved(one, 0.4)[:, 215:],
    lambda one: one * np.where(np.arange(40) < 26, 1, 1e-9)[:, np.newaxis],     # no high bands
    lambda one: one + 0.02 * song(7),
    lambda one: np.concatenate([one[:, 500:], song(8, 500)], axis=1)])
def test_copies_and_pieces_that_overlap_are_found(copy):
    one = song(1)
    copied = np.ascontiguousarray(copy(one), np.float32)
    assert found([song(2), one, song(3), copied, song(4)]) == [("1", "3")]
    assert found([copied, song(2), one]) == [("0", "2")], "in this order, too"


def test_songs_of_one_beat_and_its_sounds_are_not_the_same():
    loops = [loop(seed) for seed in range(12)]
    assert not found(loops)
    assert found([*loops, 0.1 * loops[3][:, 120:]]) == [("12", "3")]


def test_one_event_in_silence_is_like_another():
    events = []
    for seed in range(4):
        event = 1e-12 * song(seed, 400)
        event[:, 100 + 30 * seed:][:, :12] = song(seed)[:, :12]**0.25 * np.hanning(14)[1:-1]
        events.append(event)
    assert not found(events)


def test_silence_and_equal_steady_sounds_are_the_same_only_if_equal():
    steady = [np.full((40, 500), level, np.float32) for level in (0, 0, 1, 2, 2)]
    assert found(steady) == [("0", "1"), ("3", "4")]


def test_of_many_copies_as_many_pairs_as_join_them_are_given():
    one = song(1)
    pairs = found([level * one for level in (1, 0.5, 0.25, 0.1)])
    assert len(pairs) == 3 and {name for pair in pairs for name in pair} == {*"0123"}


def test_a_share_of_the_keys_is_enough_for_many_songs(monkeypatch):
    monkeypatch.setattr(fingerprints, "MOST_KEYS", 600)     # of 1,300
    assert found([song(1), song(2), 0.5 * song(1)]) == [("0", "2")]


@pytest.mark.parametrize("changes, made", [
    ({"specTransform": MAGNITUDES}, lambda one: np.sqrt(np.repeat(one, 26, axis=0)[:1025])),
    ({"specTransform": MUSICNN_MEL},
     lambda one: np.log10(1e4 * np.repeat(one, 3, axis=0)[:96] + 1)),
    ({"hopSize": 256}, lambda one: np.repeat(one, 4, axis=1)),
    ({"melBands": 8}, lambda one: one[:8])])
def test_other_spectrograms_are_compared_in_the_same_way(changes, made):
    one, other = song(1), song(2)
    assert found([made(one), made(other), made(0.3 * one[:, 40:])], **changes) == [("0", "2")]


def test_short_songs_share_nothing_unless_they_are_equal():
    assert found([song(1, 3), song(2, 3), song(1, 3), song(1, 60), 2 * song(1, 60)]) == [("0", "2")]
