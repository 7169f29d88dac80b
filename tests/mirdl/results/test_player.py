import base64
import io
import re
from html.parser import HTMLParser

import numpy as np
import pytest
from matplotlib.image import imread

from mirdl.results import player
from mirdl.results.filters import Activation, Filter
from mirdl.results.song_view import SongView

CLASSES = ["waltz", "<tango>", "samba"]
LENGTH = 10.0


@pytest.fixture
def view():
    """A song of 10 s and 400 frames, whose loudest band is the third of four after 2.5 s."""
    spectrogram = np.zeros((4, 400), np.float32)
    spectrogram[2, 100] = 1
    return SongView(
        "a & b", "majority vote of m-f0, for which it was a test song", CLASSES, 1, spectrogram,
        np.array([100.0, 300, 1000, 4000]), LENGTH, np.array([[0, 4], [4, 6], [6, 10.0]]),
        np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.1, 0.9, 0.0]]),
        [(0, 4, 0, 0.8), (4, 10, 1, 0.8)])


class Reader(HTMLParser):
    """Gathers tags with their attributes, and texts."""

    def __init__(self, page):
        super().__init__()
        self.tags, self.texts = [], []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_data(self, text):
        self.texts.append(text)

    def all(self, tag):
        return [attributes for name, attributes in self.tags if name == tag]


def picture(attributes):
    png = base64.b64decode(attributes["src"].removeprefix("data:image/png;base64,"))
    return imread(io.BytesIO(png))      # (bands, times, red green blue alpha), the highest first


def test_the_line_of_time_is_that_of_the_song(view):
    found = Reader(player.html(view, None, [], "data:audio/ogg;base64,T2dn"))
    [sound], [line] = found.all("audio"), found.all("input")
    assert sound["src"] == "data:audio/ogg;base64,T2dn" and "controls" in sound
    assert (line["type"], line["min"], line["max"]) == ("range", "0", "10.000")
    assert line["aria-label"] == "Time in a & b"
    spans = [each for each in found.all("span") if "data-end" in each]
    assert [each["data-end"] for each in spans] == ["4.000", "10.000"]
    assert [re.findall(r"[\d.]+%", each["style"]) for each in spans] == [
        ["0.000%", "40.000%"], ["40.000%", "60.000%"]]
    assert "<tango> by majority vote of m-f0, for which it was a test song" in found.texts


def test_without_sound_nothing_can_be_clicked(view):
    found = Reader(player.html(view, None, [], ""))
    assert not found.all("audio") and not found.all("input") and len(found.all("img")) == 1


def test_probabilities_are_steps_over_time(view):
    found = Reader(player.html(view, None, [], ""))
    curves = {each["points"]: each for each in found.all("polyline")}
    tango = "0.0,90.0 400.0,90.0 400.0,30.0 600.0,30.0 600.0,10.0 1000.0,10.0"
    assert len(curves) == 3 and curves[tango]["stroke-width"] == "3"
    assert len({each["stroke"] for each in curves.values()}) == 3
    [said] = [each["aria-label"] for each in found.all("svg")]
    assert said.startswith("<tango>: mean 0.57, at most 0.90 around 8.0 s; waltz: mean 0.37")


def test_pictures_show_bands_from_below(view):
    losses = np.array([[0.0, 0, 0, 0, 0], [0, 0, 0, 0.5, -0.25]])
    found = Reader(player.html(view, losses, [], ""))
    spectrogram, occlusion = map(picture, found.all("img"))
    assert spectrogram.shape == (4, 400, 4)
    assert np.unravel_index(spectrogram[..., 3].argmax(), (4, 400)) == (1, 100)
    assert occlusion[..., 3].round(2).tolist() == [[0, 0, 0, 1, 0.5], [0] * 5]
    assert occlusion[0, 3, 2] > occlusion[0, 3, 0], "blue where it loses"
    assert occlusion[0, 4, 2] < occlusion[0, 4, 0], "red where it gains"
    assert any("hiding 1 kHz to 4 kHz around 7.0 s lowers its mean probability most, from 0.567 to "
               "0.067. Hiding a purple" in text for text in found.texts)
    heights = {text: each["style"] for text, each in zip(
        [text for text in found.texts if re.fullmatch(r"[\d.]+ k?Hz", text)],
        [each for each in found.all("span") if each.get("class") == "hertz"], strict=True)}
    assert heights["100 Hz"] == "bottom:12.5%" and heights["1 kHz"] == "bottom:62.5%"


def test_what_loses_nothing_is_said(view):
    page = player.html(view, np.array([[-1.0, 0]]), [], "")
    assert "hiding any place lowers its mean probability of 0.567 by less than 0.001" in page
    unseen = Reader(player.html(view, np.array([[0.0002, -0.0004]]), [], ""))
    assert picture(unseen.all("img")[1])[..., 3].max() < 0.5, "what is not said is faint"


def test_a_wrong_tag_is_explained(view):
    said = ("Classified as <tango> by 2 of 3 chunks, with a mean probability of 0.57; its own tag, "
            "samba, has 0.07. <tango> is likeliest from 6.0 to 10.0 s, with 0.90.")
    assert said in Reader(player.html(view, None, [], "", "samba")).texts
    assert "Classified as" not in player.html(view, None, [], "")


def test_a_chunk_without_vote_is_told(view):
    assert "has no vote" not in player.html(view, None, [], "")
    view.times[-1, 1] = 8
    texts = Reader(player.html(view, None, [], "")).texts
    assert "The likeliest class of each stretch of time; the last chunk, from 8.0 s, has no vote" \
        in texts
    assert any(text.startswith("Probabilities of the chunks that vote, from 0") for text in texts)


def test_filters_respond_in_the_middle_of_their_frames(view):
    response = np.zeros((4, 361), np.float32)
    response[3, 60] = 2
    fired = Activation(Filter(np.ones(40), 0.0, 40.0, np.eye(3)[:1]), response, 1.5)
    found = Reader(player.html(view, None, [fired], ""))
    [area] = found.all("polygon")
    points = np.array([point.split(",") for point in area["points"].split()], float)
    assert points[points[:, 1].argmin(), 0] == pytest.approx(200, abs=5), "2 s of 10"
    assert points[0].tolist() == [50, 100] and points[-1, 0] == pytest.approx(952.5)
    assert any(text == "Filter of 40 frames (1.00 s), no tempo: adds 1.50 to <tango>; responds "
               "most around 2.0 s, 4 kHz" for text in found.texts)


@pytest.mark.parametrize("columns", [1, 799, 800, 801, 5000])
def test_no_peak_is_lost_in_few_columns(columns):
    values = np.zeros((2, columns))
    values[1, columns * 3 // 4] = 1
    pooled = player._pooled(values, 800)
    assert pooled.shape == (2, min(columns, 800)) and pooled.max(axis=1).tolist() == [0, 1]
    assert pooled[1].argmax() == pytest.approx(0.75 * pooled.shape[1], abs=1)


@pytest.mark.parametrize("length, last", [(0.4, "0.3"), (9.0, "8"), (30.0, "25"), (200.0, "180"),
                                          (4000.0, "3600")])
def test_seconds_are_round(length, last):
    times = re.findall(r">([\d.]+)</span>", player._axis(length))
    assert times[0] == "0" and times[-1] == last and len(times) <= 9


@pytest.mark.parametrize("text, shown", [
    ("<b>", "&lt;b&gt;"), ('a"b', "a&quot;b"), ("a'b", "a&#x27;b"), ("&amp;", "&amp;amp;"),
    ("a\nb\0", r"a\nb\x00"), ("\udcff", r"\udcff"), ("祭り", "祭り")])
def test_what_has_a_meaning_in_html_is_escaped(text, shown):
    assert player.escape(text) == shown
