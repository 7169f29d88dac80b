import csv
import io
import json
import os
import pathlib
import shutil
import subprocess
import sys
import threading
import weakref
from dataclasses import replace

import makeSounds
import numpy as np
import pytest
import scipy.io.wavfile
from conftest import ROOT, ended
from makeMiniRhythm import write_wav

import predict
from mirdl.errors import UserError
from mirdl.results.calibration import tempered
from mirdl.tagging.answer import Answer, usual_way
from mirdl.tagging.segments import Segment


@pytest.fixture
def run(trained, monkeypatch):
    """Return the name of a run of three folds, in whose folder the process is."""
    monkeypatch.chdir(trained[0])
    return trained[1]


def test_table_csv_and_json_agree(run, capsys):
    songs = ["data/datasets/Beats/slow", "data/datasets/Beats/fast/fast 0.wav"]

    def printed(*arguments):
        predict.main([run, *arguments])
        return capsys.readouterr().out
    table = printed(*songs).splitlines()
    rows = list(csv.DictReader(io.StringIO(printed(*songs, "--format", "csv"))))
    found = json.loads(printed(*songs, "--format", "json"))
    slow = [f"data/datasets/Beats/slow/slow {n}.wav" for n in range(6)]
    assert [row["song"] for row in rows] == [*slow, songs[1]]
    for row, line, song in zip(rows, table[1:], found, strict=True):
        assert row["song"] == song["song"] and line.startswith(song["song"])
        assert row["tag"] == song["tag"] == max(song["votes"], key=song["votes"].get)
        assert row["slow"] == f"{song['probabilities']['slow']:.4f}" and row["slow"] in line
        starts = [chunk["start"] for chunk in song["chunks"]]
        assert starts == pytest.approx([0, 40 * 1024 / 44100, 80 * 1024 / 44100])
    chunks = printed(songs[1], "--chunks", "--format", "csv")
    starts = [row["start"] for row in csv.DictReader(io.StringIO(chunks))]
    assert starts == ["0.00", "0.93", "1.86"]
    assert not any("segments" in song for song in found)


def test_the_json_list_is_indented_by_one(run, capsys):
    predict.main([run, "data/datasets/Beats/slow/slow 0.wav", "--format", "json"])
    assert capsys.readouterr().out.startswith('[\n {\n  "song": "data/datasets')


def test_the_table_is_aligned():
    answer = Answer("a.wav", 1, np.array([[0.25, 0.75]] * 2, np.float32),
                            np.array([0, 0.9]), segments=[Segment(0, 1.8, 1, 0.75)])

    def lines(unit):
        return list(predict.asTable([answer, answer], ["a.wav", "long.wav"], ["x", "tango"], unit))
    assert lines("song") == [
        "song      tag    by    votes      x       tango",
        *["a.wav     tango  vote  2/2        0.2500  0.7500"] * 2]
    assert lines("chunk") == [
        "song      start     tag    x       tango",
        *["a.wav     0.00      tango  0.2500  0.7500",
          "a.wav     0.90      tango  0.2500  0.7500"] * 2]
    assert lines("segment") == [
        "song      start     end       tag    probability",
        *["a.wav     0.00      1.80      tango  0.7500"] * 2]


def test_of_several_tags_the_likeliest_are_shown():
    """A model of seven tags; five are shown, those of each chunk if it is asked for."""
    chunks = np.array([[1, 2, 3, 9, 5, 6, 7], [1, 2, 3, 9, 5, 6, 0]]) / 10
    answer = Answer("a.wav", 3, chunks, np.array([0, 3.0]), several=True, by="mean")
    classes, columns = list("abcdefg"), ["song", "tag", "probability"]

    def told(unit):
        return list(csv.DictReader(predict.asCSV([answer], ["a.wav"], classes, unit)))
    assert list(told("song")[0]) == columns
    assert [(row["tag"], row["probability"]) for row in told("song")] == [
        ("d", "0.9000"), ("f", "0.6000"), ("e", "0.5000"), ("g", "0.3500"), ("c", "0.3000")]
    assert [(row["start"], row["tag"]) for row in told("chunk")] == [
        *[("0.00", tag) for tag in "dgfec"], *[("3.00", tag) for tag in "dfecb"]]
    [said] = map(json.loads, predict.asJSONLines([answer], ["a.wav"], classes, "song"))
    assert said["tags"] == list("dfegc") and said["probabilities"]["g"] == 0.35
    assert "votes" not in said and "tag" not in said


def test_of_several_tags_those_that_reach_their_thresholds_are_in_one_cell():
    chunks = np.array([[0.5, 0.9, 0.1], [0.1, 0.9, 0.1]])
    answer = Answer("a.wav", 1, chunks, np.array([0, 3.0]), several=True, by="mean",
                    thresholds=np.array([0.3, 0.8, 0.2]))
    classes = ["live", "tags", "dub"]

    def told(unit, given=answer):
        return list(csv.reader(predict.asCSV([given], ["a.wav"], classes, unit)))
    assert told("song") == [["song", "tags", "live", "p(tags)", "dub"],
                            ["a.wav", "tags|live", "0.3000", "0.9000", "0.1000"]]
    assert [row[1:3] for row in told("chunk")[1:]] == [["0.00", "tags|live"], ["3.00", "tags"]]
    none = replace(answer, thresholds=np.array([0.31, 0.91, 0.2]))
    assert told("song", none)[1][:2] == ["a.wav", ""]
    [said] = map(json.loads, predict.asJSONLines([answer], ["a.wav"], classes, "song"))
    assert said["tags"] == ["tags", "live"] and said["probabilities"]["dub"] == 0.1
    assert said["thresholds"] == {"live": 0.3, "tags": 0.8, "dub": 0.2}


def test_of_many_songs_no_spectrogram_is_kept(run, monkeypatch):
    made, kept = [], []
    tag_all = predict.Tagger.tag_all

    def noted(tagger, songs):
        for answer in tag_all(tagger, songs):
            made.append(weakref.ref(answer.spectrogram))
            yield answer
            del answer
    monkeypatch.setattr(predict.Tagger, "tag_all", noted)

    def count(answers, *_):
        for _ in answers:
            kept.extend(one for one in made[:-1] if one() is not None)
            yield ""
    monkeypatch.setitem(predict.FORMATS, "table", count)
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
    with pytest.raises(UserError, match="none of the 1 files could be tagged"):
        predict.main([run, str(tmp_path / "text.wav"), "--format", "csv"])
    assert capsys.readouterr().out == ""


def test_an_odd_file_is_noted(run, tmp_path, capsys):
    content = pathlib.Path("data/datasets/Beats/fast/fast 0.wav").read_bytes()
    (tmp_path / "odd.wav").write_bytes(content[:-90000])
    predict.main([run, str(tmp_path / "odd.wav")])
    note = (f"is cut off: {len(content) - 90000} of the {len(content)} bytes that its header "
            "promises are there")
    assert f"Note: {str(tmp_path / 'odd.wav')!r} {note}\n" in capsys.readouterr().err
    predict.main([run, str(tmp_path / "odd.wav"), "--format", "jsonl"])
    assert json.loads(capsys.readouterr().out)["note"].startswith(note)


@pytest.mark.parametrize("change, told", [
    (lambda sound: sound / 10, "is at least 8 dB quieter than most training songs, which may "),
    (lambda sound: sound * 0, "is silence, or two channels that cancel out; better left out\n"),
    (lambda sound: np.sign(sound) * (sound % 2), "is silence, or two channels that cancel out; "),
    (lambda sound: sound // 2, "")])
def test_a_song_of_another_level_is_noted_as_in_a_run(run, tmp_path, capsys, monkeypatch, change,
                                                      told):
    monkeypatch.setattr("mirdl.tagging.likeness.read", lambda models: None)
    _, sound = scipy.io.wavfile.read("data/datasets/Beats/fast/fast 0.wav")
    path = str(tmp_path / "song.wav")
    write_wav(path, change(sound).astype(np.int16))
    predict.main([run, path])
    out, err = capsys.readouterr()
    assert path in out and (f"Note: {path!r} {told}" in err if told else "Note" not in err)


def test_wrong_names_are_told_before_any_work(run):
    with pytest.raises(UserError, match="there is no run 'nothing'"):
        predict.main(["nothing", "data"])
    with pytest.raises(UserError, match="there is no file or folder 'nowhere.wav'"):
        predict.main([run, "nowhere.wav"])


def test_what_is_piped_in_is_tagged(run, tmp_path, capsys):
    song, pipe = "data/datasets/Beats/fast/fast 0.wav", str(tmp_path / "piped")
    os.mkfifo(pipe)
    writer = threading.Thread(
        target=lambda: pathlib.Path(pipe).write_bytes(pathlib.Path(song).read_bytes()))
    writer.start()
    predict.main([run, pipe, song, "--format", "csv"])
    writer.join()
    piped, plain = csv.reader(capsys.readouterr().out.splitlines()[1:])
    assert piped[0] == pipe and piped[1:] == plain[1:]


def test_a_dash_is_what_is_piped_in(run):
    with open(os.devnull) as nothing:
        stdin = os.dup(0)
        os.dup2(nothing.fileno(), 0)
        try:
            with pytest.raises(UserError, match="'/dev/stdin' is a device"):
                predict.main([run, "-"])
        finally:
            os.dup2(stdin, 0)
            os.close(stdin)


@pytest.mark.slow
def test_a_song_from_another_program_is_tagged(run, script, tmp_path):
    with subprocess.Popen(["cat", "data/datasets/Beats/fast/fast 0.wav"],
                          stdout=subprocess.PIPE) as cat:
        done = script("predict.py", run, "-", "--format", "audacity", "--out", str(tmp_path),
                      stdin=cat.stdout)
    assert done.stdout == f"/dev/stdin -> {tmp_path}/stdin.txt\n", done.stderr


def test_a_class_may_be_called_like_a_column():
    answer = Answer("a.wav", 0, np.array([[0.75, 0.25]], np.float32), np.zeros(1))
    assert predict.rows(answer, ["song", "speech"], unit="song") == [
        {"song": "a.wav", "tag": "song", "by": "vote", "votes": "1/1", "p(song)": "0.7500",
         "speech": "0.2500"}]


def test_a_tag_is_that_of_most_chunks_or_of_the_largest_mean(run, monkeypatch, capsys):
    song = "data/datasets/Beats/slow/slow 0.wav"
    found = np.float32([[0.6, 0.4, 0], [0.6, 0.4, 0], [0, 1, 0], [0, 0, 1]])    # three of them vote
    monkeypatch.setattr(predict.Tagger, "through", lambda *given: found)
    monkeypatch.setattr("mirdl.tagging.likeness.read", lambda models: None)
    answers = [predict.Tagger(run, by=by).tag(song) for by in (None, "vote", "mean")]
    assert [answer.label for answer in answers] == [0, 0, 1]
    for by, row in ("vote", "fast,vote,2/3"), ("mean", "middle,mean,1/3"):
        predict.main([run, song, "--by", by, "--format", "csv"])
        assert row in capsys.readouterr().out
        predict.main([run, song, "--by", by, "--format", "json"])
        assert json.loads(capsys.readouterr().out)[0]["by"] == by
    assert usual_way({"recipe": "published"}) == "vote" and usual_way({"recipe": "today"}) == "mean"


def test_tagging_imports_no_more_than_it_needs():
    code = ("import predict, sys; print({'sklearn', 'scipy', 'pooch', 'matplotlib', 'theano'} & "
            "set(sys.modules))")
    done = ended([sys.executable, "-c", code], cwd=ROOT)
    assert done.stdout == "set()\n", done.stderr


def test_each_answer_is_printed_as_soon_as_it_is_there(run, monkeypatch, capsys):
    tag_all = predict.Tagger.tag_all

    def untilStopped(tagger, songs):
        for number, answer in enumerate(tag_all(tagger, songs)):
            if number == 2:
                raise KeyboardInterrupt
            yield answer
    monkeypatch.setattr(predict.Tagger, "tag_all", untilStopped)
    for kind, lines in (("table", 3), ("csv", 3), ("jsonl", 2)):
        with pytest.raises(KeyboardInterrupt):
            predict.main([run, "data/datasets/Beats/slow", "--format", kind])
        assert len(capsys.readouterr().out.splitlines()) == lines


def test_json_lines_are_the_items_of_the_json_list(run, capsys):
    predict.main([run, "data/datasets/Beats/slow", "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    predict.main([run, "data/datasets/Beats/slow", "--format", "jsonl"])
    assert list(map(json.loads, capsys.readouterr().out.splitlines())) == found


def test_an_ensemble_is_the_mean_of_the_models_of_all_folds(run, trained, capsys):
    song = "data/datasets/Beats/slow/slow 1.wav"
    each = [predict.Tagger(outcome.name).tag(song) for outcome in trained[2]]
    predict.main([run, song, "--format", "jsonl", "--ensemble"])
    out, err = capsys.readouterr()
    answer = json.loads(out)
    expected = np.mean([one.probabilities.mean(axis=0) for one in each], axis=0)
    np.testing.assert_allclose(list(answer["probabilities"].values()),
                               tempered(expected, answer["temperature"]), atol=1e-6)
    assert "the mean of 3 models" in err
    two = predict.Tagger(run, ensemble=True)
    del two.models[0]
    expected = np.mean([one.probabilities for one in each[1:]], axis=0)
    np.testing.assert_allclose(two.tag(song).probabilities, expected, atol=1e-6)


def test_segments_are_the_chunks_joined(run, capsys):
    song = "data/datasets/Beats/fast/fast 0.wav"

    def printed(*arguments):
        predict.main([run, song, *arguments])
        return capsys.readouterr().out
    found = list(csv.DictReader(io.StringIO(printed("--segments", "--format", "csv"))))
    assert found[0]["start"] == "0.00" and float(found[-1]["end"]) == pytest.approx(9, abs=0.03)
    assert [row["start"] for row in found[1:]] == [row["end"] for row in found[:-1]]
    labels = [line.split("\t") for line in printed("--format", "audacity").splitlines()]
    assert [(f"{float(start):.2f}", f"{float(end):.2f}", tag) for start, end, tag in labels] == [
        (row["start"], row["end"], row["tag"]) for row in found]
    regions = list(csv.DictReader(io.StringIO(printed("--segments", "--format", "sonic"))))
    assert [row["LABEL"] for row in regions] == [row["tag"] for row in found]
    [answer] = json.loads(printed("--segments", "--format", "json"))
    assert [each["tag"] for each in answer["segments"]] == [row["tag"] for row in found]
    assert printed("--segments").splitlines()[0].split() == [
        "song", "start", "end", "tag", "probability"]


def test_labels_of_a_folder_are_files_of_their_own(run, tmp_path, capsys):
    folder = str(tmp_path / "labels")
    predict.main([run, "data/datasets/Beats/slow", "--format", "audacity", "--out", folder])
    assert len(capsys.readouterr().out.splitlines()) == len(os.listdir(folder)) == 6


def test_rejected_songs_are_unknown_in_every_format(run, tmp_path, capsys):
    own, odd = "data/datasets/Beats/slow/slow 0.wav", str(tmp_path / "noise.wav")
    write_wav(odd, (3000 * makeSounds.noise(9)).astype(np.int16))

    def printed(*arguments):
        predict.main([run, own, odd, "--reject", *arguments])
        return capsys.readouterr().out
    known, unknown = list(csv.DictReader(io.StringIO(printed("--format", "csv"))))
    tag = known["tag"]
    assert tag in ("slow", "middle", "fast")
    assert (unknown["tag"], unknown["votes"]) == ("unknown", "0/3")
    assert float(unknown["slow"]) > 0, "its probabilities are told"
    lines = printed().splitlines()
    place = lines[0].index("tag ")
    assert [line[place:].split()[0] for line in lines[1:]] == [tag, "unknown"]
    assert lines[0].index("by") == lines[2].index("vote"), "the columns are aligned"
    known, unknown = json.loads(printed("--format", "json", "--segments"))
    assert unknown["tag"] == "unknown" and unknown["likeness"] == 0 < known["likeness"]
    assert {each["tag"] for each in unknown["segments"]} == {"unknown"}
    for unit in "--chunks", "--segments":
        rows = list(csv.DictReader(io.StringIO(printed("--format", "csv", unit))))
        assert {row["tag"] for row in rows if row["song"] == odd} == {"unknown"}
        assert "unknown" not in {row["tag"] for row in rows if row["song"] == own}
    for form in "audacity", "sonic":
        predict.main([run, odd, "--reject", "--format", form])
        assert "unknown" in capsys.readouterr().out
