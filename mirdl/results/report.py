"""A run on one HTML page: tables and pictures inside it, light and dark, nothing from elsewhere."""

import base64
import io
import sys
from collections.abc import Callable
from functools import partial
from html import escape as escape_html

from matplotlib import style
from matplotlib.figure import Figure

from mirdl import settings
from mirdl.errors import UserError, one_line
from mirdl.results import figures, ranking, tables
from mirdl.results.outcome import CrossValidation
from mirdl.results.prose import beside_best
from mirdl.results.tables import Row
from mirdl.songs.wording import names_of, some

STYLE = """
:root { color-scheme: light dark;
  --ink: #1c1c1e; --paper: #fff; --line: #d0d0d4; --accent: #0a58ca; }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e8e8ea; --paper: #000; --line: #444448; --accent: #7ab8ff; } }
body { margin: 0 auto; max-width: 66rem; padding: 1rem 1.25rem 4rem;
  font: 1rem/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); }
h1, h2, a { overflow-wrap: anywhere; white-space: pre-wrap; }
h1 { font-size: 1.4rem; }
h2 { font-size: 1.15rem; margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { position: static; }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; padding: 0; list-style: none; }
.wide { overflow: auto; }
.long { max-height: 40rem; }
@media print { .long { max-height: none; } }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { padding: .25rem .5rem; text-align: left; opacity: .8; }
th, td { padding: .25rem .5rem; border-bottom: 1px solid var(--line);
  text-align: left; vertical-align: top; }
thead th { vertical-align: bottom; position: sticky; top: 0; background: var(--paper); }
tbody th, td { white-space: pre-wrap; overflow-wrap: anywhere; min-width: 8rem; }
thead .number, tbody .number { text-align: right; min-width: 0; }
tbody .number { white-space: pre; }
img { max-width: 100%; height: auto; }
"""
MOST_ROWS = 60      # of a table that is not scrolled by itself
Pictures = list[tuple[str, Callable[[], Callable[[], Figure]]]]


def html(name: str, result: CrossValidation, pictures: Pictures) -> str:
    """Write the page of a run.

    A part that fails is left out, and reported in one line on stderr.

    Parameters
    ----------
    name : str
    result : CrossValidation
    pictures : list of (str, callable)
        Each has a title, and gives a function that draws the figure, which is called twice, for
        light and for dark.

    Returns
    -------
    str
    """
    parts = [("Result", partial(_summary, name, result)),
             ("Folds", lambda: table(tables.folds(result), "The results of each fold"))]
    if result.true:
        parts.append(("Classes", partial(_classes, result)))
    if result.baselines:
        parts.append(("Baselines", partial(_baselines, result)))
    parts += [(title, partial(picture, title, prepare)) for title, prepare in pictures]
    if result.true:
        parts.append(("Misclassified songs", partial(_misclassified, result)))
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
            f'<main id="main">\n{sections}</main></body></html>\n')


def _summary(name: str, result: CrossValidation) -> str:
    [row] = tables.comparison({name: result})
    for column in ("run", "best baseline (%)", "p against the first"):
        del row[column]
    return table([row], f"{result.parameters['DL']['type']}: mean and standard deviation over "
                        f"{some(len(result.outcomes), 'fold', 'folds')}, and Wilson's interval of "
                        "all songs together")


def _classes(result: CrossValidation) -> str:
    caption = "Songs by majority vote, all folds together; the lowest F1 first"
    per_class = result.per_class
    if result.probabilities is not None:
        caption += "; ROC AUC and average precision by mean probability"
    if out := ranking.without(per_class):
        caption += (f"; they have no value, and do not count in the means, where no test song is "
                    f"of the class or all are: {names_of(out)}")
    return table(tables.per_class(result), caption)


def _baselines(result: CrossValidation) -> str:
    notes = "".join(f"<p>{escape(line)}</p>" for line in beside_best(result))
    return notes + table(tables.baselines(result), "Simple classifiers, on the same folds and "
                         "training songs; p by McNemar's exact test")


def _misclassified(result: CrossValidation) -> str:
    rows = tables.misclassified(result)
    return table(rows, f"{some(len(rows), 'song', 'songs')}, those with the surest votes first, "
                       "each by the model of the fold that tested it")


def _parameters(result: CrossValidation) -> str:
    rows = [{"parameter": key, "value": tables.written(value)}
            for key, value in settings.flat(result.parameters)]
    return table(rows, "The settings of the run")


def table(rows: list[Row], caption: str) -> str:
    """Write a table as HTML; the first cell of a row heads it, and numbers are aligned right."""
    if not rows:
        return f"<p>{escape(caption)}: none.</p>"
    kinds = {column: ' class="number"' if tables.is_of_numbers(column, rows) else ""
             for column in rows[0]}
    head = "".join(f'<th scope="col"{kind}>{escape(column)}</th>'
                   for column, kind in kinds.items())
    body = ""
    for row in rows:
        first, *others = (f"{kind}>{escape(row[column])}" for column, kind in kinds.items())
        cells = "".join(f"<td{cell}</td>" for cell in others)
        body += f'<tr><th scope="row"{first}</th>{cells}</tr>\n'
    size = "wide long" if len(rows) > MOST_ROWS else "wide"
    return (f'<div class="{size}" tabindex="0" role="region" aria-label="{escape(caption)}">'
            f"<table><caption>{escape(caption)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{body}</tbody></table></div>")


def picture(title: str, prepare: Callable[[], Callable[[], Figure]]) -> str:
    """Draw a figure into the page itself, for light and for dark."""
    draw = prepare()
    with style.context("dark_background"):
        dark = png(draw())
    light = draw()
    said = ", ".join([title, *figures.title_of(light).split("\n")]).removesuffix(", ")
    return (f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
            f'<img src="{png(light)}" alt="{escape(said)}"></picture>')


def png(figure: Figure) -> str:
    """Give a figure as a data URI."""
    file = io.BytesIO()
    figures.write(figure, file, dpi=130)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def anchor(title: str, others: set[str] = frozenset()) -> str:
    """Give the id of a section, with a number if one of `others` is the same."""
    base = "".join(letter if letter.isalnum() else "-" for letter in title.lower())
    place, number = base, 1
    while place in others:
        number += 1
        place = f"{base}-{number}"
    return place


def escape(text: str) -> str:
    """Write a text, quotes and control characters too, so that HTML shows it as it is."""
    return escape_html(one_line(text))
