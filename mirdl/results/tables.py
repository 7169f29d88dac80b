"""Tables of the results of runs.

A table is a list of rows, each a dict of column -> text.
"""

import re
import shlex
import unicodedata
from typing import Any

import numpy as np

from mirdl import settings
from mirdl.errors import one_line
from mirdl.results import ranking
from mirdl.results.baseline import PairedTest
from mirdl.results.outcome import CrossValidation
from mirdl.songs.wording import some

MOST_VOTES = 5      # classes of one song that are listed
TITLES = {ranking.ROC_AUC: "ROC AUC", ranking.AVERAGE_PRECISION: "average precision"}

Row = dict[str, str]


def text(rows: list[Row]) -> str:
    """Write a table as lines of aligned columns."""
    if not rows:
        return "(none)"
    lines = [[one_line(cell) for cell in line] for line in (rows[0], *map(dict.values, rows))]
    columns = [_aligned(cells, is_of_numbers(column, rows))
               for column, cells in zip(rows[0], zip(*lines, strict=True), strict=True)]
    return "\n".join("  ".join(line).rstrip() for line in zip(*columns, strict=True))


def _aligned(cells: tuple[str, ...], to_the_right: bool) -> list[str]:
    """Make the cells of a column equally wide."""
    width = max(map(columns_of, cells))
    pads = [" " * (width - columns_of(cell)) for cell in cells]
    return [pad + cell if to_the_right else cell + pad
            for cell, pad in zip(cells, pads, strict=True)]


def is_of_numbers(column: str, rows: list[Row]) -> bool:
    """Tell whether a column has only numbers, so that it is aligned to the right."""
    return all(re.fullmatch(r"[-+\d.,e± ]*", row[column]) for row in rows)


def columns_of(cell: str) -> int:
    """Count the columns that a text takes in a terminal, where a Japanese letter takes two."""
    return sum(0 if unicodedata.combining(letter) else
               2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in cell)


def misclassified(result: CrossValidation) -> list[Row]:
    """List the songs that were given another class, those with most of the votes for it first.

    Among songs with the same share of votes, the larger mean probability counts, where it is known.
    """
    if result.several:
        return _mistaken(result)
    wrong = []
    for outcome in result.outcomes:
        means = outcome.probabilities or [None] * len(outcome.songs)
        for song, true, votes, voted, mean in zip(outcome.songs, outcome.true, outcome.votes,
                                                  outcome.voted, means, strict=True):
            if voted == true:
                continue
            chunks = sum(votes)
            ranks = sorted((-count, label) for label, count in enumerate(votes) if count)
            listed = [f"{result.classes[label]} {-count}" for count, label in ranks]
            rest = len(listed) - MOST_VOTES
            if rest > 0:
                listed[MOST_VOTES:] = [some(rest, "other class", "other classes")]
            row = {"song": song, "true": result.classes[true],
                   "voted": result.classes[voted] if chunks else "(no chunks)",
                   "votes": ", ".join(listed), "model": _short(outcome.name)}
            likely = mean[voted] if mean and chunks else 0
            wrong.append((-max(votes) / max(chunks, 1), -likely, song, row))
    return [row for *_, row in sorted(wrong, key=lambda entry: entry[:-1])]


def _short(model: str) -> str:
    """Give the end of a model's name, '-f0', by which the models of a run differ."""
    return model[max(model.rfind("-f"), 0):]


def _mistaken(result: CrossValidation) -> list[Row]:
    """List the songs that miss a tag or were given a wrong one, the worst mistakes first.

    A mistake is as bad as the probability is far from the threshold.
    """
    songs = [(song, outcome.name) for outcome in result.outcomes for song in outcome.songs]
    far = result.probabilities - result.thresholds
    wrong = []
    for (song, model), has, probabilities, margins in zip(
            songs, result.has, result.probabilities, far, strict=True):
        worst = np.argsort(-np.abs(margins))
        mistakes = has != (margins >= 0)
        kinds = {"missed": has & mistakes, "wrongly given": ~has & mistakes,
                 "right": has & ~mistakes}
        if mistakes.any():
            listed = {kind: ", ".join(f"{result.classes[label]} {probabilities[label]:.2f}"
                                      for label in worst if which[label])
                      for kind, which in kinds.items()}
            row = {"song": song, **listed, "model": _short(model)}
            wrong.append((-np.abs(margins[mistakes]).max(), song, row))
    return [row for *_, row in sorted(wrong, key=lambda entry: entry[:2])]


def per_class(result: CrossValidation) -> list[Row]:
    """List precision, recall and F1 of each class, by majority vote, the lowest F1 first.

    Where a song may have several tags, they are at `CrossValidation.thresholds`.

    Also ROC AUC and average precision, if they are known.
    """
    return [{"class": tag, "precision": f"{figures['precision']:.2f}",
             "recall": f"{figures['recall']:.2f}", "F1": f"{figures['f1-score']:.2f}",
             **{title: or_dash(figures[key]) for key, title in TITLES.items() if key in figures},
             "songs": f"{figures['support']:.0f}"}
            for tag, figures in sorted(result.per_class.items(),
                                       key=lambda item: item[1]["f1-score"])]


def or_dash(value: float | None) -> str:
    """Write a figure of a class, '-' where it has none."""
    return "-" if value is None else f"{value:.3f}"


def folds(result: CrossValidation) -> list[Row]:
    """List the results of each fold."""
    return [{"fold": str(outcome.fold + 1), "model": outcome.name,
             "epochs": str(outcome.epochs or "-"),      # none: the model was only tested
             "best epoch": str(outcome.best_epoch + 1) if outcome.epochs else "-",
             "validation (%)": mean_and_std([outcome.validation]),
             "chunks (%)": mean_and_std([outcome.utterances]),
             "majority vote (%)": mean_and_std([outcome.majority_vote]),
             "mean probability (%)": mean_and_std([outcome.mean_probability]),
             **({"average precision (%)": mean_and_std([outcome.average_precision])}
                if result.several else {}),
             "seconds": f"{outcome.seconds:.0f}"}
            for outcome in result.outcomes]


def comparison(runs: dict[str, CrossValidation]) -> list[Row]:
    """Compare runs: the settings that differ, size, accuracies, and a test against the first run.

    Parameters
    ----------
    runs : dict
        Name -> the results of the run.
    """
    first = next(iter(runs.values()), None)
    differing = _differing([result.parameters for result in runs.values()])
    rows = []
    for place, (name, result) in enumerate(runs.items()):
        outcomes, best = result.outcomes, result.best_baseline
        rows.append({
            "run": name,
            **{key: written(values[place]) for key, values in differing.items()},
            "parameters": f"{result.num_params:,}",
            "chunks (%)": mean_and_std([each.utterances for each in outcomes]),
            **_with_interval(result, "majority_vote"),
            **_with_interval(result, "mean_probability"),
            **_ranking(result),
            "best baseline (%)": (
                f"{best.name} {mean_and_std(best.accuracies)}" if best else "-"),
            "epochs": f"{np.mean([each.epochs for each in outcomes]):.0f}",
            "seconds": f"{sum(each.seconds for each in outcomes):.0f}",
            "p against the first": "" if result is first else paired_test(first, result)})
    return rows


def _with_interval(result: CrossValidation, figure: str) -> Row:
    """Give one accuracy of songs, over the folds, and its 95 % interval."""
    name = figure.replace("_", " ")
    accuracies = [getattr(each, figure) for each in result.outcomes]
    return {f"{name} (%)": mean_and_std(accuracies),
            f"{name}, 95 %": str(result.intervals.get(figure, "-"))}


def _ranking(result: CrossValidation) -> Row:
    """Give the mean ROC AUC and average precision over the classes that have them."""
    per_class = result.per_class
    means, out = ranking.means(per_class), ranking.without(per_class)
    share = f" ({len(per_class) - len(out)} of {len(per_class)} classes)" if means and out else ""
    return {title: or_dash(means.get(key)) + share for key, title in TITLES.items()}


def more_songs(runs: dict[str, CrossValidation]) -> str | None:
    """Say what the last training songs gained; nothing unless runs differ in trainShare alone."""
    if list(_differing([result.parameters for result in runs.values()])) != ["trainShare"]:
        return None
    *_, fewer, most = sorted(runs.values(), key=lambda result: result.train_share)
    before, after = (result.intervals.get("majority_vote") for result in (fewer, most))
    return before and after and (
        f"From {100 * fewer.train_share:g} to {100 * most.train_share:g} % of the training songs, "
        f"the majority vote changes from {before.accuracy:.1f} to {after.accuracy:.1f} % of songs "
        f"(p = {paired_test(fewer, most)}). As long as it rises, more songs help. A picture: "
        f"python utils.py learning {' '.join(map(shlex.quote, runs))}")


def _differing(runs: list[settings.Parameters]) -> dict[str, list[Any]]:
    """Find the settings in which runs differ: the value of each run by the setting's key."""
    defaults = dict(settings.flat(settings.published()))    # of what earlier versions did not have
    given = [{**defaults, **dict(settings.flat(parameters))} for parameters in runs]
    keys = settings.keys(settings.SPECTROGRAM, settings.INPUT, settings.EXPERIMENT)
    values = {key: [each[key] for each in given] for key in keys}
    return {key: each for key, each in values.items() if any(value != each[0] for value in each)}


def written(value: object) -> str:
    """Write the value of a setting as a person would: 0.1 for 0.09999999999999995."""
    return f"{value:.10g}" if isinstance(value, float) else str(value)


def baselines(result: CrossValidation) -> list[Row]:
    """Compare a run with each of its baselines, by McNemar's exact test over the songs."""
    if result.several:
        answers = {result.parameters["DL"]["type"]: [each.average_precision
                                                     for each in result.outcomes],
                   **{each.name: each.accuracies for each in result.baselines}}
        return [{"classifier": name, "mean average precision (%)": mean_and_std(found)}
                for name, found in answers.items()]
    rows = [{"classifier": f"{result.parameters['DL']['type']}, {how}",
             "songs (%)": mean_and_std([getattr(each, figure) for each in result.outcomes]),
             "songs only it gets right": "", "songs only the network gets right": "", "p": ""}
            for how, figure in (("majority vote", "majority_vote"),
                                ("mean probability", "mean_probability"))]
    for baseline in result.baselines:
        test = result.against(baseline) if result.true else None
        rows.append({"classifier": baseline.name, "songs (%)": mean_and_std(baseline.accuracies),
                     "songs only it gets right": str(test.second) if test else "-",
                     "songs only the network gets right": str(test.first) if test else "-",
                     "p": f"{test.p:.2g}" if test else "-"})
    return rows


def mean_and_std(figures: list[float]) -> str:
    """Write the mean and standard deviation of one figure of each fold."""
    if np.isnan(figures).any():
        return "-"
    spread = f" ± {np.std(figures):.2f}" if len(figures) > 1 else ""
    return f"{np.mean(figures):.2f}{spread}"


def paired_test(one: CrossValidation, other: CrossValidation) -> str:
    """Test whether two runs differ in the majority vote, by McNemar's exact test over the songs.

    Returns
    -------
    str
        The p value, or why there is none.
    """
    if not one.true or not other.true:
        return "-"
    first, second = (
        {(song, result.classes[true]): true == voted for outcome in result.outcomes
         for song, true, voted in zip(outcome.songs, outcome.true, outcome.voted, strict=True)}
        for result in (one, other))
    if first.keys() != second.keys():
        return "other songs or tags"
    rights = [[each[song] for song in first] for each in (first, second)]
    return f"{PairedTest.of([True] * len(first), *rights).p:.2g}"
