"""Pictures of a run, as matplotlib figures that need no display."""

import warnings

import numpy as np
from matplotlib import rcParams
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from mirdl.system.whole_files import whole

WIDTH = 7.0         # inches: a page's text width
CURVES = 200        # filters in one picture, or 5 of each length if these are more


def save(figure, path):
    """Save `figure` as a PNG, whole or not at all; gives back the path."""
    with whole(path, "wb") as file:
        figure.savefig(file, format="png", dpi=150)
    return path


def curves(runs):
    """Loss and accuracy over the epochs.

    Parameters
    ----------
    runs : dict
        Name -> the training curves of its folds, as read by `results.read_training`. One run: training and validation
        in two colours. Several runs: a colour each, validation drawn through and training dashed. Several folds: their
        mean, and a band of one standard deviation to each side.
    """
    figure = Figure((WIDTH, 5.5), layout="constrained")
    losses, accuracies = figure.subplots(2, 1, sharex=True)
    handles = []
    for number, (name, folds) in enumerate(runs.items()):
        for place, part in enumerate(("training", "validation")):
            color, style = (f"C{place}", "-") if len(runs) == 1 else (f"C{number}", ("--", "-")[place])
            _mean_and_band(losses, folds, part + "Loss", color, style)
            _mean_and_band(accuracies, folds, part + "Accuracy", color, style)
            if len(runs) == 1 or part == "validation":
                handles.append(Line2D([], [], color=color, ls=style, label=part if len(runs) == 1 else name))
    several = max(map(len, runs.values()))
    losses.set(ylabel="loss", yscale="log")
    accuracies.set(ylabel="accuracy (%)", xlabel="epoch", ylim=(0, 101))
    accuracies.xaxis.get_major_locator().set_params(integer=True)
    accuracies.set_xlim(left=0 if len(losses.lines[0].get_xdata()) == 1 else 1)
    words = [next(iter(runs))] if len(runs) == 1 else ["lines: validation; dashed: training"]
    words += [f"mean and standard deviation over {several} folds"] if several > 1 else []
    losses.set_title("\n".join(words), fontsize=9)
    lowest = min(line.get_ydata().min() for line in losses.lines)
    losses.set_ylim(bottom=lowest / 2 if lowest > 0 else None)      # a band down to 0 has no end on this axis
    for axes in (losses, accuracies):
        axes.grid(alpha=0.3)
    figure.legend(handles=handles, loc="outside lower center", ncols=2 if len(runs) == 1 else 1, frameon=False, fontsize=8)
    return figure


def _mean_and_band(axes, folds, column, color, style):
    """The mean over the folds that still train at an epoch, and one standard deviation around it."""
    epochs = max(len(fold[column]) for fold in folds)
    table = np.full((len(folds), epochs), np.nan)      # (folds, epochs)
    for row, fold in zip(table, folds):
        row[:len(fold[column])] = fold[column]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)     # an epoch without a finite value is left out of the picture
        mean, std = np.nanmean(table, axis=0), np.nanstd(table, axis=0)
        low, high = np.nanmin(table, axis=0), np.nanmax(table, axis=0)
    x = np.arange(epochs) + 1
    axes.plot(x, mean, color=color, ls=style, lw=1.5, marker="." if epochs == 1 else None)
    if len(folds) > 1:
        # no further than the folds themselves: a loss below 0 or an accuracy above 100 % was never there
        axes.fill_between(x, np.maximum(mean - std, low), np.minimum(mean + std, high), color=color, alpha=0.18, lw=0)


def confusion(matrix, classes, title):
    """Counts and the share of each row: rows are the true classes, columns the answers.

    Parameters
    ----------
    matrix : ndarray of int, (classes, classes)
    classes : list of str
    title : str
    """
    size = min(max(0.62 * len(classes) + 1.2, 3.2), 14)
    figure = Figure((size + 1.2, size), layout="compressed")
    axes, dark = figure.subplots(), is_dark()
    rows = matrix.sum(axis=1, keepdims=True)
    shares = 100 * matrix / np.maximum(rows, 1)
    image = axes.imshow(shares, cmap="bone" if dark else "Blues", vmin=0, vmax=100)
    for (row, column), count in np.ndenumerate(matrix):
        if count:
            axes.text(column, row, f"{count}\n{shares[row, column]:.0f} %", ha="center", va="center", fontsize=7.5,
                      color="white" if (shares[row, column] > 55) != dark else "black")
    axes.set_xticks(range(len(classes)), classes, rotation=45, ha="right", rotation_mode="anchor")
    axes.set_yticks(range(len(classes)), [f"{tag} ({count})" for tag, count in zip(classes, rows[:, 0])])
    axes.set(xlabel="voted", ylabel="true (songs)")
    axes.set_title(f"{title}\n{np.trace(matrix)} of {matrix.sum()} songs right ({100 * np.trace(matrix) / max(matrix.sum(), 1):.1f} %)",
                   fontsize=9)
    figure.colorbar(image, label="% of the row")
    return figure


def filters(found, classes, title):
    """Each temporal filter as a curve over time, a panel for each length.

    Parameters
    ----------
    found : list of filters.Filter
        If there are more than `CURVES`, those of each length that weigh most in the output are drawn.
    classes : list of str
    title : str
    """
    lengths = sorted({len(one.weights) for one in found})
    groups = [sorted((one for one in found if len(one.weights) == length), key=lambda one: -one.weight) for length in lengths]
    columns, most, drawn = min(4, len(lengths)), max(map(len, groups)), max(CURVES // len(lengths), 5)
    heights = [0.45 + 0.32 * min(max(map(len, groups[at:at + columns])), drawn) for at in range(0, len(groups), columns)]
    figure = Figure((WIDTH, sum(heights) + 0.9), layout="constrained")
    panels = figure.subplots(len(heights), columns, squeeze=False, height_ratios=heights).ravel()
    for axes, length, alike in zip(panels, lengths, groups):
        for place, one in enumerate(alike[:drawn]):
            time, shape = np.arange(length) / one.rate, one.weights / max(np.abs(one.weights).max(), 1e-12)
            axes.axhline(-2.2 * place, color="grey", lw=0.4)
            axes.plot(time, shape - 2.2 * place, lw=0.9 if length < 100 else 0.5, color=color_of(one.feeds))
            if most > 1:
                axes.text(1.02, -2.2 * place, "\n".join(words_on(one, classes)), fontsize=6, va="center", transform=axes.get_yaxis_transform())
        words = ", ".join(words_on(*alike, classes)) if most == 1 else ""
        axes.set_title(f"{length} frames" + (words and f": {words}"), fontsize=6.5, pad=2)
        axes.set(yticks=[], xlim=(0, (length - 1) / alike[0].rate), ylim=(1 - 2.2 * min(len(alike), drawn), 1.2))
        axes.tick_params(labelsize=6, pad=1, length=2)
        axes.locator_params(axis="x", nbins=3)
    for axes in panels[len(lengths):]:
        axes.remove()
    note = f", the {drawn} of each length that weigh most" if most > drawn else ""
    figure.suptitle(f"{title}\nfilters over time{note}; the class each feeds most, the tempo of its main period (BPM)", fontsize=8)
    figure.supxlabel("time (s)", fontsize=8)
    return figure


def is_dark():
    """Whether the picture is to be seen on black."""
    return rcParams["axes.facecolor"] == "black"


def color_of(label):
    """A class's colour, the same in every picture."""
    return "grey" if label is None else f"C{label % 10}"


def words_on(one, classes):
    """The class that a filter feeds most and its tempo, as far as they are known."""
    return ([] if one.feeds is None else [classes[one.feeds]]) + ([] if np.isnan(one.tempo) else [f"{one.tempo:.0f}"])


def activations(spectrogram, fired, classes, label, title):
    """Where the strongest filters fire, over the mel-spectrogram.

    Parameters
    ----------
    spectrogram : ndarray, (bands, frames)
    fired : list of (Filter, ndarray, float)
        From `filters.strongest`. A response is drawn at the middle of the frames it comes from.
    classes : list of str
    label : int
        The class that the song was given.
    title : str
    """
    rate = fired[0][0].rate
    bands, frames = spectrogram.shape
    figure = Figure((WIDTH, 2.4 + 0.9 * len(fired)), layout="constrained")
    top, *strips = figure.subplots(1 + len(fired), 1, sharex=True, height_ratios=[2.2] + [1] * len(fired))
    top.imshow(spectrogram, aspect="auto", origin="lower", extent=(0, frames / rate, 0, bands),
               cmap="Greys_r" if is_dark() else "Greys", norm=PowerNorm(0.4))
    row = bands / 16        # of bars, above the bands
    for number, (axes, (one, response, share)) in enumerate(zip(strips, fired)):
        length = len(one.weights)
        begin = length / 2 / rate
        # the root lifts what is quiet: most of a song is, beside its beats
        axes.imshow(response, aspect="auto", origin="lower", cmap="magma", norm=PowerNorm(0.5, 0, max(response.max(), 1e-12)),
                    extent=(begin, begin + response.shape[1] / rate, 0, bands))
        band, frame = np.unravel_index(response.argmax(), response.shape)
        top.plot([frame / rate, (frame + length) / rate], [bands + (len(fired) - number - 0.3) * row] * 2, color=f"C{number}", lw=3,
                 solid_capstyle="butt")
        tempo = "" if np.isnan(one.tempo) else f", {one.tempo:.0f} BPM"
        meaning = f"{share:.2f} at most" if one.output is None else f"adds {share:.2f} to {classes[label]}"
        axes.set_title(f"{length} frames ({one.seconds:.2f} s){tempo}: {meaning}, most in band {band + 1}", fontsize=7, pad=3)
        axes.spines[:].set(color=f"C{number}", linewidth=2)
        axes.set_yticks([])
        axes.set_facecolor("black")
    top.set(ylabel="band", xlim=(0, frames / rate), ylim=(0, bands + (len(fired) + 0.4) * row))
    top.set_title(f"{title}: {classes[label]}\nthe bars show the frames that each filter answers to most", fontsize=8)
    figure.supylabel("response by band", fontsize=8)
    strips[-1].set_xlabel("time (s)")
    return figure
