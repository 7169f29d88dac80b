import glob
import shutil

import makeSounds
import numpy as np
import pytest
from conftest import small
from makeMiniRhythm import write_wav

import buildArchitecture
import dl
from mirdl import settings
from mirdl.errors import UserError
from mirdl.results import files, models
from mirdl.tagging import likeness, tagger
from mirdl.tagging.likeness import AXES, Classes, Features, Known, Likeness, Songs, learnt

NUMBERS = 30


@pytest.fixture
def run(trained, monkeypatch):
    """Return the name of a run of three folds, in whose folder the process is."""
    monkeypatch.chdir(trained[0])
    return trained[1]


def Tagger(name, *arguments):
    return tagger.Tagger(name, lambda: buildArchitecture, *arguments)


def clouds(rng, each=50):
    """Make two classes of textures that vary along different directions, and their labels."""
    wide = np.ones((2, NUMBERS))
    wide[[0, 1], [0, 1]] = 20
    middle = np.zeros((2, NUMBERS))
    middle[1, 5] = 30
    songs = np.concatenate([rng.normal(middle[label], wide[label], (each, NUMBERS))
                            for label in range(2)])
    return songs, np.repeat([0, 1], each)


def test_far_is_what_no_class_varies_like():
    songs, labels = clouds(np.random.RandomState(0))
    classes = Classes.of(songs, labels, songs[:0])
    usual = [classes.distances(song)[0] for song in clouds(np.random.RandomState(1))[0]]
    along, across, far = np.zeros((3, NUMBERS))
    along[0], across[1], far[2] = 100, 100, 10      # along the second the other class varies
    along, across, far = (classes.distances(song)[0] for song in (along, across, far))
    assert along + 10 < across and far > max(usual) > along
    assert classes.axes.shape == (2, AXES, NUMBERS)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_few_songs_make_a_class(count):
    songs, _ = clouds(np.random.RandomState(0), each=count)
    classes = Classes.of(songs, np.repeat([0, 1], count), songs[:0])
    found = [classes.distances(song)[0] for song in (songs[0], songs[0] + 100)]
    assert np.isfinite(found).all() and found[0] < found[1]


def test_pieced_songs_lie_in_one_direction():
    rng = np.random.RandomState(0)
    songs = rng.normal(3, 2, (60, NUMBERS))
    pieced = rng.normal(3, 2, (40, NUMBERS))
    pieced[:, 4] += 20
    labels = np.zeros(60, int)
    towards, away, aside = np.full((3, NUMBERS), 3.0)
    towards[4], away[4], aside[7] = 13, -7, 13

    def found(song):
        return Classes.of(songs, labels, pieced).distances(song)[1]
    near, opposite, beside = map(found, (towards, away, aside))
    assert near > 4 > 1.5 > abs(beside) and opposite < -4
    assert found(pieced[0]) > max(map(found, songs))
    assert Classes.of(songs, labels, pieced[:0]).distances(towards)[1] == 0, "no direction"


def test_the_nearest_song_counts():
    songs = np.random.RandomState(0).normal(5, 2, (likeness.MOST + 7, 9)).astype(np.float32)
    known = Known.of(songs)
    assert len(known.songs) == likeness.MOST
    assert known.distance(songs[0]) == pytest.approx(0, abs=1e-5)
    assert known.distance(songs[0] + known.std * np.eye(9)[3] / 100) == pytest.approx(1e-4, rel=0.1)
    assert known.distance(songs.mean(axis=0) + 30) > 100


@pytest.mark.parametrize("count", [2, 3])
def test_the_likeness_is_a_share_of_the_test_songs(count):
    """For songs like those that were learnt from it is spread evenly, whatever the distances."""
    rng = np.random.RandomState(0)
    tested = rng.gamma(2, 1, (400, count)) @ (np.eye(count) + np.eye(count, k=1) / 2)
    of = Likeness(Songs(None, "known" if count == 3 else None), tested[:200]).of_distances
    found = np.array([of(song) for song in tested[200:]])
    for share in 0.02, 0.3, 0.7:
        assert np.mean(found < share) == pytest.approx(share, abs=0.08)
    assert of(np.full(count, -1)) == 1 and of(np.full(count, np.inf)) == 0


def test_of_two_distances_the_larger_counts_of_three_the_sum():
    tested = np.random.RandomState(0).uniform(0, 1, (200, 3))
    of_two = Likeness(Songs(None, None), tested[:, :2]).of_distances
    of_three = Likeness(Songs(None, "known"), tested).of_distances
    assert of_two(np.array([0, 2])) == of_two(np.array([2, 0])) == 0, "either one is enough"
    assert of_two(np.array([0.7, 0.7])) > 0.3 and of_two(np.array([-9, 2])) == 0
    assert of_three(np.array([0, 0, 1.5])) > 0.3 and of_three(np.array([0.99, 0.99, 0.99])) == 0


def test_a_fold_is_judged_by_what_it_did_not_test():
    songs, labels = clouds(np.random.RandomState(0))
    windows = np.random.RandomState(2).normal(size=(100, 7, 3))
    features = [Features.of(song, each) for song, each in zip(songs, windows, strict=True)]
    features[-1] = Features.of(None, windows[-1])
    test, asked = np.arange(0, 100, 2), []

    def pieced(used):
        asked.append(used)
        return [10 + features[song].texture for song in used]
    found = learnt(features, labels, [test, test + 1, np.array([], int)], pieced)
    assert found.tested.shape == (99, 3) and found.windows
    sounding = np.arange(99)
    for used, expected in zip(asked, (sounding[1::2], sounding[::2], sounding), strict=True):
        np.testing.assert_array_equal(used, expected)
    others = Songs.of([features[song] for song in sounding[1::2]], labels[sounding[1::2]],
                      10 + songs[1:-1:2])
    np.testing.assert_allclose(found.tested[1], others.distances(features[2]), rtol=1e-5)
    np.testing.assert_allclose(others.distances(features[2]), [
        *Classes.of(songs[1:-1:2], labels[1:-1:2], 10 + songs[1:-1:2]).distances(songs[2]),
        Known.of(windows[1:-1:2].max(axis=2)).distance(windows[2].max(axis=1))], rtol=1e-5)
    assert found.songs.known.songs.shape == (99, 7)
    assert found.of(features[-1]) == 0, "silence"
    plain = learnt([Features(each.texture) for each in features], labels, [test], lambda used: [])
    assert plain.tested.shape == (50, 2) and not plain.windows
    assert learnt([Features(None)] * 100, labels, [test], pieced) is None


def test_a_run_knows_its_own_songs_and_no_others(run, trained, tmp_path):
    own = [f"data/datasets/Beats/{song}" for song in trained[2][0].songs]
    model = Tagger(trained[2][0].name, False, None, True)
    found = [answer.tag for answer in model.tag_all(own)]
    assert "unknown" not in found and set(found) <= set(model.classes)
    for ensemble in (False, True):
        judge = Tagger(run, ensemble, None, True)
        answer = judge.tag(makeSounds.noise(9), 44100)
        assert (answer.tag, answer.label, answer.likeness) == ("unknown", None, 0)
        assert answer.rejected.all() and "is unlike" not in answer.note
        assert [tuple(each)[2:] for each in answer.segments] == [(None, 0)]
        assert answer.votes.sum() == len(answer.rejected)
    plain = Tagger(run).tag(0.1 * makeSounds.noise(9), 44100)
    assert plain.tag in judge.classes and plain.note.startswith("is unlike the songs of the run")
    assert plain.rejected is None and plain.likeness == 0


def test_silence_is_never_tagged_not_even_a_part(run, tmp_path):
    path = str(tmp_path / "song.wav")
    judge = Tagger(run, False, None, True)
    write_wav(path, np.zeros(9 * 44100, np.int16))
    silent = judge.tag(path)
    assert silent.tag == "unknown" and silent.note.startswith("is silence")
    judge.likeness.of = lambda *given: 1.0      # whatever it says
    assert judge.tag(path).tag == "unknown"
    sound = makeSounds.noise(30)
    sound[:20 * 44100] = 0
    answer = judge.tag(sound, 44100)
    assert answer.tag in judge.classes
    first, *_, last = answer.segments
    assert first.label is None and last.label is not None and 14 < first.end < 21
    assert answer.labels[0] is None and answer.labels[-1] is not None


def test_models_bring_along_what_lies_beside_them(run, trained, workplace):
    for outcome in trained[2]:
        shutil.copy(trained[0] / "data/results" / f"{outcome.name}.npz",
                    workplace / "data/preloaded/models")
    model, beside = trained[2][0].name, f"data/preloaded/models/{run}{likeness.ENDING}"
    message = f"has no '{beside}', so that it cannot tell unknown songs: copy .* leave out --reject"
    with pytest.raises(UserError, match=message):
        Tagger(model, False, None, True)
    assert Tagger(model).likeness is None, "as before"
    shutil.copy(trained[0] / files.path_of(run, likeness.ENDING), beside)
    assert Tagger(run, True, None, True).likeness.tested.shape[1] == 2
    with open(beside, "wb") as file:
        file.write(b"damaged")
    with pytest.raises(UserError, match="is damaged, .*; train again, or remove the file"):
        Tagger(model)


def test_where_a_song_may_have_several_tags_nothing_is_rejected(run, trained, monkeypatch):
    load = models.load_best

    def several(name):
        model = load(name)
        model.info.several = True
        return model
    monkeypatch.setattr(models, "load_best", several)
    with pytest.raises(UserError, match="may have several tags.*leave out --reject"):
        Tagger(run, False, None, True)


@pytest.mark.slow
def test_musicnns_numbers_count_if_the_run_asks_for_it(here, musicnn_weights, tiny):
    asked = small("DL.type=tiny", "DL.num_epochs=1", "unknown=musicnn")
    outcomes = dl.main(settings.check(settings.override(settings.published(), asked)))
    judge, features = Tagger(outcomes[0].name, False, None, True), []
    assert Tagger(outcomes[0].name).likeness is None, "it takes long"
    assert judge.likeness.tested.shape == (18, 3)
    assert judge.tag(makeSounds.noise(9), 44100).tag == "unknown"
    told = judge.likeness.of
    judge.likeness.of = lambda song: features.append(song) or told(song)
    own = [answer.tag for answer in judge.tag_all(sorted(glob.glob("data/datasets/Beats/*/*")))]
    assert own.count("unknown") <= 1
    distances = np.array([judge.likeness.songs.distances(song) for song in features])
    np.testing.assert_allclose(distances[:, 2], 0, atol=1e-3, err_msg="as the run had them")
    assert (judge.likeness.tested[:, 2] > 10).all(), "songs that a fold tests are not in it"
