import base64
import csv
import io
import os
import re
import shutil
import subprocess
import sys
from html.parser import HTMLParser
from types import SimpleNamespace
from urllib.parse import quote, unquote

import numpy as np
import pytest
import soundfile
from conftest import ROOT
from PIL import Image

import utils
from mirdl.errors import UserError
from mirdl.results import files, models
from mirdl.results.tables import misclassified
from mirdl.tagging import occlusion, players
from mirdl.tagging.answer import Answer
from mirdl.tagging.segments import Segment


@pytest.fixture
def run(trained, monkeypatch):
    """Return the name of a run of three folds, in whose folder the process is."""
    monkeypatch.chdir(trained[0])
    return trained[1]


@pytest.fixture(scope="module")
def page(trained):
    """Return the text of the run's report."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(trained[0])
        path = utils.report(trained[1], "data/datasets/Beats/slow/slow 0.wav")
        assert path == files.path_of(trained[1], ".html")
        with open(path, encoding="utf-8") as file:
            return file.read()


def isPicture(path):
    """Tell whether the file is a picture with something drawn on it."""
    return len(np.unique(np.array(Image.open(path).convert("RGBA")).reshape(-1, 4), axis=0)) > 5


@pytest.mark.parametrize("command, ending", [
    ((), ".png"), (("curves",), ".png"), (("confusion",), ".confusion.png"),
    (("filters",), ".filters.png")])
def test_pictures_are_saved_beside_the_run(run, capsys, command, ending):
    utils.main([*command, run])
    assert capsys.readouterr().out == f"{files.path_of(run, ending)}\n"
    assert isPicture(files.path_of(run, ending))


def test_curves_of_one_fold_and_of_several_runs(run):
    assert utils.trainingEvolution(run + "-f1") == files.path_of(run + "-f1", ".png")
    assert isPicture(files.path_of(run + "-f1", ".png"))
    assert utils.curves(run, run + "-f0") == files.path_of(f"Compared_{run}_and_1_more", ".png")
    assert isPicture(files.path_of(f"Compared_{run}_and_1_more", ".png"))


def test_one_name_calls_what_the_original_promised(monkeypatch, capsys):
    monkeypatch.setattr(utils, "trainingEvolution", lambda name: f"drawn: {name}")
    utils.main(["a run"])
    utils.main(["curves", "a run"])
    assert capsys.readouterr().out == "drawn: a run\ndrawn: a run\n"


def test_the_learning_curve_is_drawn_over_the_shares_of_songs(finished_run, monkeypatch):
    drawn, names = [], [finished_run(), finished_run(dataset="Others")]
    monkeypatch.setattr(utils, "save", lambda figure, path: drawn.append(figure) or path)
    original = utils.files.read_outcomes

    def read(name):     # the second run, with half of the songs
        result = original(name)
        result.parameters["trainShare"] = 0.5 if name == names[1] else 1.0
        return result
    monkeypatch.setattr(utils.files, "read_outcomes", read)
    assert utils.learning(*names) == f"data/results/Learning_{names[0]}_and_1_more.png"
    [axes] = drawn[0].axes
    votes, = axes.containers
    assert votes.lines[0].get_xdata().tolist() == [50, 100]
    assert votes.lines[0].get_ydata().tolist() == [75, 75]
    assert "by songs" in axes.get_title()


def test_every_filter_is_listed(run):
    utils.filters(run)
    with open(files.path_of(run, ".filters.csv")) as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frames"]) for row in rows] == [n for n in range(6, 42, 5) for _ in range(5)]
    assert float(rows[-1]["seconds"]) == pytest.approx(41 * 1024 / 44100, abs=1e-3)
    assert {row["class"] for row in rows} <= {"fast", "middle", "slow"}


def test_activations_in_songs(run, tmp_path):
    song = "data/datasets/Beats/fast/fast 1.wav"
    others = [shutil.copy(song, tmp_path / name) for name in ("Yelle - Ba$$in.wav", "祭り.wav",
                                                              "fast 1.WAV")]
    paths = utils.activations(run, song, *map(str, others)).split("\n")
    assert paths == [files.path_of(run, f".activations.{title}.png")
                     for title in ("fast 1", "Yelle - Ba$$in", "祭り", "fast 1-2")]
    assert all(map(isPicture, paths))
    assert utils.occlusion(run, song) == files.path_of(run, ".occlusion.fast 1.png")
    assert isPicture(files.path_of(run, ".occlusion.fast 1.png"))


@pytest.mark.parametrize("command", ["curves", "filters", "activations", "songs", "report"])
def test_a_published_model_is_no_run(command):
    with pytest.raises(UserError, match=f"{command} needs the name of a run; 'musicnn-MTT' is a "
                                        "published model.*utils.py occlusion and predict.py"):
        utils.main([command, "musicnn-MTT", "song.wav"])


@pytest.mark.slow
def test_musicnn_shows_where_it_finds_its_tag(musicnn_weights, beats, monkeypatch):
    views = []
    monkeypatch.setattr(utils.song_figures, "occlusion", lambda *drawn: views.append(drawn))
    utils._occlusion(str(beats / "slow" / "slow 0.wav"), "slow 0", "musicnn-MTT")
    [(view, losses)] = views
    assert view.by == "mean probability of musicnn-MTT" and len(view.classes) == 50
    assert losses.shape == (5, 36) and losses.max() > 0


def test_a_song_that_cannot_be_read_is_told(run, tmp_path):
    with pytest.raises(UserError, match="there is no file or folder 'nowhere.wav'"):
        utils.activations(run, "nowhere.wav")
    (tmp_path / "text.wav").write_text("no audio")
    with pytest.raises(UserError, match="text.wav. cannot be decoded"):
        utils.activations(run, str(tmp_path / "text.wav"))


def test_a_test_song_has_the_class_that_the_run_gave_it(run, trained):
    """It is answered by the model that was tested on it, not by the best one."""
    outcomes = trained[2]
    worst = min(outcomes, key=lambda outcome: outcome.validation)
    wrong = [true != voted for true, voted in zip(worst.true, worst.voted, strict=True)]
    place = np.argmax(wrong)
    view = utils._view(f"data/datasets/Beats/{worst.songs[place]}", "a title", run)[2]
    assert view.tag == ["fast", "middle", "slow"][worst.voted[place]]
    assert view.by == f"majority vote of {worst.name}, for which it was a test song"


def test_songs_and_comparison_tell_what_the_files_say(run, trained):
    outcomes = trained[2]
    wrong = [song for outcome in outcomes
             for song, true, voted in zip(outcome.songs, outcome.true, outcome.voted, strict=True)
             if true != voted]
    text = utils.songs(run)
    assert text.endswith(f"{len(wrong)} of 18 songs") and text.count(".wav") == len(wrong)
    assert all(song in text for song in wrong)
    mean = np.mean([outcome.majority_vote for outcome in outcomes])
    assert f"{mean:.2f} ± " in utils.compare(run, run)
    assert utils.songs(run + "-f2").endswith("of 6 songs")


class Reader(HTMLParser):
    """Gathers the captions, ids, links, pictures and sounds of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.pictures, self.ids, self.links, self.outside = [], [], set(), set(), []
        self.sounds = []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        self.ids |= {values.get("id")}
        self.links |= {values.get("href")}
        addresses = [values[key] for key in ("src", "srcset") if key in values]
        (self.sounds if tag == "audio" else self.pictures).extend(addresses)
        self.outside += [value for value in values.values()
                         if re.match("(https?:)?//", value or "")]


def test_the_report_is_one_page_with_all_of_it(page):
    found = Reader()
    found.feed(page)
    assert found.tags.count("table") >= 4 and found.tags.count("picture") == 4, "light and dark"
    assert not found.outside, "nothing from elsewhere"
    drawn = [isPicture(io.BytesIO(base64.b64decode(picture.partition(";base64,")[2])))
             for picture in found.pictures]
    # an occlusion map is empty where nothing is lost
    assert sum(drawn) >= 8 + len(found.sounds), "light, dark; a spectrogram of each song"
    assert {"#main", "#folds", "#training-curves", "#filters-over-time",
            "#song-slow-0",
            "#reliability-of-probabilities"} <= found.links
    assert {link[1:] for link in found.links if link} <= found.ids
    assert all(part in page for part in ("prefers-color-scheme: dark", ":focus-visible",
                                         "DS.melBands"))


def heard(address):
    """Decode the sound at an address."""
    if address.startswith("data:"):
        return soundfile.read(io.BytesIO(base64.b64decode(
            address.removeprefix("data:audio/ogg;base64,"))))[0]
    return soundfile.read(os.path.join("data/results", unquote(address)))[0]


def test_songs_can_be_heard_on_the_report(page, run, trained):
    """The one that was asked for, and those misclassified, in the order of their table."""
    found = Reader()
    found.feed(page)
    wrong = re.findall("<summary>(.*?): ", page)
    assert wrong == [row["song"] for row in misclassified(files.read_outcomes(run))] != []
    for song, address in zip(["slow/slow 0.wav", *wrong], found.sounds, strict=True):
        samples, rate = soundfile.read(f"data/datasets/Beats/{song}")
        assert rate == 44100 and np.corrcoef(heard(address), samples)[0, 1] > 0.7
    assert found.tags.count("input") == len(found.sounds)
    assert {f"#wrong-{number + 1}" for number in range(len(wrong))} <= found.links
    for outcome in trained[2]:
        for song in set(outcome.songs) & set(wrong):
            voted = outcome.voted[outcome.songs.index(song)]
            said = (f"{['fast', 'middle', 'slow'][voted]} by majority vote of {outcome.name}, for "
                    "which it was a test song")
            assert said in page.partition(f"<summary>{song}")[2].partition("</details>")[0]


def test_many_sounds_are_beside_the_page(run, monkeypatch):
    monkeypatch.setattr(players, "INSIDE", 1000)
    with open(utils.report(run), encoding="utf-8") as file:
        found = Reader()
        found.feed(file.read())
    names = sorted(os.listdir(files.path_of(run, ".sounds")))
    assert [f"{quote(run)}.sounds/{name}" for name in names] == found.sounds != []
    assert all(len(heard(address)) == 9 * 44100 for address in found.sounds)


BROWSER = shutil.which("chromium-headless-shell") or shutil.which("chromium")
# what the browser finds, put where --dump-dom shows it
LOOK = """<script>addEventListener("load", () => {
  const skip = document.querySelector(".skip");
  skip.focus();
  const pictures = [...document.querySelectorAll("picture img")];
  const [sound, line] = [document.querySelector("audio"), document.querySelector(".lanes input")];
  line.value = 3;
  line.dispatchEvent(new Event("input"));
  line.dispatchEvent(new KeyboardEvent("keydown", {key: "ArrowRight"}));
  document.title = [
    pictures.length,
    pictures.every(image => image.naturalWidth > 300),
    [...document.images].every(image => image.naturalWidth > 0),
    document.querySelectorAll("tbody tr").length > 20,
    document.documentElement.scrollWidth <= innerWidth,
    document.querySelectorAll("a, [tabindex]").length > 8,
    skip.getBoundingClientRect().left >= 0,
    sound.currentTime,
    line.ariaValueText.startsWith("4.0 s: ")].join();
})</script>"""


@pytest.mark.skipif(not BROWSER, reason="no Chromium")
def test_a_browser_shows_the_report(page, tmp_path):
    with open(tmp_path / "page.html", "w", encoding="utf-8") as file:
        file.write(page + LOOK)
    shown = subprocess.run(
        [BROWSER, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom",
         f"--user-data-dir={tmp_path}/profile", f"file://{tmp_path}/page.html"],
        capture_output=True, text=True, timeout=120)
    assert "<title>4,true,true,true,true,true,true,4,true</title>" in shown.stdout, shown.stderr


def test_what_cannot_be_shown_is_told(run, tmp_path, monkeypatch):
    latest = r"(\w+_\d{8}-\d{6}-\w{8}(, |$))+"
    with pytest.raises(UserError, match="there is no run 'nothing' in data/results; the latest "
                                        f"there: {latest}"):
        utils.main(["curves", "nothing"])
    with pytest.raises(UserError, match="'confuson' is neither a command nor the name of a run; "
                                        "did you mean confusion"):
        utils.main(["confuson", run])
    with pytest.raises(UserError, match=f"'{run}-f3' is not one of the folds that count in "
                                        f"CrossValidation_{run}: {run}-f0, {run}-f1, {run}-f2"):
        utils.main(["confusion", run + "-f3"])
    with pytest.raises(UserError, match=r"confusion takes 1 name\(s\), 2 given"):
        utils.main(["confusion", "a", "b"])
    with pytest.raises(UserError, match=r"curves takes 1 or more name\(s\), 0 given"):
        utils.main([])
    shutil.copytree("data/results", tmp_path / "data/results")
    monkeypatch.chdir(tmp_path)
    os.unlink(files.path_of("CrossValidation_" + run, ".json"))
    with pytest.raises(UserError, match="has not ended"):
        utils.main(["songs", run])


def test_a_report_leaves_out_what_a_run_does_not_have(finished_run, capsys):
    name = finished_run()
    os.rename(files.path_of("CrossValidation_" + name, ".json"),
              files.path_of("Test_of a model", ".json"))
    with open(utils.report("Test_of a model"), encoding="utf-8") as file:
        assert file.read().count("<picture>") == 2
    assert "without training curves: there is no run 'Test_of a model'" in capsys.readouterr().err


def test_a_run_that_tested_only_chunks_has_no_misclassified_songs(finished_run):
    run = finished_run()
    result = files.read_outcomes(run)
    for outcome in result.outcomes:
        outcome.true, outcome.voted, outcome.votes = [], [], []
    files.write_cross_validation(result, "CrossValidation_" + run)
    for command in (utils.songs, utils.confusion):
        with pytest.raises(UserError, match=f"'{run}' has no votes of songs.*utterances"):
            command(run)


def test_a_model_that_was_written_anew_is_read_anew(monkeypatch):
    monkeypatch.setattr(utils, "Tagger", lambda name, networks, by: object())
    first = utils._tagger("a", 1)
    assert utils._tagger("a", 1) is first
    assert utils._tagger("a", 2) is not first


NAMES = ["Ty Dolla $ign & A$AP", "<b>", 'a"b', "accuracy", "macro avg", "祭り"]


@pytest.fixture
def tagger(monkeypatch, parameters):
    """Stands for a model that gives all songs the first class; 'silence.wav' it cannot read."""
    spectrogram = np.random.RandomState(0).normal(size=(40, 90)).astype(np.float32)

    def tag(song):
        if "silence" in song:
            raise UserError(f"{song!r} cannot be decoded")
        return Answer(song, 0, answers[:1], np.zeros(1), spectrogram, 90,
                      segments=[Segment(0, 2.1, 0, 0.5)], length=2.1,
                      times=np.array([[0, 2.1]]))
    answers = np.full((occlusion.BATCH, len(NAMES)), 1 / len(NAMES))
    settled = parameters("DS.xInput=90")

    def stand_in(model, written, by):
        return SimpleNamespace(tag=tag, parameters=settled, classes=NAMES,
                               models=[models.load(model)],
                               network=lambda: SimpleNamespace(forward=lambda x: answers))
    monkeypatch.setattr(utils, "_tagger", stand_in)


@pytest.mark.parametrize("command, ending", [
    ("curves", ".png"), ("confusion", ".confusion.png"), ("filters", ".filters.png"),
    ("activations", ".activations.Yelle - Ba$$in.png"),
    ("occlusion", ".occlusion.Yelle - Ba$$in.png"),
    pytest.param("report", ".html", marks=pytest.mark.slow)])
def test_any_name_can_be_shown(finished_run, tagger, capsys, command, ending):
    run = finished_run(NAMES, dataset="_$My$ & data")
    songs = ["Yelle - Ba$$in.wav"] if command in ("activations", "occlusion", "report") else []
    capsys.readouterr()
    utils.main([command, run, *songs])
    said = capsys.readouterr()
    assert said.out == f"{files.path_of(run, ending)}\n"
    assert "Traceback" not in said.err
    assert ("without" in said.err) == (command == "report"), "the songs are not there"
    if command != "report":
        assert isPicture(files.path_of(run, ending))


def test_texts_hold_names_as_they_are(finished_run):
    run = finished_run(NAMES, dataset="_$My$ & data")
    assert re.split("  +", utils.songs(run).split("\n")[1]) == [
        "Ty Dolla $ign & A$AP/0.wav", "Ty Dolla $ign & A$AP", "<b>", "<b> 3", "-f0"]
    assert f"\n{run}       4,188" in utils.compare(run)
    utils.filters(run)
    with open(files.path_of(run, ".filters.csv"), encoding="utf-8") as file:
        assert {row["class"] for row in csv.DictReader(file)} <= set(NAMES)


@pytest.mark.slow
def test_each_song_has_a_picture_of_its_own(finished_run, tagger):
    run = finished_run()
    paths = utils.activations(run, "one/01.wav", "two/01.wav", "two/01.mp3", "音楽/祭り.wav",
                              "音楽/踊り.wav", "one/01.wav").split("\n")
    assert paths == [files.path_of(run, f".activations.{title}.png")
                     for title in ("01", "01-2", "01-3", "祭り", "踊り")]
    assert all(map(isPicture, paths))
    [path] = utils.activations(run, "祭" * 80 + ".wav").split("\n")
    assert isPicture(path) and len(os.path.basename(path).encode()) <= 255


@pytest.mark.slow
def test_each_song_is_in_the_report(finished_run, tagger, capsys):
    run = finished_run()
    songs = ["one/01.wav", "two/01.wav", "音楽/祭り.wav", "音楽/踊り.wav", "silence.wav"]
    with open(utils.report(run, *songs), encoding="utf-8") as file:
        page = file.read()
    for title in ("one/01.wav", "two/01.wav", "祭り", "踊り"):
        assert f">Song {title}</h2>" in page
    assert page.count("<picture>") == 3 and page.count('class="song"') == 4
    assert capsys.readouterr().err == (
        "without song silence: 'silence.wav' cannot be decoded\n"
        "without 2 players of misclassified songs: there is no file "
        "'data/datasets/Beats/slow/0.wav'\n")


def test_what_is_drawn_in_vain_costs_its_part(finished_run, monkeypatch, capsys):
    run = finished_run()
    monkeypatch.setattr(utils.figures, "confusion", lambda *arguments: 1 / 0)
    with open(utils.report(run), encoding="utf-8") as file:
        assert file.read().count("<picture>") == 2
    assert capsys.readouterr().err.startswith(
        "without confusion of songs: ZeroDivisionError: division by zero\n")


@pytest.mark.slow
def test_a_run_of_an_earlier_version_is_shown(workplace):
    shutil.copytree(os.path.join(ROOT, "tests", "before", "done"), "data/results",
                    dirs_exist_ok=True)
    run = "Clicks_oNetOne_20261126-011605-7329577f"
    assert utils.songs(run).endswith("quick 3, slow 1  -f1\n1 of 6 songs")
    assert "83.33 ± 23.57" in utils.compare(run)
    for path in (utils.trainingEvolution(run), utils.confusion(run), utils.filters(run)):
        assert isPicture(path)
    with open(utils.report(run), encoding="utf-8") as file:
        assert file.read().count("<picture>") == 3


def test_export_names_the_file_of_the_packages_that_it_needs(run, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("mirdl.export")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(UserError, match="export needs the package onnx: "
                                        "pip install -r requirements-export.txt"):
        utils.main(["export", run])
    assert not os.path.exists(files.path_of(run, ".onnx"))
