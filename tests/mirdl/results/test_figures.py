import io
import os
import re
from dataclasses import replace
from html import unescape

import numpy as np
import pytest
from matplotlib import style
from matplotlib.colors import to_rgb
from matplotlib.font_manager import fontManager
from matplotlib.image import imread
from PIL import Image

from mirdl.results import drawing, figures, song_figures
from mirdl.results.curves import EpochFigures
from mirdl.results.filters import Activation, Filter
from mirdl.results.outcome import CrossValidation, Outcome
from mirdl.results.song_view import SongView

NAMES = ["Ty Dolla $ign & A$AP", "<b>", 'a"b', "accuracy", "macro avg", "_$x^2$",
         r"\$\frac{", "50%"]


def texts_on(figure):
    """Write the figure; give the texts on it and the picture."""
    file = io.BytesIO()
    drawing.write(figure, file, dpi=60)
    figure.set_layout_engine("none")        # all is in its place
    with style.context({"svg.fonttype": "none"}):
        svg = io.StringIO()
        figure.savefig(svg, format="svg")
    file.seek(0)
    return [unescape(text) for text in re.findall("<text[^>]*>([^<]*)<", svg.getvalue())], imread(
        file)


def training(epochs=3, loss=1.0):
    x = np.arange(float(epochs))
    return EpochFigures(x, loss / (x + 1), 30 * x, 1.1 * loss / (x + 1), 25 * x)


def result(classes, voted=None):
    labels = list(range(len(classes)))
    outcome = Outcome("n-f0", 3, 1, 60.0, songs=[f"{tag}/1.wav" for tag in classes], true=labels,
                      votes=np.eye(len(labels), dtype=int).tolist(), voted=voted or labels)
    return CrossValidation({"folds": 1}, list(classes), 7, [outcome])


def bank(classes, lengths=(6, 100), each=2):
    rng = np.random.RandomState(2)
    return [Filter(rng.normal(size=n), 0.0, 43.0, np.eye(classes)[[place % classes]])
            for n in lengths for place in range(each)]


def test_names_of_classes_are_drawn_as_they_are():
    texts, _ = texts_on(figures.confusion(result(NAMES), "_$My$ run"))
    assert {*NAMES, "_$My$ run", "8 of 8 songs right (100.0 %)"} <= set(texts)
    assert {f"{name} (1)" for name in NAMES} <= set(texts)
    texts, _ = texts_on(figures.filters(bank(len(NAMES), each=8), NAMES, "_$My$ run"))
    assert {name for name in NAMES if len(name) <= 16} | {"_$My$ run"} <= set(texts)


def test_names_of_runs_are_drawn_as_they_are():
    texts, _ = texts_on(figures.curves({"_$My$ data_oNetOne_1": [training()]}))
    assert {"_$My$ data_oNetOne_1", "training", "validation"} <= set(texts)
    names = ["_$a$", "b$", r"\$c", "d"]
    texts, _ = texts_on(figures.curves({name: [training()] for name in names}))
    assert set(names) <= set(texts)


def test_accuracies_of_test_songs_are_lines_with_their_names():
    figure = figures.curves({"a": [training()]}, {"vgg by majority vote": 83.04,
                                                  "random forest": 62.5})
    texts, _ = texts_on(figure)
    assert {"vgg by majority vote: 83.0 % of test songs", "random forest: 62.5 % of test songs",
            "accuracy of chunks (%)"} <= set(texts)
    losses, accuracies = figure.axes
    assert len(losses.lines) == 2
    assert [line.get_ydata() for line in accuracies.lines[2:]] == [[83.04] * 2, [62.5] * 2]


def test_curves_say_of_how_many_trainings_they_are():
    five, four = [training()] * 5, [training()] * 4
    texts, _ = texts_on(figures.curves({"a": [*five, training(0)]}))
    assert "mean and standard deviation over 5 trainings" in texts, "one has not begun"
    texts, _ = texts_on(figures.curves({"a": five, "b": four, "c": [training()]}))
    assert {"mean and standard deviation", "a, 5 trainings", "b, 4 trainings", "c"} <= set(texts)


def view_of(title, tag, by, hertz=(100.0, 300.0, 1000.0, 4000.0)):
    return SongView(title, by, [tag, "b"], 0, np.ones((4, 120)), np.array(hertz), 3.0,
                    np.array([[0, 3.0]]), np.array([[0.9, 0.1]]), [(0, 3.0, 0, 0.9)])


def test_names_of_songs_are_drawn_as_they_are():
    view = view_of("Yelle - Ba$$in", NAMES[0], "_$My$ run-f0")
    fired = [Activation(each, np.ones((4, 30)), 0.5) for each in bank(2)]
    texts, _ = texts_on(song_figures.activations(view, fired))
    assert {f"Yelle - Ba$$in: {NAMES[0]}", "by _$My$ run-f0", "100 Hz", "1 kHz"} <= set(texts)
    assert any(f"adds 0.50 to {NAMES[0]}, most around 100 Hz" in text for text in texts)
    texts, _ = texts_on(song_figures.occlusion(view, np.array([[0, 0.5], [0, -0.1]])))
    assert {f"Yelle - Ba$$in: {NAMES[0]}", "by _$My$ run-f0", NAMES[0], "b"} <= set(texts)
    assert ("hiding 100 Hz to 300 Hz around 2.2 s lowers its mean probability most, from 0.900 to "
            "0.400") in texts
    assert "time (s)" in texts
    view = replace(view, by="majority vote of a, b-f0, for which it was a test song",
                   times=np.array([[0, 2.5]]))
    texts, _ = texts_on(song_figures.occlusion(view, np.array([[0.0, 0.0004], [0, -0.3]])))
    assert {"by majority vote of a, b-f0,", "for which it was a test song",
            "hiding any place lowers its mean probability of 0.900 by less than 0.001",
            "time (s); the last chunk, from 2.5 s, has no vote"} <= set(texts)


def test_ticks_of_a_logarithmic_axis_are_numbers():
    for loss, expected in ((1.0, {"0.5", "1"}), (1e4, {"5000", "10000"}), (1e-3, {"0.001"})):
        texts, _ = texts_on(figures.curves({"a": [training(loss=loss)]}))
        assert expected <= set(texts) and not any("mathdefault" in text for text in texts)


@pytest.fixture
def no_other_font(monkeypatch):
    monkeypatch.setattr(fontManager, "ttflist", [font for font in fontManager.ttflist
                                                 if font.name == drawing.FONT])
    drawing._fonts_for.cache_clear()
    drawing._told.clear()
    yield
    drawing._fonts_for.cache_clear()
    drawing._told.clear()


@pytest.mark.filterwarnings("ignore:Glyph .* missing")      # the test's own SVG
def test_letters_that_no_font_has_are_told_once(no_other_font, capsys):
    for _ in range(2):
        texts, _ = texts_on(figures.confusion(result(["a", "祭り"]), "run"))
        assert "祭り" in texts
    assert capsys.readouterr().err == (
        "Note: no font on this machine has 'り祭': pictures show boxes instead; install one, for "
        "instance Noto Sans CJK\n")
    texts_on(figures.confusion(result(["a", "b\u0301ã"]), "run"))
    assert capsys.readouterr().err == ""


def test_another_font_has_the_letters_that_the_first_one_lacks(capsys, caplog):
    letters = drawing._letters_of("STIXGeneral") - drawing._letters_of(drawing.FONT)
    letter = min(filter(str.isalpha, letters))
    figure = figures.confusion(result(["a", letter]), "run")
    texts, _ = texts_on(figure)
    [_, other] = figure.axes[0].xaxis.get_ticklabels()[0].get_fontfamily()
    assert letter in texts and letter in drawing._letters_of(other) and not caplog.records
    assert capsys.readouterr().err == ""


def test_control_characters_are_escaped():
    texts, _ = texts_on(figures.confusion(result(["a\nb", "c\udcff"]), "run"))
    assert {r"a\nb", r"c\udcff"} <= set(texts)


def test_long_names_lie_on_one_line_below_the_matrix_and_on_two_beside_filters():
    tag = "Percussion ensemble with many voices of the northern islands"
    texts, _ = texts_on(figures.confusion(result(["a", tag]), "run"))
    assert "Percussion ensemble…" in texts
    assert "Percussion ensemble with" in texts, "beside it, all of the name"
    texts, _ = texts_on(figures.filters(bank(2), ["a", tag], "run"))
    assert {"Percussion", "ensemble with…", "no tempo"} <= set(texts)


def test_thirty_classes_have_colours_of_their_own():
    colors = np.array([to_rgb(drawing.color_of(label)) for label in range(30)])
    apart = np.abs(colors[:, None] - colors).max(axis=2) + np.eye(30)
    assert apart.min() > 0.05 and np.abs(np.diff(colors, axis=0)).max(axis=1).min() > 0.3
    assert drawing.color_of(None) == "grey"


def test_what_a_picture_shows_is_in_words(tmp_path):
    outcome = result(["a", "b"], voted=[1, 1])
    figure = figures.confusion(outcome, "run")
    assert figure.get_label() == "run: 1 of 2 songs right (50.0 %); a taken for b (1 of 1 song)"
    figure = figures.curves({"one": [training()], "other": [training(2)]})
    assert figure.get_label() == (
        "Loss and accuracy over the epochs: one ends after 3 epochs with 50.0 % of validation "
        "chunks right; other ends after 2 epochs with 25.0 % of validation chunks right")
    wave = Filter(np.sin(2 * np.pi * np.arange(100) / 21.5), 0.0, 43.0, None)
    figure = figures.filters([*bank(2, lengths=(6,)), wave], ["a", "b"], "run-f0")
    assert figure.get_label() == (
        "3 filters over time of run-f0, of 6 to 100 frames; 1 with a tempo, from 120 to 120 BPM")
    path = drawing.save(figure, str(tmp_path / "filters.png"))
    assert Image.open(path).text["Description"] == figure.get_label()


@pytest.mark.filterwarnings("ignore:Glyph .* missing")
@pytest.mark.parametrize("tag", [
    pytest.param("a very long tag of many words that one may call a sentence",
                 marks=pytest.mark.slow),
    "OneVeryLongWordOfManyLetters" * 3, pytest.param("祭" * 40, marks=pytest.mark.slow)])
def test_long_names_are_not_clipped(tag):
    """Nothing is drawn on the edge of the picture."""
    drawings = [figures.confusion(result(["a", tag]), tag),
                figures.curves({tag * 3: [training()]}),
                figures.curves({tag * 3: [training()], "b": [training()]}),
                figures.filters(bank(2), ["a", tag], tag),
                song_figures.activations(view_of(tag, tag, tag), [
                    Activation(bank(2)[0], np.ones((4, 115)), 0.5)]),
                song_figures.occlusion(view_of(tag, tag, tag), np.ones((2, 12))),
                figures.confusion(result([str(n) for n in range(30)] + [tag], [30] * 31), tag)]
    for figure in drawings:
        _, picture = texts_on(figure)
        edges = [picture[0], picture[-1], picture[:, 0], picture[:, -1]]
        assert all((edge[:, :3] == 1).all() for edge in edges)


def test_of_many_classes_the_worst_pairs_are_drawn():
    """Class 0 is given to 3 songs, class 5 to 2 of another class, class 7 to one of another."""
    most = [str(n) for n in range(figures.MOST_CLASSES)]
    texts, _ = texts_on(figures.confusion(result(most), "run"))
    assert texts.count("100 %") == len(most) and {"voted", "24 (1)"} <= set(texts)

    many = result([*most, "one more"])
    [outcome] = many.outcomes
    outcome.true, outcome.voted = [1, 1, 1, 1, 2, 2, 3, 25], [0, 0, 0, 1, 5, 5, 7, 999]
    texts, _ = texts_on(figures.confusion(many, "run"))
    bars = [text for text in texts if "→" in text or " of " in text and "songs" not in text]
    assert bars[:3] == ["1 → 0", "2 → 5", "3 → 7"]
    assert {"3 of 4", "2 of 2", "1 of 1", "1 of 8 songs right (12.5 %)"} <= set(texts)
    assert any(text.endswith("the 3 most frequent of 3 confusions") for text in texts)

    outcome.voted = outcome.true
    texts, _ = texts_on(figures.confusion(many, "run"))
    assert "8 of 8 songs right (100.0 %)" in texts

    outcome.true = list(range(26)) * 2
    outcome.voted = [(n + 1 + n // 26) % 26 for n in range(52)]
    texts, _ = texts_on(figures.confusion(many, "run"))
    assert any(f"the {figures.MOST_PAIRS} most frequent of 52 confusions" in text for text in texts)
    assert sum("→" in text for text in texts) == figures.MOST_PAIRS


def test_songs_without_votes_count_as_wrong():
    texts, _ = texts_on(figures.confusion(result(["a", "b"], voted=[0, 999]), "run"))
    assert "1 of 2 songs right (50.0 %)" in texts and {"a (1)", "b (1)"} <= set(texts)


@pytest.mark.parametrize("most, longest", [
    (20, 16), pytest.param(figures.MOST_FILTERS, 106, marks=pytest.mark.slow)])
def test_of_many_filters_the_weightiest_are_drawn(monkeypatch, most, longest):
    monkeypatch.setattr(figures, "MOST_FILTERS", most)
    many = bank(2, lengths=range(6, longest), each=7)
    texts, _ = texts_on(figures.filters(many, ["a", "b"], "run"))
    assert any("the 5 of each length that weigh most" in text for text in texts)


def test_folds_of_different_length_and_without_a_finite_loss():
    figure = figures.curves({"run": [training(3), training(5), training(1, loss=float("nan"))]})
    losses, accuracies = figure.axes
    assert len(losses.lines[0].get_xdata()) == 5
    assert losses.lines[0].get_ydata()[4] == pytest.approx(1 / 5)
    texts, _ = texts_on(figure)
    assert "mean and standard deviation over 3 trainings" in texts


def test_without_validation_songs_only_the_training_is_drawn():
    nan = np.full(3, np.nan)
    alone = training(3)._replace(validation_loss=nan, validation_accuracy=nan)
    texts, _ = texts_on(figures.curves({"run": [alone]}))
    assert "training" in texts and "validation" not in texts
    texts, _ = texts_on(figures.curves({"one": [alone], "other": [training(3)]}))
    assert {"one", "other"} <= set(texts)


def test_dark_pictures_are_dark(workplace):
    with style.context("dark_background"):
        path = drawing.save(figures.confusion(result(["a", "b"]), "run"), "data/dark.png")
    assert imread(path)[0, 0, :3].tolist() == [0, 0, 0] and os.listdir("data/results") == []
