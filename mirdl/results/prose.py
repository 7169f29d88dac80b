"""The results of runs in words, for .result files and for the terminal."""

import numpy as np

from mirdl.results import ranking, tables
from mirdl.results.curves import EpochFigures
from mirdl.results.outcome import CrossValidation, Outcome


def epoch_line(figures: EpochFigures) -> str:
    """Write the figures in one line, for a progress bar."""
    text = f"loss {figures.training_loss:.3f}, {figures.words[0]} {figures.training_accuracy:.0f} %"
    return text + (f", validation {figures.validation_accuracy:.0f} %" if figures.is_validated
                   else "")


def epoch_text(figures: EpochFigures, epochs: int) -> str:
    """Write the figures for a .result file; `epochs` is how many there are at most."""
    trained, validated = figures.words
    text = (f"Epoch {figures.epoch + 1} of {epochs}\n"
            f"  training loss:\t\t{figures.training_loss:.6f}\n"
            f"  training {trained}:\t\t{figures.training_accuracy:.2f} %\n")
    if figures.is_validated:
        text += (f"  validation loss:\t\t{figures.validation_loss:.6f}\n"
                 f"  validation {validated}:\t\t{figures.validation_accuracy:.2f} %\n")
    return text


def outcome_text(outcome: Outcome) -> str:
    """Write the test's figures for a .result file."""
    text, loss = "", f"  test loss:\t\t\t{outcome.loss:.6f}\n"
    for title, before, accuracy in (("UTTERANCES", loss, outcome.utterances),
                                    ("MAJORITYVOTE", "", outcome.majority_vote),
                                    ("MEANPROBABILITY", "", outcome.mean_probability)):
        if not np.isnan(accuracy):
            text += f"\n[{title}] Final results:\n{before}  test accuracy:\t\t{accuracy:.2f} %\n"
    if outcome.tags:
        text += (f"\n[AVERAGEPRECISION] Final results:\n{loss}"
                 f"  mean average precision:\t{outcome.average_precision:.2f} %\n")
    return text


def outcome_line(outcome: Outcome) -> str:
    """Write the outcome in one line, for the terminal."""
    tested = {"of chunks": outcome.utterances, "of songs by majority vote": outcome.majority_vote}
    figures = [f"{figure:.2f} % {what}" for what, figure in tested.items()
               if not np.isnan(figure)]
    said = (f"mean average precision {outcome.average_precision:.2f} %" if outcome.tags else
            f"test accuracy {', '.join(figures)}")
    return (f"{outcome.epochs} epochs in {outcome.seconds:.1f} s, best {outcome.best_epoch + 1}; "
            f"{said}")


def run_text(result: CrossValidation) -> str:
    """Write all that the .result file of a cross-validation says."""
    text = "".join(f"{outcome.name}\n" for outcome in result.outcomes)
    folds = result.parameters["folds"]
    if len(result.outcomes) < folds:
        text += (f"{folds - len(result.outcomes)} of {folds} folds had no finite loss and "
                 "do not count\n")
    text += _accuracy(result, "utterances") + _accuracy(result, "majority_vote")
    text += f"Number of parameters: {result.num_params}\n"
    if result.true:
        from sklearn.metrics import classification_report  # takes 0.5 s, unused by tagging
        report = classification_report(
            result.true, result.voted, labels=range(len(result.classes)),
            target_names=result.classes, zero_division=0)
        text += f"Songs by majority vote, all folds together:\n{report}"
    text += _accuracy(result, "mean_probability")
    if result.several:
        text += _accuracy(result, "average_precision", "mean average precision") + _tags(result)
    return text + _beside_baselines(result)


def how_sure(result: CrossValidation) -> str:
    """Say how far the accuracies of songs would vary with other test songs; '' without any."""
    lines = [f"  {figure.replace('_', ' ')}: {each.accuracy:.1f} % of songs, {each}\n"
             for figure, each in result.intervals.items()]
    return "".join(["95 % intervals (Wilson):\n", *lines]) if lines else ""


def beside_best(result: CrossValidation) -> list[str]:
    """Say how the majority vote compares with the best baseline; nothing if one is missing."""
    best = result.best_baseline
    precision = np.mean([outcome.average_precision for outcome in result.outcomes])
    if result.several and best and precision < best.mean:
        return [f"The network does worse than {best.name}: try recipe=transfer, another network "
                "(DL.type), more epochs (DL.num_epochs) or more songs"]
    if best is None or not result.true:
        return []
    test = result.against(best)
    lines = [f"Paired test against {best.name}, song by song: p = {test.p:.2g}",
             f"  {test.first} songs that only the network has right, {test.second} that only "
             f"{best.name} has"]
    if np.mean([outcome.majority_vote for outcome in result.outcomes]) < best.mean:
        published = result.parameters.get("recipe", "published") == "published"
        recipe = "recipe=today, " if published else ""
        lines.append(f"By majority vote the network does worse than {best.name} "
                     f"({best.mean:.1f} % of songs): try {recipe}another network (DL.type), "
                     "more epochs (DL.num_epochs) or more songs")
    return lines


def _tags(result: CrossValidation) -> str:
    """Write the figures of each tag, where a song may have several."""
    found, scores = result.per_class, ("precision", "recall", "f1-score")
    means = {**{score: np.mean([each[score] for each in found.values()]) for score in scores},
             **dict.fromkeys(ranking.FIGURES), **ranking.means(found), "support": len(result.has)}
    rows = [{"tag": tag, **{column: tables.or_dash(figures[column])
                            for column in (*scores, *ranking.FIGURES)},
             "support": f"{figures['support']:.0f}"}
            for tag, figures in [*found.items(), ("mean", means)]]
    return ("Songs by mean probability, all folds together (precision, recall and F1 at "
            f"thresholds from other songs):\n{tables.text(rows)}\n")


def _accuracy(result: CrossValidation, figure: str, name: str = "test accuracy") -> str:
    """Write mean and standard deviation over the folds of one figure of the outcomes."""
    values = [getattr(outcome, figure) for outcome in result.outcomes]
    if np.isnan(values).all():
        return ""
    return (f"[CV-{figure.replace('_', '').upper()}] {name}:\n"
            f"  mean:\t\t{np.mean(values):.2f} %\n  std:\t\t{np.std(values):.2f} %\n")


def _beside_baselines(result: CrossValidation) -> str:
    """Write the baselines' results, and how the network compares with the best of them."""
    if not result.baselines:
        return ""
    lines = ["Baselines (docs/results.md says what each of them sees):"]
    width = 2 + max(19, *(len(each.name) for each in result.baselines))
    what = "mean average precision" if result.several else "of songs"
    lines += [f"  {each.name + ':':{width}}{each.mean:6.2f} % {what}, "
              f"std {np.std(each.accuracies):.2f} %" for each in result.baselines]
    return "\n".join([*lines, *beside_best(result)]) + "\n"
