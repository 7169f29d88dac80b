import base64
import io
import re
from itertools import starmap
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from mirdl.errors import UserError
from mirdl.results.model_info import ModelInfo
from mirdl.results.models import Model
from mirdl.results.outcome import CrossValidation, Outcome
from mirdl.tagging import players
from mirdl.tagging.answer import Answer
from mirdl.tagging.occlusion import BATCH
from mirdl.tagging.segments import Segment

RATE, CLASSES = 22050, ["a", "b"]


@pytest.fixture
def run(workplace, parameters, monkeypatch):
    """Test songs of class a, all of which were given b; the fold's tagger notes what it is given.

    run(names) -> result, function that makes taggers, notes. Files of 5 s are there but for 'gone'.
    """
    monkeypatch.setattr(players, "in_parallel",
                        lambda function, calls, *words: starmap(function, calls))
    folder = workplace / "data/datasets/Set"
    folder.mkdir()
    samples = np.random.RandomState(1).normal(0, 0.1, 5 * RATE)
    for name in "one.wav", "two.wav":
        soundfile.write(folder / name, samples, RATE)
    (folder / "text.wav").write_text("no sound")
    settled, given = parameters("DS.dataset=Set", "DS.xInput=100"), []
    answers = np.full((BATCH, 2), 0.5)

    def answer(song, problem=""):
        return Answer(song, 1, answers[:1], np.zeros(1), np.zeros((40, 100), np.float32), 100,
                      2.3, problem, [Segment(0, 2.3, 1, 0.5)], times=np.array([[0, 2.3]]))

    def tag(song, rate=None):
        given.append((song, rate))
        return answer(song)

    def tag_all(songs):
        for song in songs:
            given.append((song, None))
            yield answer(song, "cannot be decoded" if "text" in song else "")

    def tagger_of(model):
        if model == "lost-f1":
            raise UserError("there is no model 'lost-f1'")
        info = ModelInfo(settled, CLASSES, 11, 0, "", {}, [0.0, 1.0], ["3.wav"], [], ["one.wav"])
        return SimpleNamespace(
            models=[Model(model, f"{model}.npz", [np.zeros((2, 2))], info)], parameters=settled,
            classes=CLASSES, tag=tag, tag_all=tag_all,
            network=lambda: SimpleNamespace(forward=lambda x: answers))

    def make(*folds):
        outcomes = [Outcome(name, 3, 1, 60.0, songs=songs, true=[0] * len(songs),
                            votes=[[0, 9 - place] for place in range(len(songs))],
                            voted=[1] * len(songs), fold=number)
                    for number, (name, songs) in enumerate(folds)]
        return CrossValidation(settled, CLASSES, 11, outcomes), tagger_of, given
    return make, samples


def sound_of(page):
    [content] = re.findall('src="data:audio/ogg;base64,([^"]*)"', page)
    return soundfile.read(io.BytesIO(base64.b64decode(content)))[0]


def test_a_stretch_is_heard_and_tagged_alone(run):
    make, samples = run
    song = "one.wav 1.500-3.500"
    result, tagger_of, given = make(("n-f0", [song]))
    page = players.Players("n", result, [], tagger_of).misclassified()[song]
    expected = samples[round(1.5 * RATE):round(3.5 * RATE)]
    assert np.corrcoef(sound_of(page), expected)[0, 1] > 0.5 and len(sound_of(page)) == 2 * RATE
    [(tagged, rate)] = given
    assert rate == RATE and np.allclose(tagged, expected, atol=1e-4)


def test_what_has_no_player_is_told_in_one_line(run, capsys):
    make, _ = run
    result, tagger_of, _ = make(("n-f0", ["one.wav", "gone.wav", "text.wav"]),
                                ("lost-f1", ["two.wav"]), ("lost-f1", ["gone too.wav"]))
    found = players.Players("n", result, [], tagger_of).misclassified()
    assert list(found) == ["one.wav"]
    assert "by majority vote of n-f0, for which it was a test song" in found["one.wav"]
    assert "Classified as b by" in found["one.wav"]
    assert "its own tag, a, has 0.50" in found["one.wav"]
    sound, several = capsys.readouterr().err.splitlines()
    assert sound.startswith("without the sound of 'text.wav': libsndfile cannot read it: ")
    assert several == ("without 4 players of misclassified songs: there is no file "
                       "'data/datasets/Set/gone.wav'")


def test_of_many_wrong_songs_the_surest_have_a_player(run, monkeypatch, capsys):
    make, _ = run
    monkeypatch.setattr(players, "MOST", 1)
    result, tagger_of, _ = make(("n-f0", ["one.wav", "two.wav"]))
    assert list(players.Players("n", result, [], tagger_of).misclassified()) == ["one.wav"]
    assert capsys.readouterr().err == ""


def test_a_song_without_sound_is_shown(run, workplace, capsys):
    make, _ = run
    result, tagger_of, _ = make(("n-f0", []))
    page = players.Players("n", result, ["data/datasets/Set/text.wav"], tagger_of).of(
        "data/datasets/Set/text.wav", "text", "n-f0")
    assert "<audio" not in page and "There is no sound here" in page and "Classified as" not in page
    assert "without the sound of 'data/datasets/Set/text.wav'" in capsys.readouterr().err
