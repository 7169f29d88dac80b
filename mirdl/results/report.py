"""A run on one HTML page: tables and pictures inside it, light and dark, nothing from elsewhere."""

import io
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib import style
from matplotlib.figure import Figure

from mirdl import settings
from mirdl.errors import UserError, one_line
from mirdl.results import drawing, ranking, tables
from mirdl.results.figures import MOST_SAID, confused
from mirdl.results.outcome import CrossValidation
from mirdl.results.player import data_uri, escape
from mirdl.results.prose import beside_best
from mirdl.results.tables import Row
from mirdl.songs.wording import names_of, some

STYLE, SCRIPT = (Path(__file__).with_name(f"page.{kind}").read_text("utf-8")
                 for kind in ("css", "js"))
MOST_ROWS = 60      # of a table that is not scrolled by itself
Parts = list[tuple[str, Callable[[], str]]]


def html(name: str, result: CrossValidation, others: Parts = (),
         misclassified: Callable[[], dict[str, str]] = dict) -> str:
    """Write the page of a run.

    A part that fails is left out, and reported in one line on stderr.

    Parameters
    ----------
    name : str
    result : CrossValidation
    others : list of (str, callable)
        Pictures and songs: each has a title, and gives its HTML.
    misclassified : callable
        Gives the HTML of the players of misclassified songs, by their names.

    Returns
    -------
    str
    """
    parts = [("Result", partial(_summary, name, result)),
             ("Folds", lambda: table(tables.folds(result), "The results of each fold"))]
    if result.true or result.several:
        parts.append(("Classes", partial(_classes, result)))
    if result.baselines:
        parts.append(("Baselines", partial(_baselines, result)))
    parts += others
    if result.true or result.several:
        parts.append(("Misclassified songs", lambda: _misclassified(result, misclassified())))
    parts.append(("Parameters", partial(_parameters, result)))
    links, sections, ids = "", "", {"main"}
    for title, make in parts:
        try:
            content = make()
        except Exception as error:      # keep the other parts
            reason = error if isinstance(error, UserError) else f"{type(error).__name__}: {error}"
            print(one_line(f"without {title[0].lower()}{title[1:]}: {reason}"), file=sys.stderr)
            continue
        place = anchor(title, ids)
        ids.add(place)
        links += f'<li><a href="#{place}">{escape(title)}</a></li>'
        sections += (f'<section aria-labelledby="{place}"><h2 id="{place}">{escape(title)}</h2>'
                     f"{content}</section>\n")
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
            f'<title>{escape(name)}</title><meta name="viewport" '
            f'content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>\n'
            f'<body><a class="skip" href="#main">Skip to the results</a><header>'
            f'<h1>{escape(name)}</h1><nav aria-label="Contents"><ul>{links}</ul></nav></header>\n'
            f'<main id="main">\n{sections}</main><script>{SCRIPT}</script></body></html>\n')


def _summary(name: str, result: CrossValidation) -> str:
    [row] = tables.comparison({name: result})
    for column in ("run", "best baseline (%)", "p against the first"):
        del row[column]
    count = len(result.outcomes)
    over = f"mean and standard deviation over {count} folds" if count > 1 else "one fold"
    caption = (f"{result.parameters['DL']['type']}: {over}, and Wilson's interval of all songs "
               "together")
    lines = _in_short(result) if result.true else ""
    figures = [{"figure": column, "value": value} for column, value in row.items()]
    return lines + table(figures, caption)


def _in_short(result: CrossValidation) -> str:
    """Say how many songs are right, whether that is more than chance, and what goes wrong."""
    vote, counts = result.intervals["majority_vote"], np.bincount(result.true)
    right, total = sum(np.equal(result.voted, result.true)), counts.sum()
    chance = _chance(result)
    better = ("All of the interval lies above that, so the network is better than chance."
              if vote.low > chance else
              "The interval does not lie above that: the network is not clearly better than "
              "chance.")
    lines = [f"{right} of {total} test songs are classified correctly by majority vote: "
             f"{vote.accuracy:.1f} %, 95 % interval {vote}.",
             "If every song were given the largest class of the test songs, "
             f"{result.classes[counts.argmax()]}, {chance:.1f} % would be right. {better}"]
    if best := result.best_baseline:
        lines.append(f"The best baseline, {best.name}, gets {best.mean:.1f} % right.")
    if pairs := result.confusions[:MOST_SAID]:
        lines.append("Most often confused: "
                     f"{'; '.join(confused(pair, result.classes) for pair in pairs)}.")
    said = "".join(f"<p>{escape(line)}</p>" for line in lines)
    if pairs:
        hardest = tables.misclassified(result)[0]
        said += ("<p>The hardest song, with the largest share of wrong votes, is "
                 f"<a href='#{_place(0)}'>{escape(hardest['song'])}</a>. Its tag is "
                 f"{escape(hardest['true'])}; its chunks voted: {escape(hardest['votes'])}.</p>")
    return said


def _chance(result: CrossValidation) -> float:
    """Give the share of the largest class among the test songs of all folds, in %."""
    return 100 * np.bincount(result.true).max() / len(result.true)


def _classes(result: CrossValidation) -> str:
    how = "mean probability, at thresholds from other songs" if result.several else "majority vote"
    caption = f"Songs by {how}, all folds together; the lowest F1 first"
    per_class = result.per_class
    if result.probabilities is not None:
        caption += "; ROC AUC and average precision by mean probability"
    if out := ranking.without(per_class):
        caption += (f"; they have no value, and do not count in the means, where no test song is "
                    f"of the class or all are: {names_of(out)}")
    return table(tables.per_class(result), caption)


def _baselines(result: CrossValidation) -> str:
    lines, chance = beside_best(result), _chance(result) if result.true else 0
    if any(each.name == "largest class" and each.mean < chance for each in result.baselines):
        lines.append("The baseline 'largest class' always gives the class with the most training "
                     "songs, of which fewer are left for the test. So it gets less than the "
                     f"{chance:.1f} % above, the share of the largest class of the test songs.")
    notes = "".join(f"<p>{escape(line)}</p>" for line in lines)
    test = "" if result.several else "; p by McNemar's exact test"
    return notes + table(tables.baselines(result), "Simple classifiers, on the same folds and "
                         f"training songs{test}")


def _misclassified(result: CrossValidation, players: dict[str, str]) -> str:
    rows, links, details = tables.misclassified(result), {}, ""
    for number, row in enumerate(rows):
        said = (f"missed {row['missed'] or '-'}, wrongly given {row['wrongly given'] or '-'}"
                if result.several else f"{row['true']}, voted {row['voted']}")
        if row["song"] in players:
            links[row["song"]] = place = _place(number)
            details += (f'<details{"" if details else " open"}><summary>'
                        f'{escape(row["song"])}: {escape(said)}</summary>'
                        f'<div id="{place}">{players[row["song"]]}</div></details>\n')
    first = "the worst mistakes" if result.several else "the largest share of wrong votes"
    listed = table(rows, f"{some(len(rows), 'song', 'songs')}, {first} first, "
                         "each by the model of the fold that tested it", links)
    if rows and rows[0]["song"] not in links:       # the hardest is linked to
        listed = f'<div id="{_place(0)}">{listed}</div>'
    return listed + details


def _place(number: int) -> str:
    """Give the id of the player of a misclassified song."""
    return f"wrong-{number + 1}"


def _parameters(result: CrossValidation) -> str:
    rows = [{"parameter": key, "value": tables.written(value)}
            for key, value in settings.flat(result.parameters)]
    return table(rows, "The settings of the run")


def table(rows: list[Row], caption: str, links: dict[str, str] | None = None) -> str:
    """Write a table as HTML; the first cell of a row heads it, and numbers are aligned right.

    `links` has the ids of the places that first cells lead to, by their text.
    """
    if not rows:
        return f"<p>{escape(caption)}: none.</p>"
    kinds = {column: ' class="number"' if tables.is_of_numbers(column, rows) else ""
             for column in rows[0]}
    head = "".join(f'<th scope="col"{kind}>{escape(column)}</th>'
                   for column, kind in kinds.items())
    body = ""
    for row in rows:
        (column, kind), *others = kinds.items()
        heading = escape(row[column])
        if place := (links or {}).get(row[column]):
            heading = f'<a href="#{place}">{heading}</a>'
        cells = "".join(f'<td{kind_of} data-of="{escape(of)}">{escape(row[of])}</td>'
                        for of, kind_of in others)
        body += (f'<tr><th scope="row"{kind} data-of="{escape(column)}">{heading}</th>{cells}'
                 "</tr>\n")
    size = "wide long" if len(rows) > MOST_ROWS else "wide"
    return (f'<div class="{size}" tabindex="0" role="region" aria-label="{escape(caption)}">'
            f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table></div>")


def picture(title: str, draw: Callable[[], Figure]) -> str:
    """Draw a figure into the page itself, once for light and once for dark."""
    with style.context("dark_background"):
        dark = webp(draw())
    light = draw()
    return (f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
            f'<img src="{webp(light)}" alt="{escape(light.get_label() or title)}"></picture>')


def webp(figure: Figure) -> str:
    """Give a figure as a data URI, in WebP without loss: half the bytes of a PNG."""
    file = io.BytesIO()
    drawing.write(figure, file, format="webp", dpi=130, pil_kwargs={"lossless": True})
    return data_uri(file.getvalue(), "image/webp")


def anchor(title: str, others: set[str] = frozenset()) -> str:
    """Give the id of a section, with a number if one of `others` is the same."""
    base = "".join(letter if letter.isalnum() else "-" for letter in title.lower())
    place, number = base, 1
    while place in others:
        number += 1
        place = f"{base}-{number}"
    return place
