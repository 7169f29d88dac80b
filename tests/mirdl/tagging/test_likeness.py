import shutil

import makeSounds
import numpy as np
import pytest
from makeMiniRhythm import write_wav

import buildArchitecture
from mirdl.errors import UserError
from mirdl.results import files, models
from mirdl.spectrograms.chunks import Chunks
from mirdl.tagging import likeness, tagger
from mirdl.tagging.likeness import AXES, Classes, Known, Likeness, learnt, songs_through

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
    classes = Classes.of(songs, labels)
    usual = [classes.distance(song) for song in clouds(np.random.RandomState(1))[0]]
    along, across, far = np.zeros((3, NUMBERS))
    along[0], across[1], far[2] = 100, 100, 10      # along the second the other class varies
    assert classes.distance(along) + 10 < classes.distance(across)
    assert classes.distance(far) > max(usual) > classes.distance(along)
    assert classes.distance(None) == np.inf
    assert classes.axes.shape == (2, AXES, NUMBERS)


@pytest.mark.parametrize("count", [1, 2, 3, 5])
def test_few_songs_make_a_class(count):
    songs, _ = clouds(np.random.RandomState(0), each=count)
    classes = Classes.of(songs, np.repeat([0, 1], count))
    found = [classes.distance(song) for song in (songs[0], songs[0] + 100)]
    assert np.isfinite(found).all() and found[0] < found[1]


def test_the_nearest_song_counts_by_its_angle():
    songs = np.random.RandomState(0).normal(5, 2, (likeness.MOST + 7, 9)).astype(np.float32)
    known = Known.of(songs)
    assert len(known.songs) == likeness.MOST
    assert known.distance(songs[0]) == pytest.approx(0, abs=1e-5)
    away = songs[0] - songs.mean(axis=0)
    assert known.distance(songs.mean(axis=0) + 3 * away) == pytest.approx(0, abs=1e-5)
    assert 0.05 < known.distance(songs.mean(axis=0) + np.eye(9)[3] * 9) < 2


def test_the_likeness_is_a_share_of_the_test_songs():
    """For songs like those that were learnt from it is spread evenly, whatever the distances."""
    rng = np.random.RandomState(0)
    tested = rng.gamma(2, 1, (400, 2)) @ [[1, 0.5], [0, 1]]
    of = Likeness(None, {}, tested[:200]).of_distances
    found = np.array([of(song) for song in tested[200:]])
    for share in 0.02, 0.3, 0.7:
        assert np.mean(found < share) == pytest.approx(share, abs=0.08)
    assert of(np.array([0, 99])) == of(np.array([99, 0])) == 0, "either distance is enough"
    assert of(np.array([0, 0])) == 1


def test_a_fold_is_judged_by_what_it_did_not_test():
    songs, labels = clouds(np.random.RandomState(0))
    textures, test = [*songs[:-1], None], np.arange(0, 100, 2)
    entering = np.random.RandomState(2).normal(size=(100, 7))
    entering[4] = np.nan        # without chunks
    found = learnt(textures, labels, {"f0": (test, entering[1::2], entering[test])})
    assert found.tested.shape == (49, 2)
    classes = Classes.of(songs[1:-1:2], labels[1:-1:2])
    known = Known.of(entering[1::2])
    np.testing.assert_allclose(found.tested[1], [classes.distance(songs[2]),
                                                 known.distance(entering[2])], rtol=1e-5)
    np.testing.assert_array_equal(found.classes.middle, Classes.of(songs[:-1], labels[:-1]).middle)
    assert learnt([None] * 100, labels, {"f0": (test, entering, entering)}) is None


def test_chunks_are_averaged_over_their_song():
    songs = [np.full((2, 5), 10.0 * place, np.float32) + np.arange(5) for place in range(3)]
    chunks = Chunks(songs, [0, 0, 1], [range(2), range(0), range(3)], 2, np.zeros(3, np.float32),
                    np.ones(3, np.float32), batch_size=2)
    found = songs_through(lambda x: (None, x[:, 0, 0]), chunks)
    np.testing.assert_allclose(found, [[0.5, 1.5], [np.nan, np.nan], [21, 22]])


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
    assert Tagger(run, True, None, True).likeness.known.keys() == {"f0", "f1", "f2"}
    with open(beside, "wb") as file:
        file.write(b"damaged")
    with pytest.raises(UserError, match="is damaged: .*; remove the file to do without it"):
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
