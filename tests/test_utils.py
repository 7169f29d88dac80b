import base64
import csv
import io
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.image import imread

import utils
from mirdl.errors import UserError
from mirdl.results import files


@pytest.fixture
def run(trained, monkeypatch):
    """The name of a run of three folds, with the process in its folder."""
    monkeypatch.chdir(trained[0])
    return trained[1]


@pytest.fixture(scope="module")
def page(trained):
    """The text of the run's report."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(trained[0])
        path = utils.report(trained[1], "data/datasets/Beats/slow/slow 0.wav")
        assert path == files.path_of(trained[1], ".html")
        with open(path, encoding="utf-8") as file:
            return file.read()


def isPicture(path):
    """Whether the file is a picture with something drawn on it."""
    return len(np.unique((255 * imread(path)[..., :3]).astype(int) @ [65536, 256, 1])) > 20


@pytest.mark.parametrize("command, ending", [((), ".png"), (("curves",), ".png"), (("confusion",), ".confusion.png"), (("filters",), ".filters.png")])
def test_pictures_are_saved_beside_the_run(run, capsys, command, ending):
    utils.main([*command, run])
    assert capsys.readouterr().out == f"{files.path_of(run, ending)}\n"
    assert isPicture(files.path_of(run, ending))


def test_curves_of_one_fold_and_of_several_runs(run):
    assert isPicture(utils.trainingEvolution(run + "-f1"))
    assert utils.curves(run, run + "-f0") == files.path_of(f"Compared_{run}_and_1_more", ".png")
    assert isPicture(files.path_of(f"Compared_{run}_and_1_more", ".png"))


def test_every_filter_is_listed(run):
    utils.filters(run)
    with open(files.path_of(run, ".filters.csv")) as file:
        rows = list(csv.DictReader(file))
    assert [int(row["frames"]) for row in rows] == [n for n in range(6, 42, 5) for _ in range(5)]
    assert float(rows[-1]["seconds"]) == pytest.approx(41 * 1024 / 44100, abs=1e-3)
    assert {row["class"] for row in rows} <= {"fast", "middle", "slow"}


def test_activations_in_a_song(run):
    path = utils.activations(run, "data/datasets/Beats/fast/fast 1.wav")
    assert path == files.path_of(run, ".activations.fast 1.png") and isPicture(path)


def test_a_song_that_cannot_be_read_is_told(run, tmp_path):
    with pytest.raises(UserError, match="'nowhere.wav' cannot be opened"):
        utils.activations(run, "nowhere.wav")
    (tmp_path / "text.wav").write_text("no audio")
    with pytest.raises(UserError, match="text.wav. cannot be decoded"):
        utils.activations(run, str(tmp_path / "text.wav"))


def test_songs_and_comparison_tell_what_the_files_say(run, trained):
    outcomes = trained[2]
    wrong = [song for outcome in outcomes for song, true, voted in zip(outcome.songs, outcome.true, outcome.voted) if true != voted]
    text = utils.songs(run)
    assert text.endswith(f"{len(wrong)} of 18 songs") and all(song in text for song in wrong) and text.count(".wav") == len(wrong)
    assert f"{np.mean([outcome.majorityVote for outcome in outcomes]):.2f} ± " in utils.compare(run, run)
    assert utils.songs(run + "-f2").endswith("of 6 songs")


class Reader(HTMLParser):
    """Gathers the captions, ids, links and pictures of a page."""

    def __init__(self):
        super().__init__()
        self.tags, self.pictures, self.ids, self.links, self.outside = [], [], set(), set(), []

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        self.ids |= {values.get("id")}
        self.links |= {values.get("href")}
        self.pictures += [values[key] for key in ("src", "srcset") if key in values]
        self.outside += [value for value in values.values() if re.match("(https?:)?//", value or "")]


def test_the_report_is_one_page_with_all_of_it(page):
    found = Reader()
    found.feed(page)
    assert found.tags.count("table") >= 4 and len(found.pictures) == 8 and not found.outside, "light and dark, nothing from elsewhere"
    for picture in found.pictures:
        assert isPicture(io.BytesIO(base64.b64decode(picture.removeprefix("data:image/png;base64,"))))
    assert {"#main", "#folds", "#training-curves", "#filters-over-time", "#activations-in-slow-0"} <= found.links
    assert {link[1:] for link in found.links if link} <= found.ids
    assert "prefers-color-scheme: dark" in page and ":focus-visible" in page and "DS.melBands" in page


@pytest.mark.skipif(not shutil.which("chromium-headless-shell") and not shutil.which("chromium"), reason="no Chromium")
def test_a_browser_shows_the_report(page, tmp_path):
    browser = shutil.which("chromium-headless-shell") or shutil.which("chromium")
    with open(tmp_path / "page.html", "w") as file:     # with what the browser itself finds, where --dump-dom shows it
        file.write(page + '<script>addEventListener("load", () => document.title = [document.images.length, '
                   '[...document.images].every(image => image.naturalWidth > 300), document.querySelectorAll("tbody tr").length > 20, '
                   'document.documentElement.scrollWidth <= innerWidth, document.querySelectorAll("a, [tabindex]").length > 8, '
                   '(skip => (skip.focus(), skip.getBoundingClientRect().left >= 0))(document.querySelector(".skip"))].join())</script>')
    shown = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--dump-dom", f"--user-data-dir={tmp_path}/profile",
                            f"file://{tmp_path}/page.html"], capture_output=True, text=True, timeout=120)
    assert "<title>4,true,true,true,true,true</title>" in shown.stdout, shown.stderr


def test_what_cannot_be_shown_is_told(run, tmp_path, monkeypatch):
    with pytest.raises(UserError, match=r"there is no run 'nothing' in data/results; the latest there: (\w+_\d{8}-\d{6}-\w{8}(, |$))+"):
        utils.main(["curves", "nothing"])
    with pytest.raises(UserError, match="'confuson' is neither a command nor the name of a run; did you mean confusion"):
        utils.main(["confuson", run])
    with pytest.raises(UserError, match=f"'{run}-f3' is none of the folds that count in CrossValidation_{run}: {run}-f0, {run}-f1, {run}-f2"):
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


def test_a_report_leaves_out_what_a_run_has_not(run, tmp_path, monkeypatch, capsys):
    shutil.copytree("data/results", tmp_path / "data/results")
    monkeypatch.chdir(tmp_path)
    shutil.move(files.path_of("CrossValidation_" + run, ".json"), files.path_of("Test_of a model", ".json"))
    with open(utils.report("Test_of a model")) as file:
        assert file.read().count("<picture>") == 2
    assert "without training curves: there is no run 'Test_of a model'" in capsys.readouterr().err
