"""Pictures of a run, as matplotlib figures that need no display."""

import sys
import textwrap
from functools import lru_cache
from typing import BinaryIO

import numpy as np
from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager, get_font
from matplotlib.lines import Line2D
from matplotlib.text import Text
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from mirdl.errors import one_line
from mirdl.results.calibration import FoldAnswers, losses
from mirdl.results.filters import Filter
from mirdl.results.outcome import CrossValidation, EpochFigures
from mirdl.results.tables import columns_of
from mirdl.songs.wording import some
from mirdl.system.whole_files import whole

WIDTH = 7.0         # inches: a page's text width
MOST_FILTERS = 200  # in one picture, or 5 of each length if these are more
MOST_CLASSES = 25   # in a confusion matrix
MOST_PAIRS = 40     # of classes, in place of a larger matrix
FEWEST_SONGS = 20   # whose share of right answers is worth a point
FONT = "DejaVu Sans"        # comes with matplotlib


def save(figure: Figure, path: str) -> str:
    """Save a figure as a PNG, whole or not at all; give the path back."""
    with whole(path, "wb") as file:
        write(figure, file, dpi=150)
    return path


def write(figure: Figure, file: BinaryIO, dpi: int) -> None:
    """Write a figure as a PNG, in which names look as they are written.

    No `$` begins a formula, and letters that matplotlib's own font lacks come from another font.
    """
    texts = figure.findobj(Text)
    letters = frozenset("".join(text.get_text() for text in texts)) - {"\n"}
    fonts = _fonts_for(letters - _letters_of(FONT))
    for text in texts:
        text.set(parse_math=False, fontfamily=[FONT, *fonts])
    figure.savefig(file, format="png", dpi=dpi)


def title_of(figure: Figure) -> str:
    """Give the title of a figure, or that of its first panel."""
    return figure.get_suptitle() or (figure.axes[0].get_title() if figure.axes else "")


@lru_cache
def _fonts_for(letters: frozenset[str]) -> list[str]:
    """Choose fonts on this machine that have these letters; note letters that no font has."""
    # not matplotlib's last resort, which has boxes for all letters
    names = sorted({font.name for font in fontManager.ttflist
                    if letters and (font.style, font.weight) == ("normal", 400)
                    and not font.name.startswith("Last Resort")})
    chosen, missing = [], letters
    while missing:
        best = max(names, key=lambda name: len(_letters_of(name) & missing), default=FONT)
        if not _letters_of(best) & missing:
            print(f"Note: no font on this machine has {''.join(sorted(missing))!r}: pictures show "
                  "boxes instead; install one, for instance Noto Sans CJK", file=sys.stderr)
            break
        chosen.append(best)
        missing -= _letters_of(best)
    return chosen


@lru_cache(None)
def _letters_of(font: str) -> frozenset[str]:
    return frozenset(map(chr, get_font(fontManager.findfont(font)).get_charmap()))


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
    accuracies.set(ylabel="accuracy of chunks (%)", xlabel="epoch", ylim=(0, 101))
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
    legend = figure.legend(handles=labels.values(), labels=["-"] * len(labels), fontsize=8,
                           loc="outside lower center", ncols=2 if single else 1,
                           frameon=False)
    for text, label in zip(legend.get_texts(), labels, strict=True):
        # only now: a legend passes over labels like '_a'
        text.set_text(wrapped(label, 60 if single else 90))
    return figure


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
    return figure


def reliability(tested: FoldAnswers, title: str) -> Figure:
    """Draw how often the likeliest class is right, over its probability; below, how many songs.

    A point is the mean of a tenth of the songs, but of `FEWEST_SONGS` or more. Calibrated are the
    songs of each fold by the temperature of the other folds.
    """
    figure = Figure((WIDTH, 4.5), layout="constrained")
    axes, counts = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    edges, crossed = np.linspace(0, 100, 11), tested.crossed()
    parts = max(1, min(10, len(tested.true) // FEWEST_SONGS))
    axes.plot((0, 100), (0, 100), color=rcParams["text.color"], ls=":", lw=1,
              label="as often right as it says")
    for name, found in ("as the models say", tested.probabilities), ("calibrated", crossed):
        if found is None:
            continue
        sure = 100 * found.max(axis=1)
        right = 100.0 * (found.argmax(axis=1) == tested.true)
        points = np.array_split(sure.argsort(kind="stable"), parts)
        axes.plot([sure[songs].mean() for songs in points],
                  [right[songs].mean() for songs in points], marker="o",
                  label=f"{name}: log loss {losses(found, tested.true).mean():.3f}")
        counts.stairs(np.histogram(sure, edges)[0], edges, lw=1.5)
    axes.set(ylabel="songs that are right (%)", ylim=(-2, 102))
    counts.set(xlabel="largest mean probability (%)", ylabel="songs", xlim=(0, 100))
    counts.yaxis.get_major_locator().set_params(integer=True)
    axes.grid(alpha=0.3)
    figure.legend(fontsize=8, frameon=False, loc="outside lower center", ncols=3)
    axes.set_title(wrapped(f"{title}: {len(tested.true)} test songs, "
                           f"{some(parts, 'point', 'points')} of equally many", 90), fontsize=9)
    return figure


def confusion(result: CrossValidation, title: str) -> Figure:
    """Draw which class the songs of each class were given.

    Up to `MOST_CLASSES` a matrix of counts, and shares of the class; with more classes, the pairs
    that are most often taken for each other.
    """
    matrix, classes = result.confusion, result.classes
    songs = np.bincount(result.true, minlength=len(classes))    # those without votes, too
    draw = _matrix if len(classes) <= MOST_CLASSES else _pairs
    figure, right = draw(matrix, songs, classes), np.trace(matrix)
    figure.suptitle(f"{wrapped(title, int(11 * figure.get_figwidth()))}\n{right} of "
                    f"{songs.sum()} songs right ({100 * right / max(songs.sum(), 1):.1f} %)",
                    fontsize=9)
    return figure


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
    axes.set_xticks(range(len(classes)), names, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)),
                    [f"{name} ({count})" for name, count in zip(names, songs, strict=True)])
    axes.set(xlabel="voted", ylabel="true (songs)")
    figure.colorbar(image, label="% of the row")
    return figure


def _pairs(matrix: np.ndarray, songs: np.ndarray, classes: list[str]) -> Figure:
    """Draw how many songs of a class were given another one, for the worst pairs of classes."""
    wrong = matrix - np.diag(np.diag(matrix))
    pairs = sorted(zip(*np.nonzero(wrong), strict=True),
                   key=lambda pair: (-wrong[pair], songs[pair[0]]))
    drawn = pairs[:MOST_PAIRS]
    names = [wrapped(f"{classes[true]} → {classes[voted]}", 60) for true, voted in drawn]
    lines = sum(name.count("\n") + 1 for name in names)
    figure = Figure((WIDTH, 1.4 + 0.18 * lines), layout="constrained")
    axes = figure.subplots()
    bars = axes.barh(range(len(drawn)), [wrong[pair] for pair in drawn], color="C0")
    axes.bar_label(bars, [f"{wrong[pair]} of {songs[pair[0]]}" for pair in drawn], padding=3,
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
                    "most, the tempo of its main period (BPM)", fontsize=8)
    figure.supxlabel("time (s)", fontsize=8)
    return figure


def is_dark() -> bool:
    """Tell whether the picture has a black background."""
    return rcParams["axes.facecolor"] == "black"


def color_of(label: int | None) -> str:
    """Give a class's colour, the same in every picture."""
    return "grey" if label is None else f"C{label % 10}"


def _notes_on(each: Filter, classes: list[str]) -> list[str]:
    """Give the class that a filter raises most and its tempo, as far as they are known."""
    notes = []
    if each.feeds is not None:
        name = one_line(classes[each.feeds])
        # there is room for two lines; the colour shows the class, too
        notes.append(wrapped(name if columns_of(name) <= 32 else f"{name[:15]}…{name[-14:]}", 16))
    return notes if np.isnan(each.tempo) else [*notes, f"{each.tempo:.0f}"]


def wrapped(name: str, columns: int) -> str:
    """Break a name into lines of so many columns at most; a Japanese letter takes two."""
    name = one_line(name)
    letters = columns * len(name) // max(columns_of(name), 1)
    return "\n".join(textwrap.wrap(name, max(letters, 1)))
