"""Pictures of a run, as matplotlib figures that need no display."""

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from mirdl.results.calibration import FoldAnswers, losses
from mirdl.results.curves import EpochFigures
from mirdl.results.drawing import WIDTH, color_of, is_dark, wrapped
from mirdl.results.filters import Filter
from mirdl.results.outcome import Confused, CrossValidation
from mirdl.results.tables import columns_of
from mirdl.songs.wording import some

MOST_FILTERS = 200  # in one picture, or 5 of each length if these are more
MOST_CLASSES = 25   # in a confusion matrix
MOST_PAIRS = 40     # of classes, in place of a larger matrix
MOST_SAID = 3       # of them, in words
FEWEST_SONGS = 20   # whose share of right answers is worth a point


def curves(runs: dict[str, list[EpochFigures]], tested: dict[str, float] | None = None) -> Figure:
    """Draw loss and accuracy of chunks over the epochs.

    One run: training and validation in two colours. Several runs: one colour each, with a solid
    line for validation and a dashed one for training. Several trainings of a run: their mean, and a
    band of one standard deviation to each side.

    Parameters
    ----------
    runs : dict
        Name -> the training curves of its folds, from `files.read_training`.
    tested : dict, optional
        Who answered the test songs -> their accuracy in %: horizontal lines.
    """
    single = len(runs) == 1
    counts = {name: sum(len(fold.epoch) > 0 for fold in folds) for name, folds in runs.items()}
    figure = Figure((WIDTH, 5.5), layout="constrained")
    losses, accuracies = figure.subplots(2, 1, sharex=True)
    labels = {}     # text -> line
    for number, (name, folds) in enumerate(runs.items()):
        parts = ["training", "validation"][:1 + _is_validated(folds)]
        for place, part in enumerate(parts):
            color = f"C{place}" if single else f"C{number}"
            style = "-" if single else ("--", "-")[place]
            for axes, figure_name in ((losses, "loss"), (accuracies, "accuracy")):
                _mean_and_band(axes, [getattr(fold, f"{part}_{figure_name}") for fold in folds],
                               color, style)
            if single or part == parts[-1]:
                label = part if single else name if counts[name] == 1 else (
                    f"{name}, {counts[name]} trainings")
                labels[label] = Line2D([], [], color=color, ls=style)
    for (who, accuracy), style in zip((tested or {}).items(), ("--", ":"), strict=False):
        labels[f"{who}: {accuracy:.1f} % of test songs"] = accuracies.axhline(
            accuracy, color=rcParams["text.color"], ls=style, lw=1.2)
    losses.set(ylabel="loss", yscale="log")
    accuracies.set(ylabel=_accuracies_of(runs), xlabel="epoch", ylim=(0, 101))
    accuracies.xaxis.get_major_locator().set_params(integer=True)
    accuracies.set_xlim(left=0 if len(losses.lines[0].get_xdata()) == 1 else 1)
    heading = next(iter(runs)) if single else "lines: validation; dashed: training"
    of_which = f" over {max(counts.values())} trainings" if single else ""
    note = [f"mean and standard deviation{of_which}"] if max(counts.values()) > 1 else []
    losses.set_title("\n".join([wrapped(heading, 80), *note]), fontsize=9)
    lowest = min(line.get_ydata().min() for line in losses.lines)
    # a band down to 0 has no end on this axis
    losses.set_ylim(bottom=lowest / 2 if lowest > 0 else None)
    _label_plainly(losses)
    for axes in (losses, accuracies):
        axes.grid(alpha=0.3)
    figure.legend(handles=labels.values(),
                  labels=[wrapped(label, 60 if single else 90) for label in labels], fontsize=8,
                  loc="outside lower center", ncols=2 if single else 1, frameon=False)
    said = [f"{name} {_end_of(folds)}" for name, folds in runs.items()]
    lines = [label for label in labels if "%" in label]
    figure.set_label("Loss and accuracy over the epochs: " + "; ".join([*said, *lines]))
    return figure


def _end_of(folds: list[EpochFigures]) -> str:
    """Say what is reached at the end of the trainings, on average."""
    is_validated = _is_validated(folds)
    part = "validation" if is_validated else "training"
    last = np.nanmean([getattr(fold, f"{part}_accuracy")[-1] for fold in folds
                       if len(fold.epoch)])
    what = folds[0].words[is_validated]
    reached = f"of {part} chunks right" if what == "accuracy" else f"{part} {what}"
    return (f"ends after {max(len(fold.epoch) for fold in folds)} epochs with {last:.1f} % "
            f"{reached}")


def _accuracies_of(runs: dict[str, list[EpochFigures]]) -> str:
    """Name what the curves of accuracies show."""
    trained, validated = next(fold.words for folds in runs.values() for fold in folds)
    return "accuracy of chunks (%)" if trained == validated else (
        f"{trained} (%);\nvalidation: {validated}")


def _is_validated(folds: list[EpochFigures]) -> bool:
    """Tell whether songs validated: without any, all figures of the validation are nan."""
    return not all(np.isnan(fold.validation_accuracy).all() for fold in folds)


def _mean_and_band(axes: Axes, folds: list[np.ndarray], color: str, style: str) -> None:
    """Draw the mean over the folds that still train at an epoch, and one standard deviation."""
    epochs = max(map(len, folds))
    table = np.full((len(folds), epochs), np.nan)      # (folds, epochs)
    for row, fold in zip(table, folds, strict=True):
        row[:len(fold)] = fold
    # an epoch without a finite value is left out of the picture
    mean, std = np.nanmean(table, axis=0), np.nanstd(table, axis=0)
    low, high = np.nanmin(table, axis=0), np.nanmax(table, axis=0)
    x = np.arange(epochs) + 1
    axes.plot(x, mean, color=color, ls=style, lw=1.5, marker="." if epochs == 1 else None)
    if len(folds) > 1:
        # no further than the folds themselves: no loss is below 0, no accuracy above 100 %
        axes.fill_between(x, np.maximum(mean - std, low), np.minimum(mean + std, high),
                          color=color, alpha=0.18, lw=0)


def _label_plainly(axes: Axes) -> None:
    """Label a logarithmic axis by 0.1, 0.2, 0.5, 1 ..., which need no formula."""
    low, high = axes.get_ylim()
    steps = (1, 2, 5) if high < 100 * low else (1,)
    axes.yaxis.set_major_locator(LogLocator(subs=steps))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, place: f"{value:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def learning(results: list[CrossValidation]) -> Figure:
    """Draw the accuracy of songs over the share of the training songs that trained.

    Bars are 95 % intervals; see `Interval`.
    """
    results = sorted(results, key=lambda result: result.train_share)
    figure = Figure((WIDTH, 4), layout="constrained")
    axes, by = figure.subplots(), set()
    for place, name in enumerate(("majority_vote", "mean_probability")):
        found = [(100 * result.train_share, result.intervals[name]) for result in results
                 if name in result.intervals]
        if found:
            x, intervals = zip(*found, strict=True)
            y, low, high, units = zip(*intervals, strict=True)
            by.update(units)
            axes.errorbar(np.add(x, place), y, [np.subtract(y, low), np.subtract(high, y)],
                          marker="o", capsize=3, label=name.replace("_", " "))
    best = [(100 * result.train_share, result.best_baseline.mean) for result in results
            if result.baselines]
    if best:
        axes.plot(*zip(*best, strict=True), color=rcParams["text.color"], ls=":",
                  label="best baseline")
    axes.set(xlabel="training songs (% of all)", ylabel="accuracy of test songs (%)",
             xlim=(0, 105), ylim=(0, 101))
    axes.grid(alpha=0.3)
    figure.legend(fontsize=8, frameon=False, loc="outside lower center", ncols=3)
    parameters = results[0].parameters
    axes.set_title(wrapped(f"{parameters['DS']['dataset']}, {parameters['DL']['type']}: 95 % "
                            f"intervals by {' and '.join(sorted(by))}", 90), fontsize=9)
    votes = [f"{result.intervals['majority_vote'].accuracy:.1f} % of songs right with "
             f"{100 * result.train_share:g} % of the training songs" for result in results
             if "majority_vote" in result.intervals]
    figure.set_label(f"Learning curve, by majority vote: {'; '.join(votes)}")
    return figure


def reliability(tested: FoldAnswers, title: str) -> Figure:
    """Draw how often the likeliest class is right, over its probability; below, how many songs.

    A point is the mean of a tenth of the songs, but of `FEWEST_SONGS` or more. Calibrated are the
    songs of each fold by the temperature of the other folds.
    """
    figure = Figure((WIDTH, 4.5), layout="constrained")
    axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    edges, crossed, said = np.linspace(0, 100, 11), tested.crossed(), []
    parts = max(1, min(10, len(tested.true) // FEWEST_SONGS))
    axes.plot((0, 100), (0, 100), color=rcParams["text.color"], ls=":", lw=1,
              label="perfectly calibrated")
    for name, found in ("not calibrated", tested.probabilities), ("calibrated", crossed):
        if found is None:
            continue
        sure = 100 * found.max(axis=1)
        right = 100.0 * (found.argmax(axis=1) == tested.true)
        points = np.array_split(sure.argsort(kind="stable"), parts)
        said.append(f"{name}: log loss {losses(found, tested.true).mean():.3f}")
        axes.plot([sure[songs].mean() for songs in points],
                  [right[songs].mean() for songs in points], marker="o", label=said[-1])
        counts.stairs(np.histogram(sure, edges)[0], edges, lw=1.5)
    axes.set(ylabel="songs that are right (%)", ylim=(-2, 102))
    counts.set(xlabel="largest mean probability (%)", ylabel="songs", xlim=(0, 100))
    counts.yaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    figure.legend(fontsize=8, frameon=False, loc="outside lower center", ncols=3)
    axes.set_title(wrapped(f"{title}: {len(tested.true)} test songs in "
                           f"{some(parts, 'group', 'groups of one size')}", 90), fontsize=9)
    figure.set_label(f"How often songs are right, over their probability, {title}: "
                     + "; ".join(said))
    return figure


def confusion(result: CrossValidation, title: str) -> Figure:
    """Draw which class the songs of each class were given.

    Up to `MOST_CLASSES` a matrix of counts, and shares of the class; with more classes, the pairs
    that are most often taken for each other.
    """
    matrix, classes = result.confusion, result.classes
    songs = np.bincount(result.true, minlength=len(classes))    # those without votes, too
    figure = (_matrix(matrix, songs, classes) if len(classes) <= MOST_CLASSES else
              _pairs(result.confusions, classes))
    right = np.trace(matrix)
    share = (f"{right} of {songs.sum()} songs right "
             f"({100 * right / max(songs.sum(), 1):.1f} %)")
    figure.suptitle(f"{wrapped(title, int(11 * figure.get_figwidth()))}\n{share}", fontsize=9)
    pairs = [confused(pair, classes) for pair in result.confusions[:MOST_SAID]]
    figure.set_label(f"{title}: {'; '.join([share, *pairs])}")
    return figure


def confused(pair: Confused, classes: list[str]) -> str:
    """Say how often one class is taken for another."""
    return (f"{classes[pair.true]} taken for {classes[pair.voted]} ({pair.songs} of "
            f"{some(pair.of, 'song', 'songs')})")


def _matrix(matrix: np.ndarray, songs: np.ndarray, classes: list[str]) -> Figure:
    """Draw a confusion matrix; `songs` is how many each class has."""
    names = [wrapped(tag, 24) for tag in classes]
    longest = max(columns_of(line) for name in names for line in name.split("\n"))
    size = min(max(0.45 * len(classes) + 1.2, 3.2), 14)
    figure = Figure((size + 1.2 + 0.08 * longest, size + 0.06 * longest), layout="compressed")
    axes, dark = figure.subplots(), is_dark()
    shares = 100 * matrix / np.maximum(songs[:, np.newaxis], 1)
    image = axes.imshow(shares, cmap="bone" if dark else "Blues", vmin=0, vmax=100)
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            share = shares[row, column]
            axes.text(column, row, f"{count}\n{share:.0f} %", ha="center", va="center",
                      fontsize=7.5, color="white" if (share > 55) != dark else "black")
    # on one line: those of neighbours would lie on each other
    axes.set_xticks(range(len(classes)), [wrapped(tag, 24, 1) for tag in classes], rotation=45,
                    ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)),
                    [f"{name} ({count})" for name, count in zip(names, songs, strict=True)])
    axes.set(xlabel="voted", ylabel="true (songs)")
    figure.colorbar(image, label="% of the row")
    return figure


def _pairs(pairs: list[Confused], classes: list[str]) -> Figure:
    """Draw how many songs of a class were given another one, for the worst pairs of classes."""
    drawn = pairs[:MOST_PAIRS]
    names = [wrapped(f"{classes[pair.true]} → {classes[pair.voted]}", 60) for pair in drawn]
    lines = sum(name.count("\n") + 1 for name in names)
    figure = Figure((WIDTH, 1.4 + 0.18 * lines), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(range(len(drawn)), [pair.songs for pair in drawn], color="C0")
    axes.bar_label(bars, [f"{pair.songs} of {pair.of}" for pair in drawn], padding=3,
                   fontsize=7.5)
    axes.set_yticks(range(len(drawn)), names, fontsize=7.5)
    axes.margins(x=0.15, y=0.01)
    axes.invert_yaxis()
    axes.xaxis.get_major_locator().set_params(integer=True)
    figure.supxlabel("songs of the first class that were given the second one, the "
                     f"{len(drawn)} most frequent of {len(pairs)} confusions", fontsize=8)
    return figure


def filters(found: list[Filter], classes: list[str], title: str) -> Figure:
    """Draw each temporal filter as a curve over time, a panel for each length.

    Parameters
    ----------
    found : list of Filter
        If there are more than `MOST_FILTERS`, those of each length are drawn that weigh most in
        the output.
    classes : list of str
    title : str
    """
    lengths = sorted({len(each.weights) for each in found})
    groups = [sorted((each for each in found if len(each.weights) == length),
                     key=lambda each: -each.weight) for length in lengths]
    columns, most = min(4, len(lengths)), max(map(len, groups))
    drawn = max(MOST_FILTERS // len(lengths), 5)
    heights = [0.45 + 0.32 * min(max(map(len, groups[at:at + columns])), drawn)
               for at in range(0, len(groups), columns)]
    figure = Figure((WIDTH, sum(heights) + 0.9), layout="constrained")
    panels = figure.subplots(len(heights), columns, squeeze=False, height_ratios=heights).ravel()
    for axes, length, alike in zip(panels, lengths, groups, strict=False):
        for place, each in enumerate(alike[:drawn]):
            time = np.arange(length) / each.rate
            shape = each.weights / max(np.abs(each.weights).max(), 1e-12)
            axes.axhline(-2.2 * place, color="grey", lw=0.4)
            axes.plot(time, shape - 2.2 * place, lw=0.9 if length < 100 else 0.5,
                      color=color_of(each.feeds))
            if most > 1:
                axes.text(1.02, -2.2 * place, "\n".join(_notes_on(each, classes)), fontsize=6,
                          va="center", transform=axes.get_yaxis_transform())
        notes = _notes_on(*alike, classes) if most == 1 else []
        axes.set_title("\n".join([f"{length} frames", ", ".join(notes)]).rstrip(), fontsize=6.5,
                       pad=2)
        axes.set(yticks=[], xlim=(0, (length - 1) / alike[0].rate),
                 ylim=(1 - 2.2 * min(len(alike), drawn), 1.2))
        axes.tick_params(labelsize=6, pad=1, length=2)
        axes.locator_params(axis="x", nbins=3)
    for axes in panels[len(lengths):]:
        axes.remove()
    note = f", the {drawn} of each length that weigh most" if most > drawn else ""
    figure.suptitle(f"{wrapped(title, 90)}\nfilters over time{note}; the class that each raises "
                    "most, the tempo of its main period", fontsize=8)
    figure.supxlabel("time (s)", fontsize=8)
    tempi = [each.tempo for each in found if not np.isnan(each.tempo)]
    span = f", from {min(tempi):.0f} to {max(tempi):.0f} BPM" if tempi else ""
    figure.set_label(f"{some(len(found), 'filter', 'filters')} over time of {title}, of "
                     f"{lengths[0]} to {lengths[-1]} frames; {len(tempi)} with a tempo{span}")
    return figure


def _notes_on(each: Filter, classes: list[str]) -> list[str]:
    """Give the class that a filter raises most, if it is known, and its tempo."""
    if each.feeds is None:
        return [each.beats]
    # there is room for two lines; the colour shows the class, too
    return [wrapped(classes[each.feeds], 16, 2), each.beats]
