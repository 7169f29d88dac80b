import csv
import io
import itertools
import json
import os
import pathlib
import re
import shutil
import weakref

import makeSounds
import numpy as np
import pytest
import scipy.io.wavfile
from makeMiniRhythm import write_wav

import buildArchitecture
import dl
import loadDatasets
import predict
from mirdl import settings
from mirdl.errors import UserError
from mirdl.results import files, models
from mirdl.results.outcome import Outcome
from mirdl.results.segments import Segment
from mirdl.spectrograms import cache
from mirdl.training.run import Run
from mirdl.training.trial import Trial, model_info


@pytest.fixture
def run(trained, monkeypatch):
    """Return the name of a run of three folds, in whose folder the process is."""
    monkeypatch.chdir(trained[0])
    return trained[1]


def test_votes_equal_those_of_the_test_after_training(run, trained):
    for outcome in trained[2]:
        songs = [os.path.join("data/datasets/Beats", song) for song in outcome.songs]
        answers = list(predict.Tagger(outcome.name).tagAll(songs))
        assert [answer.votes.tolist() for answer in answers] == outcome.votes
        assert [answer.label for answer in answers] == outcome.voted
        for answer in answers:
            np.testing.assert_allclose(answer.probabilities.sum(axis=1), 1, rtol=1e-5)


def test_a_run_is_its_best_model(run, trained):
    best = max(trained[2], key=lambda outcome: outcome.validation)
    assert predict.Tagger(run).models[0].path == files.path_of(best.name, ".npz")


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
    answer = predict.Answer("a.wav", 1, np.array([[0.25, 0.75]] * 2, np.float32),
                            np.array([0, 0.9]), segments=[Segment(0, 1.8, 1, 0.75)])

    def lines(unit):
        return list(predict.asTable([answer, answer], ["a.wav", "long.wav"], ["x", "tango"], unit))
    assert lines("song") == [
        "song      tag    votes      x       tango",
        *["a.wav     tango  2/2        0.2500  0.7500"] * 2]
    assert lines("chunk") == [
        "song      start     tag    x       tango",
        *["a.wav     0.00      tango  0.2500  0.7500",
          "a.wav     0.90      tango  0.2500  0.7500"] * 2]
    assert lines("segment") == [
        "song      start     end       tag    probability",
        *["a.wav     0.00      1.80      tango  0.7500"] * 2]


def test_an_answer_has_the_spectrogram_that_the_network_saw(run):
    tagger = predict.Tagger(run)
    energies = np.random.RandomState(0).uniform(0, 0.1, (40, 300)).astype(np.float32)
    mean, std = tagger.models[0].info.moments
    expected = (np.log10(10000 * energies + 1) - mean) / std
    answer = tagger.answer("a.wav", energies)
    np.testing.assert_allclose(answer.spectrogram, expected, atol=1e-4)


def test_of_many_songs_no_spectrogram_is_kept(run, monkeypatch):
    made, kept = [], []
    tagAll = predict.Tagger.tagAll

    def noted(tagger, songs):
        for answer in tagAll(tagger, songs):
            made.append(weakref.ref(answer.spectrogram))
            yield answer
            del answer
    monkeypatch.setattr(predict.Tagger, "tagAll", noted)

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
    assert capsys.readouterr().out == "song,tag,votes,fast,middle,slow\n", "the header only"


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
def test_a_song_of_another_level_is_noted_as_in_a_run(run, tmp_path, capsys, change, told):
    _, sound = scipy.io.wavfile.read("data/datasets/Beats/fast/fast 0.wav")
    path = str(tmp_path / "song.wav")
    write_wav(path, change(sound).astype(np.int16))
    predict.main([run, path])
    out, err = capsys.readouterr()
    assert path in out and (f"Note: {path!r} {told}" in err if told else "Note" not in err)


def test_of_a_model_that_does_not_know_its_songs_levels_silence_is_told(run, tmp_path):
    path = str(tmp_path / "song.wav")
    tagger = predict.Tagger(run)
    tagger.models[0].info.training_moments = None
    for level, told in (0, "is silence, or "), (0.001, ""):
        write_wav(path, (level * 2**15 * makeSounds.noise(9)).astype(np.int16))
        assert tagger.tag(path).note.startswith(told) and bool(tagger.tag(path).note) == bool(told)


def test_several_notes_are_one_line(run, tmp_path):
    path = tmp_path / "song.wav"
    sound = 2**15 * makeSounds.noise(9)
    path.write_bytes(makeSounds.wav(sound, 32, "float"))
    note = predict.Tagger(run).tag(str(path)).note
    assert re.fullmatch(r"has samples up to 163\d\d, beyond 1 and -1; scale it down; it is at "
                        r"least \d+ dB louder than most training songs, .* to their level", note)


def test_a_song_too_short_for_training_is_tagged_if_it_has_a_chunk(run, trained, tmp_path):
    rng = np.random.RandomState(0)
    songs = [str(tmp_path / f"{seconds}.wav") for seconds in (6, 5)]
    for seconds, song in zip((6, 5), songs, strict=True):
        write_wav(song, rng.normal(0, 3000, seconds * 44100).astype(np.int16))
    short, shorter = predict.Tagger(run).tagAll(songs)
    assert len(short.probabilities) == 1
    assert shorter.problem == "is too short: 217 frames give no chunk of 250"


def test_a_song_is_not_normalised_if_the_model_was_trained_without(run):
    tagger = predict.Tagger(run)
    tagger.parameters["DS"].update(inputNorm="None", inputNormWhere="local")
    tagger.models[0].info.moments = None
    answer = tagger.tag("data/datasets/Beats/fast/fast 0.wav")
    assert answer.spectrogram.min() >= 0, "energies, as they are"


def test_wrong_names_are_told_before_any_work(run):
    with pytest.raises(UserError, match="there is no run 'nothing'"):
        predict.main(["nothing", "data"])
    with pytest.raises(UserError, match="there is no file or folder 'nowhere.wav'"):
        predict.main([run, "nowhere.wav"])


def test_a_pipe_is_refused_in_words(run, tmp_path):
    os.mkfifo(tmp_path / "song.wav")
    reader, writer = os.pipe()          # <(cat song.wav) in bash
    for path in str(tmp_path / "song.wav"), f"/dev/fd/{reader}", "-", "/dev/null":
        words = f"{path!r} is a pipe, a device or a folder, not a file: save the sound to a file"
        for tag in predict.Tagger(run).tag, lambda path: predict.main([run, path]):
            with pytest.raises(UserError, match=re.escape(words)):
                tag(path)
    os.close(reader)
    os.close(writer)


def test_a_file_is_found_by_what_is_open_in_this_process_alone(run):
    song = "data/datasets/Beats/fast/fast 0.wav"
    with open(song, "rb") as file:      # as /dev/stdin in predict.py NAME /dev/stdin < song.wav
        answer = predict.Tagger(run).tag(f"/dev/fd/{file.fileno()}")
    assert answer.votes.tolist() == predict.Tagger(run).tag(song).votes.tolist()


def test_a_changed_network_is_told(run, monkeypatch, capsys):
    song = "data/datasets/Beats/fast/fast 0.wav"
    predict.Tagger(run).tag(song)
    assert "has changed" not in capsys.readouterr().err
    original = buildArchitecture.outputLayer

    def outputLayer(incoming, numClasses):
        return original(incoming, numClasses)
    monkeypatch.setattr(buildArchitecture, "outputLayer", outputLayer)
    predict.Tagger(run).tag(song)
    told = "Note: the network oNetOne of buildArchitecture.py has changed"
    assert told in capsys.readouterr().err
    filters = buildArchitecture.oNet
    for other in (filters[::-1], [(1, 2), *filters[1:]]):
        monkeypatch.setattr(buildArchitecture, "oNet", other)
        with pytest.raises(UserError, match="does not fit the network oNetOne of buildArch"):
            predict.Tagger(run).tag(song)


def withParameters(name, other, change):
    """Copy a model to data/preloaded/models, with parameters that `change` has changed."""
    model = models.load(name)
    content = model.info.to_json()
    change(content["parameters"])
    os.makedirs(models.PRELOADED, exist_ok=True)
    np.savez(os.path.join(models.PRELOADED, other), *model.weights,
             about=np.array(json.dumps(content)))


@pytest.mark.parametrize("change, words", [
    (lambda parameters: parameters["DS"].update(hopSize="x"),
     "DS.hopSize=x is not allowed: expected a whole number of 1 or more"),
    (lambda parameters: parameters.update(DS=7), "are not settings: DL and DS must be dicts"),
    (lambda parameters: parameters.update(rubbish=1), "unknown parameter 'rubbish'"),
])
def test_a_model_of_impossible_parameters_is_refused(run, trained, change, words):
    withParameters(trained[2][0].name, "Odd", change)
    message = "the model 'data/preloaded/models/Odd.npz' cannot be used: .*" + re.escape(words)
    with pytest.raises(UserError, match=message):
        predict.Tagger("Odd")


def test_a_model_that_knows_fewer_settings_has_the_published_ones(run, trained):
    name = trained[2][0].name
    withParameters(name, "Old", lambda parameters: parameters["DS"].pop("replicas"))
    assert predict.Tagger("Old").parameters["DS"]["replicas"] == "keep"


def test_a_class_may_be_called_like_a_column():
    answer = predict.Answer("a.wav", 0, np.array([[0.75, 0.25]], np.float32), np.zeros(1))
    assert predict.rows(answer, ["song", "speech"], unit="song") == [
        {"song": "a.wav", "tag": "song", "votes": "1/1", "p(song)": "0.7500", "speech": "0.2500"}]


def test_each_answer_is_printed_as_soon_as_it_is_there(run, monkeypatch, capsys):
    tagAll = predict.Tagger.tagAll

    def untilStopped(tagger, songs):
        for number, answer in enumerate(tagAll(tagger, songs)):
            if number == 2:
                raise KeyboardInterrupt
            yield answer
    monkeypatch.setattr(predict.Tagger, "tagAll", untilStopped)
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
    np.testing.assert_allclose(list(answer["probabilities"].values()), expected, atol=1e-6)
    assert "the mean of 3 models" in err
    two = predict.Tagger(run, ensemble=True)
    del two.models[0]
    expected = np.mean([one.probabilities for one in each[1:]], axis=0)
    np.testing.assert_allclose(two.tag(song).probabilities, expected, atol=1e-6)


def test_a_run_whose_models_alone_are_here_has_its_best_one(run, trained, workplace):
    for outcome in trained[2]:
        shutil.copy(trained[0] / "data/results" / f"{outcome.name}.npz",
                    workplace / "data/preloaded/models")
    best = max(trained[2], key=lambda outcome: outcome.validation)
    assert predict.Tagger(run).models[0].name == best.name
    assert [model.name for model in models.load_of_folds(run, 3)] == [
        outcome.name for outcome in trained[2]]
    with pytest.raises(UserError, match="has models of 3 folds, and folds=2: set folds=3, or"):
        models.load_of_folds(run, 2)


def test_probabilities_are_those_of_the_test_after_training(run, trained):
    """Votes on an easy set stay equal under a wrong normalisation; the loss does not."""
    for outcome in trained[2]:
        tagger = predict.Tagger(outcome.name)
        answers = tagger.tagAll([os.path.join("data/datasets/Beats", song)
                                 for song in outcome.songs])
        losses = [-np.log(answer.probabilities[:, tagger.classes.index(song.split("/")[0])])
                  for answer, song in zip(answers, outcome.songs, strict=True)]
        assert np.mean(np.concatenate(losses)) == pytest.approx(outcome.loss, abs=1e-5)


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


@pytest.mark.parametrize("asPublished, voting", [(True, 3), (False, 4)])
def test_the_chunk_that_the_test_leaves_out_has_a_segment_but_no_vote(
        run, monkeypatch, asPublished, voting):
    tagger = predict.Tagger(run)
    tagger.parameters["asPublished"] = asPublished
    each = np.eye(3, dtype=np.float32)[[0, 0, 0, 2]]        # of 387 frames, 40 from one to the next
    monkeypatch.setattr(tagger, "probabilities", lambda model, chunks: each[:len(chunks)])
    answer = tagger.answer("a.wav", np.ones((40, 387), np.float32))
    assert answer.votes.tolist() == [3, 0, voting - 3] and answer.label == 0
    assert len(answer.start) == len(answer.probabilities) == voting
    frame = 1024 / 44100
    assert [tuple(segment) for segment in answer.segments] == [
        (0, pytest.approx((100 + 125) * frame), 0, 1), (pytest.approx(225 * frame),
                                                        pytest.approx(387 * frame), 2, 1)]


def test_labels_of_a_folder_are_files_of_their_own(run, tmp_path, capsys):
    folder = str(tmp_path / "labels")
    predict.main([run, "data/datasets/Beats/slow", "--format", "audacity", "--out", folder])
    assert len(capsys.readouterr().out.splitlines()) == len(os.listdir(folder)) == 6


# All values of what shapes a song's chunks and their numbers; of some settings, two
SPECTRA = {"DS.frameSize": (512, 1024), "DS.hopSize": (512, 1024), "DS.melBands": (12, 20),
           "DS.specTransform": ("mel", "magnitudeSTFT"), "DS.windowType": ("hann", "square")}
INPUT = {"DS.specTransform": ("mel", "magnitudeSTFT"),
         "DS.xInput": (40, 50), "DS.inputNorm": ("log0m1v", "None"),
         "DS.inputNormWhere": ("global", "local", "train"), "asPublished": (True, False),
         "chunkHop": (15, 60), "testMethod": ("all", "majorityVote", "utterances")}
# two of the four songs are shorter than a chunk, and a third one shorter than chunk and hop
SHORT = {**INPUT, "DS.short": ("pad", "repeat"), "DS.xInput": (140,), "chunkHop": (15,),
         "testMethod": ("all",)}


def combinations(values):
    """List all combinations of values of settings, as overrides."""
    return [[f"{key}={value}" for key, value in zip(values, each, strict=True)]
            for each in itertools.product(*values.values())]


class Recorder:
    """A network that keeps the chunks that it is given: by dl's test, and by predict."""

    def evaluate_all(self, chunks, order):
        self.given = chunks[order][0]
        return np.zeros(len(order)), np.zeros((len(order), 2), np.float32)

    def forward(self, x):
        self.given.append(x.copy())
        return np.zeros((len(x), 2), np.float32)


@pytest.fixture
def unlike(workplace):
    """Make Unlike: four songs of two tags, unlike in loudness and length."""
    for place, tag in enumerate("abab"):
        path = workplace / "data/datasets/Unlike" / tag / f"{place}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(makeSounds.wav(makeSounds.noise(2.7 + place / 3) / (1 + place) ** 2))


@pytest.fixture
def spectraOnce(monkeypatch):
    """Let predict compute each spectrogram once."""
    original, known = predict.in_parallel, {}

    def in_parallel(function, calls, *words):
        keys = [(file, *map(DS.get, cache.SHAPING)) for file, DS in calls]
        new = {key: call for key, call in zip(keys, calls, strict=True) if key not in known}
        known.update(zip(new, original(function, list(new.values()), *words), strict=True))
        return [(known[key][0].copy(), known[key][1]) for key in keys]
    monkeypatch.setattr(predict, "in_parallel", in_parallel)


@pytest.mark.parametrize("overrides", [
    pytest.param(combinations(SPECTRA), id="spectra", marks=pytest.mark.slow),
    pytest.param(combinations(INPUT), id="input", marks=pytest.mark.slow),
    pytest.param(combinations(SHORT), id="short", marks=pytest.mark.slow)])
def test_chunks_are_those_of_the_test(unlike, spectraOnce, parameters, overrides):
    covered = {*SPECTRA, *SHORT, *settings.keys(settings.SPECTROGRAM, settings.INPUT)}
    assert covered == {*SPECTRA, *SHORT}, "no setting is forgotten"
    for each in overrides:
        settled = parameters("DS.dataset=Unlike", "DL.type=oNetOne", "DL.batchSize=1", "folds=2",
                             "DS.xInput=40", "chunkHop=15", *each)
        tested, tagged = givenByTest(settled), givenByPredict("m")
        assert len(tested)
        np.testing.assert_array_equal(tested, tagged, err_msg=str(each))


def givenByTest(settled):
    """Return the chunks of fold 0 that the test feeds to a network; write a model of the fold."""
    dataset = loadDatasets.load_dataset(settled)
    fold, network = loadDatasets.foldOf(dataset, 0, settled), Recorder()
    info = model_info(Trial(Run(settled, "id", 7, {}, ""), 0, 0), dataset, fold)
    models.save([np.zeros(1, np.float32)], info, "m")
    dl.testTrial(network, fold, Outcome("m", 0, 0, 0.0), settled)
    return network.given


def givenByPredict(name):
    """Return the chunks of a model's test songs that predict feeds to a network."""
    tagger, given = predict.Tagger(name), []
    for song in tagger.models[0].info.test_songs:
        recorder = Recorder()
        recorder.given, tagger.forward = [], recorder.forward
        count = len(tagger.tag(os.path.join("data/datasets/Unlike", song)).probabilities)
        given.append(np.concatenate(recorder.given)[:count])
    return np.concatenate(given)
