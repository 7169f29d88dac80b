"""Tables of what runs came to. A table is a list of rows, each a dict of column -> text."""

import numpy as np
from scipy.stats import ttest_rel


def text(rows):
    """A table as lines of aligned columns."""
    if not rows:
        return "(none)"
    lines = [list(rows[0]), *([str(cell) for cell in row.values()] for row in rows)]
    widths = [max(map(len, column)) for column in zip(*lines)]
    return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines)


def misclassified(content):
    """The songs that were given another class, those of which the vote was surest first.

    Parameters
    ----------
    content : dict
        A run's outcome, from `results.read_outcomes`.
    """
    classes, wrong = content["classes"], []
    for fold in content["folds"]:
        for song, true, votes, voted in zip(fold["songs"], fold["true"], fold["votes"], fold["voted"]):
            if voted != true:
                chunks = sum(votes)
                ranks = sorted(zip(votes, range(len(votes))), key=lambda pair: (-pair[0], pair[1]))
                row = {"song": song, "true": classes[true], "voted": classes[voted] if chunks else "(no chunks)",
                       "votes": ", ".join(f"{classes[label]} {count}" for count, label in ranks if count), "fold": str(fold["fold"] + 1)}
                wrong.append((-max(votes) / max(chunks, 1), song, row))
    return [row for *_, row in sorted(wrong, key=lambda entry: entry[:2])]


def perClass(content):
    """Precision, recall and F1 of each class, of the songs by majority vote."""
    return [{"class": tag, "precision": f"{figures['precision']:.2f}", "recall": f"{figures['recall']:.2f}",
             "F1": f"{figures['f1-score']:.2f}", "songs": f"{figures['support']:.0f}"}
            for tag, figures in content.get("perClass", {}).items()]


def folds(content):
    """What each fold came to."""
    return [{"fold": str(fold["fold"] + 1), "model": fold["name"], "epochs": str(fold["epochs"]), "best epoch": str(fold["bestEpoch"] + 1),
             "validation (%)": f"{fold['validation']:.2f}", "utterances (%)": f"{fold['utterances']:.2f}",
             "majority vote (%)": f"{fold['majorityVote']:.2f}", "seconds": f"{fold['seconds']:.0f}"}
            for fold in content["folds"]]


def comparison(runs):
    """One row a run: size, accuracies, epochs, seconds, and whether it differs from the first run.

    Parameters
    ----------
    runs : dict
        Name -> outcome, from `results.read_outcomes`.
    """
    first = next(iter(runs.values()), None)
    rows = []
    for name, content in runs.items():
        parameters, every = content["parameters"], content["folds"]
        rows.append({"run": name.removeprefix("CrossValidation_"), "network": parameters["DL"]["type"],
                     "hop": str(parameters["chunkHop"]), "folds": str(len(every)), "parameters": f"{content['numParams']:,}",
                     "utterances (%)": mean_and_std(every, "utterances"), "majority vote (%)": mean_and_std(every, "majorityVote"),
                     "epochs": f"{np.mean([fold['epochs'] for fold in every]):.0f}",
                     "seconds": f"{sum(fold['seconds'] for fold in every):.0f}",
                     "p against the first": "" if content is first else paired_test(first, content)})
    return rows


def mean_and_std(every, key):
    """Mean and standard deviation over folds of one figure."""
    figures = [fold[key] for fold in every]
    return "-" if np.isnan(figures).any() else f"{np.mean(figures):.2f} ± {np.std(figures):.2f}"


def paired_test(one, other):
    """The p value of SciPy's paired t-test over folds on the majority vote ('=' if all folds are equal), or why there is none.

    Folds share training songs, so it is smaller than it should be: read it as a hint.
    """
    if [fold["songs"] for fold in one["folds"]] != [fold["songs"] for fold in other["folds"]]:
        return "other test songs"
    figures = [[fold["majorityVote"] for fold in content["folds"]] for content in (one, other)]
    if len(figures[0]) < 2 or np.isnan(figures).any():
        return "-"
    differences = np.subtract(*figures)
    if np.ptp(differences) == 0:
        return "=" if not differences.any() else "-"      # no spread, no t
    return f"{ttest_rel(*figures).pvalue:.3f}"
