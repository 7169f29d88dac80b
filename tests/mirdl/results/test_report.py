from functools import partial
from html.parser import HTMLParser

from matplotlib.figure import Figure

from mirdl.errors import UserError
from mirdl.results import files, report
from mirdl.results.baseline import Baseline


class Reader(HTMLParser):
    """Gathers the texts, ids and links of a page."""

    def __init__(self, page):
        super().__init__()
        self.texts, self.ids, self.links, self.tags = [], [], [], []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.tags.append(tag)
        self.ids += [values["id"]] if "id" in values else []
        self.links += [values["href"]] if "href" in values else []
        self.texts += [values[key] for key in ("alt", "aria-label") if key in values]

    def handle_data(self, text):
        self.texts.append(text)


NAMES = ["Ty Dolla $ign & A$AP", "<b>", 'a"b', "accuracy", "macro avg", "&amp;", "</title>",
         "é 祭り"]


def test_names_are_shown_as_they_are(finished_run):
    name = finished_run(NAMES, dataset="_$My$ & 'data'")
    page = report.html(name, files.read_outcomes(name), [])
    found = Reader(page)
    assert found.texts.count(name) == 2, "as the title and the heading"
    assert {*NAMES, f"{NAMES[0]}/0.wav"} <= set(found.texts)
    assert found.tags.count("title") == 1 and "b" not in found.tags
    assert found.texts[found.texts.index("DS.dataset") + 1] == "_$My$ & 'data'"


def test_the_page_begins_with_the_answers(finished_run):
    """Of each class four songs; the first song of each fold, of class slow, was given fast."""
    result = files.read_outcomes(finished_run())
    texts = Reader(report.html("n", result, [])).texts
    for said in ("6 of 8 test songs are classified correctly by majority vote: 75.0 %, 95 % "
                 "interval 40.9 to 92.9 "
                 "by songs.",
                 "If every song were given the largest class of the test songs, slow, 50.0 % would "
                 "be right. The interval does not lie above that: the network is not clearly "
                 "better than chance.",
                 "Most often confused: slow taken for fast (2 of 4 songs).",
                 "The hardest song, with the largest share of wrong votes, is ",
                 ". Its tag is slow; its chunks voted: fast 3."):
        assert said in texts
    assert texts[texts.index(". Its tag is slow; its chunks voted: fast 3.") - 1] == "slow/0.wav"
    result.outcomes[0].voted = result.outcomes[1].voted = [0, 0, 1, 1]
    texts = Reader(report.html("n", result, [])).texts
    assert any("so the network is better than chance" in text for text in texts)
    assert not any(text.startswith(("Most often confused", "The hardest")) for text in texts)


def test_misclassified_songs_lead_to_their_players(finished_run):
    result = files.read_outcomes(finished_run())
    page = report.html("n", result, [("Song x", lambda: "<p>asked for</p>")],
                       lambda: {"slow/1.wav": "<p>heard</p>"})
    found = Reader(page)
    assert {"asked for", "heard", "slow/1.wav: slow, voted fast"} <= set(found.texts)
    assert "#wrong-2" in found.links and "#song-x" in found.links
    assert found.tags.count("details") == 1
    assert set(found.links) <= {f"#{place}" for place in found.ids}
    assert '<div id="wrong-1"><div class="wide"' in page, "the hardest has no player: the table"
    page = report.html("n", result, (), lambda: {"slow/0.wav": "<p>heard</p>"})
    assert '<div id="wrong-1"><p>heard</p></div>' in page and page.count('id="wrong-1"') == 1


def test_baselines_have_a_section_of_their_own(finished_run):
    name = finished_run()
    result = files.read_outcomes(name)
    assert "#baselines" not in Reader(report.html(name, result, [])).links
    result.baselines = [Baseline("largest class", [each.true for each in result.outcomes],
                                 [100.0, 100.0])]
    found = Reader(report.html(name, result, []))
    assert "#baselines" in found.links and "oNetOne, majority vote" in found.texts
    assert "Paired test against largest class, song by song: p = 0.5" in found.texts
    worse = "By majority vote the network does worse than largest class"
    assert any(text.startswith(worse) for text in found.texts)
    fewer = "less than the 50.0 % above, the share of the largest class of the test songs."
    assert not any(text.endswith(fewer) for text in found.texts)
    result.baselines[0].accuracies = [50.0, 25.0]
    assert any(text.endswith(fewer) for text in Reader(report.html(name, result, [])).texts)


def test_numbers_are_written_as_people_do_and_stand_to_the_right(finished_run):
    name = finished_run()
    page = report.html(name, files.read_outcomes(name), [])
    texts = Reader(page).texts
    assert texts[texts.index("valSplit") + 1] == "0.1"
    assert '<td class="number" data-of="F1">0.80</td>' in report.table(
        [{"class": "a", "F1": "0.80"}], "")
    assert "number" not in report.table([{"class": "a", "song": "1.wav"}], "")


def test_only_long_tables_scroll_by_themselves():
    rows = [{"song": "a"}] * report.MOST_ROWS
    assert 'class="wide"' in report.table(rows, "") and "long" not in report.table(rows, "")
    assert 'class="wide long"' in report.table([*rows, {"song": "a"}], "")


def test_without_votes_of_songs_there_are_no_tables_of_them(finished_run, capsys):
    result = files.read_outcomes(finished_run())
    for outcome in result.outcomes:
        outcome.true, outcome.voted, outcome.votes = [], [], []
    found = Reader(report.html("n", result, []))
    assert found.links == ["#main", "#result", "#folds", "#parameters"]
    assert capsys.readouterr().err == ""


def test_what_a_picture_shows_is_read_to_who_cannot_see_it():
    figure = Figure((1, 1))
    page = report.picture("Filters", lambda: figure)
    assert "Filters" in Reader(page).texts
    figure.set_label('3 songs of "Jive" & more')
    page = report.picture("Filters", lambda: figure)
    assert '3 songs of "Jive" & more' in Reader(page).texts


def draw_nothing():
    raise ZeroDivisionError("as it is\ntested")


def find_nothing():
    raise UserError("there is no run 'n'")


def test_a_part_that_fails_costs_that_part(finished_run, capsys, monkeypatch):
    name = finished_run()
    monkeypatch.setattr(report.tables, "per_class", lambda result: 1 / 0)
    page = report.html(name, files.read_outcomes(name), [
        ("Activations in $B & <a>", draw_nothing), ("Training curves", find_nothing)])
    assert capsys.readouterr().err == (
        "without classes: ZeroDivisionError: division by zero\n"
        "without activations in $B & <a>: ZeroDivisionError: as it is\\ntested\n"
        "without training curves: there is no run 'n'\n")
    found = Reader(page)
    assert found.links == ["#main", "#result", "#folds", "#misclassified-songs", "#parameters",
                           "#wrong-1"]


def test_sections_of_one_title_are_two(finished_run):
    name = finished_run()
    titles = ["Activations in a b", "Activations in a-b", "Activations in a%b-2", "Main",
              "Activations in 祭り"]
    page = report.html(name, files.read_outcomes(name), [
        (title, partial(report.picture, title, lambda: Figure((1, 1)))) for title in titles])
    found = Reader(page)
    assert len(found.ids) == len(set(found.ids))
    assert set(found.links) == {f"#{place}" for place in found.ids}
    assert {"activations-in-a-b", "activations-in-a-b-2", "activations-in-a-b-2-2", "main-2",
            "activations-in-祭り"} <= set(found.ids)
    assert all(found.texts.count(title) == 3 for title in titles), "link, heading, picture"


def test_an_empty_table_says_so():
    assert report.table([], "0 songs") == "<p>0 songs: none.</p>"
