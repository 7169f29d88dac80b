"""A run on one HTML page: tables and pictures inside it, light and dark, nothing fetched from elsewhere."""

import base64
import io
from html import escape

from matplotlib import style

from mirdl.results import tables

STYLE = """
:root { color-scheme: light dark; --ink: #1c1c1e; --paper: #fff; --line: #d0d0d4; --accent: #0a58ca; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8e8ea; --paper: #000; --line: #444448; --accent: #7ab8ff; } }
body { margin: 0 auto; max-width: 66rem; padding: 1rem 1.25rem 4rem; font: 1rem/1.5 system-ui, sans-serif;
  color: var(--ink); background: var(--paper); }
h1 { font-size: 1.4rem; overflow-wrap: anywhere; }
h2 { font-size: 1.15rem; margin-top: 2.2rem; border-bottom: 1px solid var(--line); }
a { color: var(--accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.skip { position: absolute; left: -99rem; }
.skip:focus { position: static; }
nav ul { display: flex; flex-wrap: wrap; gap: .3rem 1.2rem; padding: 0; list-style: none; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
caption { padding: .25rem .7rem; text-align: left; opacity: .8; }
th, td { padding: .25rem .7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
tbody th, td { white-space: nowrap; }
img { max-width: 100%; height: auto; }
"""


def html(name, content, drawings):
    """The page of a run.

    Parameters
    ----------
    name : str
    content : dict
        The run's outcome, from `results.read_outcomes`.
    drawings : dict
        Title -> a function that draws a figure; it is called twice, for light and for dark.

    Returns
    -------
    str
    """
    wrong = tables.misclassified(content)
    [result] = tables.comparison({name: content})
    columns = list(result)[1:-1]
    parts = {"Result": table([{column: result[column] for column in columns}], "The whole run: mean and standard deviation over the folds"),
             "Folds": table(tables.folds(content), "What each fold came to"),
             "Classes": table(tables.perClass(content), "Songs by majority vote, all folds together")}
    parts |= {title: picture(title, draw) for title, draw in drawings.items()}
    parts |= {"Misclassified songs": table(wrong, f"{len(wrong)} songs, those with the surest votes first"),
              "Parameters": table([{"parameter": key, "value": str(value)} for key, value in flat(content["parameters"])],
                                  "The settings of the run")}
    links = "".join(f'<li><a href="#{anchor(title)}">{escape(title)}</a></li>' for title in parts)
    sections = "".join(f'<section aria-labelledby="{anchor(title)}"><h2 id="{anchor(title)}">{escape(title)}</h2>{part}</section>\n'
                       for title, part in parts.items())
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(name)}</title>'
            f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{STYLE}</style></head>\n'
            f'<body><a class="skip" href="#main">Skip to the results</a><header><h1>{escape(name)}</h1>'
            f'<nav aria-label="Contents"><ul>{links}</ul></nav></header>\n<main id="main">\n{sections}</main></body></html>\n')


def table(rows, caption):
    """An HTML table of rows, each a dict of column -> text; the first column heads its row."""
    if not rows:
        return f"<p>{escape(caption)}: none.</p>"
    head = "".join(f'<th scope="col">{escape(column)}</th>' for column in rows[0])
    body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" if place else f'<th scope="row">{escape(cell)}</th>'
                                    for place, cell in enumerate(row.values())) + "</tr>\n" for row in rows)
    return (f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"><table><caption>{escape(caption)}</caption>'
            f'<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>')


def picture(title, draw):
    """The figure that `draw` gives, in the page itself, for light and for dark."""
    with style.context("dark_background"):
        dark = png(draw())
    return (f'<picture><source media="(prefers-color-scheme: dark)" srcset="{dark}">'
            f'<img src="{png(draw())}" alt="{escape(title)}"></picture>')


def png(figure):
    """A figure as a data URI."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=130)
    return "data:image/png;base64," + base64.b64encode(file.getvalue()).decode()


def anchor(title):
    """The id of a section."""
    return "".join(letter if letter.isalnum() else "-" for letter in title.lower())


def flat(parameters, prefix=""):
    """(key, value) of nested parameters, keys as on the command line."""
    for key, value in parameters.items():
        yield from flat(value, f"{prefix}{key}.") if isinstance(value, dict) else [(prefix + key, value)]
