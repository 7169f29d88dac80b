"""Pictures of one song: where the filters of a network fire, and where any network looks."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from mirdl.results.drawing import WIDTH, color_of, is_dark, wrapped
from mirdl.results.filters import Activation
from mirdl.results.song_view import LEAST, SongView

GAMMA = 0.4     # of the spectrogram: lifts what is quiet


def activations(view: SongView, fired: list[Activation]) -> Figure:
    """Draw where the strongest filters fire, below the spectrogram.

    Parameters
    ----------
    view : SongView
    fired : list of Activation
        From `strongest`. A response is drawn at the middle of the frames it comes from.
    """
    bands = len(view.spectrogram)
    figure = Figure((WIDTH, 2.6 + 0.9 * len(fired)), layout="constrained")
    top, bars, *strips = figure.subplots(2 + len(fired), 1, sharex=True,
                                         height_ratios=[2.2, 0.5] + [1] * len(fired))
    _draw_spectrogram(top, view)
    for number, (axes, each) in enumerate(zip(strips, fired, strict=True)):
        rate, length, color = each.source.rate, len(each.source.weights), f"C{number}"
        begin = length / 2 / rate
        # the root lifts what is quiet, as most of a song is between its beats
        most = max(each.response.max(), 1e-12)
        image = axes.imshow(each.response, aspect="auto", origin="lower", cmap="magma",
                            norm=PowerNorm(0.5, 0, most),
                            extent=(begin, begin + each.response.shape[1] / rate, 0, bands))
        figure.colorbar(image, ax=axes, ticks=[0, most], format="%.2g", pad=0.01,
                        aspect=8).ax.tick_params(labelsize=6)
        band, frame = np.unravel_index(each.response.argmax(), each.response.shape)
        bars.plot([frame / rate, (frame + length) / rate], [-number] * 2, color=color, lw=3,
                  solid_capstyle="butt")
        axes.set_title(wrapped(f"{each.said(view.tag)}, most around {view.frequency(band)}", 105),
                       fontsize=7, pad=3)
        axes.spines[:].set(color=color, linewidth=2)
        axes.set_facecolor("black")
        _label_bands(axes, view)
    bars.set(yticks=[], ylim=(-len(fired) + 0.3, 0.7), xlim=(0, view.length))
    bars.set_ylabel("most", fontsize=7)
    top.set_title(_heading(view, "the bars show the frames to which each filter responds most; "
                                 "below, its response"), fontsize=8)
    strips[-1].set_xlabel("time (s)")
    figure.set_label("; ".join([f"{view.title}: {view.tag} by {view.by}",
                                *(each.said(view.tag) for each in fired)]))
    return figure


def occlusion(view: SongView, losses: np.ndarray) -> Figure:
    """Draw a song, what its tag loses where it is hidden, and the probabilities over time.

    Parameters
    ----------
    view : SongView
    losses : ndarray, (groups of bands, places)
        From `mirdl.tagging.occlusion.occlusion`.
    """
    figure = Figure((WIDTH, 5.6), layout="constrained")
    top, middle, below = figure.subplots(3, 1, sharex=True, height_ratios=[2, 1.6, 1.4])
    _draw_spectrogram(top, view)
    most = max(abs(losses).max(), LEAST)
    image = middle.imshow(losses, aspect="auto", origin="lower", vmin=-most, vmax=most,
                          cmap="PuOr", extent=(0, view.length, 0, len(view.spectrogram)))
    _label_bands(middle, view)
    middle.set_ylabel("hidden bands")
    figure.colorbar(image, ax=middle, label="fall of the\nmean probability")
    for each in view.likeliest:
        # each chunk speaks for a time, so a step; of one chunk, a line
        below.stairs(view.probabilities[:, each], [0, *view.times[:, 1]], baseline=None,
                     color=color_of(each), lw=2.5 if each == view.label else 1,
                     label=wrapped(view.classes[each], 30))
    below.set(ylabel="probability", ylim=(0, 1), xlim=(0, view.length),
              xlabel=f"time (s){view.unvoted}")
    figure.legend(fontsize=7, loc="outside lower center", ncols=3, frameon=False)
    top.set_title(_heading(view, view.hiding(losses)), fontsize=8)
    figure.set_label(f"{view.title}: {view.tag} by {view.by}; {view.hiding(losses)}")
    return figure


def _heading(view: SongView, note: str) -> str:
    *model, role = f"by {view.by}".rsplit(", ", 1)      # what the song was has a line of its own
    lines = f"{view.title}: {view.tag}", *(f"{each}," for each in model), role, note
    return "\n".join(wrapped(line, 90) for line in lines)


def _draw_spectrogram(axes: Axes, view: SongView) -> None:
    axes.imshow(view.spectrogram, aspect="auto", origin="lower", norm=PowerNorm(GAMMA),
                cmap="Greys_r" if is_dark() else "Greys",
                extent=(0, view.length, 0, len(view.spectrogram)))
    _label_bands(axes, view)


def _label_bands(axes: Axes, view: SongView) -> None:
    """Write frequencies at the axis of the bands, if these have any."""
    heights, names = zip(*view.ticks(), strict=True) if view.ticks() else ((), ())
    axes.set_yticks(np.multiply(heights, len(view.spectrogram)), names, fontsize=6)
