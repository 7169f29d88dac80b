import csv
import io
import json
import os
import re
import shutil
import weakref

import numpy as np
import pytest

import predict
from mirdl.errors import UserError
from mirdl.results import files


@pytest.fixture
def run(trained, monkeypatch):
    monkeypatch.chdir(trained[0])
    return trained[1]


def test_votes_equal_those_of_the_test_after_training(run, trained):
    for outcome in trained[2]:
        answers = list(predict.Tagger(outcome.name).tagAll([os.path.join("data/datasets/Beats", song) for song in outcome.songs]))
        assert [answer.votes.tolist() for answer in answers] == outcome.votes
        assert [answer.label for answer in answers] == outcome.voted
        for answer in answers:
            np.testing.assert_allclose(answer.probabilities.sum(axis=1), 1, rtol=1e-5)


def test_a_run_is_its_best_model(run, trained):
    best = max(trained[2], key=lambda outcome: outcome.validation)
    assert predict.Tagger(run).path == files.path_of(best.name, ".npz")


def test_table_csv_and_json_agree(run, capsys):
    songs = ["data/datasets/Beats/slow", "data/datasets/Beats/fast/fast 0.wav"]
    texts = {}
    for format in ("table", "csv", "json"):
        predict.main([run, *songs, "--format", format])
        texts[format] = capsys.readouterr().out
    rows = list(csv.DictReader(io.StringIO(texts["csv"])))
    found = json.loads(texts["json"])
    assert [row["song"] for row in rows] == [f"data/datasets/Beats/slow/slow {n}.wav" for n in range(6)] + [songs[1]]
    for row, line, song in zip(rows, texts["table"].splitlines()[1:], found):
        assert row["song"] == song["song"] and row["tag"] == song["tag"] == max(song["votes"], key=song["votes"].get)
        assert line.startswith(song["song"]) and f"{song['probabilities']['slow']:.4f}" == row["slow"] and row["slow"] in line
        assert [chunk["start"] for chunk in song["chunks"]] == pytest.approx([0, 40 * 1024 / 44100, 80 * 1024 / 44100])
    predict.main([run, songs[1], "--chunks", "--format", "csv"])
    assert [row["start"] for row in csv.DictReader(io.StringIO(capsys.readouterr().out))] == ["0.00", "0.93", "1.86"]


def test_of_many_songs_no_spectrogram_is_kept(run, monkeypatch):
    made, kept = [], []
    tagAll = predict.Tagger.tagAll

    def noted(tagger, songs):
        for answer in tagAll(tagger, songs):
            made.append(weakref.ref(answer.spectrogram))
            yield answer
            del answer
    monkeypatch.setattr(predict.Tagger, "tagAll", noted)
    monkeypatch.setitem(predict.SHOW, "table", lambda *_: kept.extend(one for one in made if one() is not None) or "")
    predict.main([run, "data/datasets/Beats/slow"])
    assert len(made) == 6 and not kept


def test_files_that_cannot_be_tagged_do_not_stop_the_others(run, tmp_path, capsys):
    (tmp_path / "text.wav").write_text("no audio")
    shutil.copy("data/datasets/Beats/fast/fast 0.wav", tmp_path)
    predict.main([run, str(tmp_path), "--format", "json"])
    out, err = capsys.readouterr()
    good, bad = json.loads(out)
    assert good["tag"] and "cannot be decoded" in bad["problem"] and "text.wav" in err
    with pytest.raises(UserError, match="none of the 1 files could be tagged"):
        predict.main([run, str(tmp_path / "text.wav")])
    assert capsys.readouterr().out == ""


def test_a_song_too_short_for_training_is_tagged_if_it_has_a_chunk(run, trained, tmp_path):
    from makeMiniRhythm import write_wav
    rng = np.random.RandomState(0)
    for seconds in (6, 5):
        write_wav(str(tmp_path / f"{seconds}.wav"), rng.normal(0, 3000, seconds * 44100).astype(np.int16))
    short, shorter = predict.Tagger(run).tagAll([str(tmp_path / "6.wav"), str(tmp_path / "5.wav")])
    assert len(short.probabilities) == 1 and shorter.problem == "is too short: 217 frames give no chunk of 250"


def test_wrong_names_are_told_before_any_work(run):
    with pytest.raises(UserError, match="there is no run 'nothing'"):
        predict.main(["nothing", "data"])
    with pytest.raises(UserError, match="there is no file or folder 'nowhere.wav'"):
        predict.main([run, "nowhere.wav"])


def test_a_changed_network_is_told(run, monkeypatch, capsys):
    import buildArchitecture
    song = "data/datasets/Beats/fast/fast 0.wav"
    predict.Tagger(run).tag(song)
    assert "has changed" not in capsys.readouterr().err
    original = buildArchitecture.withOutput

    def withOutput(network, incoming, numClasses):
        return original(network, incoming, numClasses)
    monkeypatch.setattr(buildArchitecture, "withOutput", withOutput)
    predict.Tagger(run).tag(song)
    assert "Note: the network oNetOne of buildArchitecture.py has changed" in capsys.readouterr().err
    monkeypatch.setattr(buildArchitecture, "oNet", buildArchitecture.oNet[::-1])
    with pytest.raises(UserError, match="does not fit the network oNetOne of buildArchitecture.py"):
        predict.Tagger(run).tag(song)


def withParameters(name, other, change):
    """A copy of the model `name` as `other` in data/preloaded/models, whose parameters `change` has changed."""
    values, about = files.load_model(files.path_of(name, ".npz"))
    change(about["parameters"])
    os.makedirs(files.MODELS, exist_ok=True)
    np.savez(os.path.join(files.MODELS, other), *values, about=np.array(json.dumps(about)))


@pytest.mark.parametrize("change, words", [
    (lambda parameters: parameters["DS"].update(hopSize="x"), "DS.hopSize=x is not allowed: expected a whole number of 1 or more"),
    (lambda parameters: parameters.update(DS=7), "are no parameters"),
    (lambda parameters: parameters.update(rubbish=1), "unknown parameter 'rubbish'"),
])
def test_a_model_of_impossible_parameters_is_refused(run, trained, change, words):
    withParameters(trained[2][0].name, "Odd", change)
    with pytest.raises(UserError, match="the model 'data/preloaded/models/Odd.npz' cannot be used: .*" + re.escape(words)):
        predict.Tagger("Odd")


def test_a_model_that_knows_fewer_settings_has_the_published_ones(run, trained):
    withParameters(trained[2][0].name, "Old", lambda parameters: parameters["DS"].pop("store"))
    assert predict.Tagger("Old").parameters["DS"]["store"] == "auto"


def test_a_class_may_be_called_like_a_column():
    answer = predict.Answer("a.wav", 0, np.array([[0.75, 0.25]], np.float32), np.zeros(1))
    assert predict.rows([answer], ["song", "speech"], chunks=False) == [
        {"song": "a.wav", "tag": "song", "votes": "1/1", "p(song)": "0.7500", "speech": "0.2500"}]
