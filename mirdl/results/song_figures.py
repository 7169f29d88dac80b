"""Pictures of one song: where the filters of a network fire, and where any network looks."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure

from mirdl.results.figures import WIDTH, is_dark, wrapped
from mirdl.results.filters import Activation

LIKELIEST = 5       # classes whose probabilities are drawn over time


def activations(spectrogram: np.ndarray, fired: list[Activation], tag: str, title: str,
                by: str) -> Figure:
    """Draw where the strongest filters fire, below the mel-spectrogram.

    Parameters
    ----------
    spectrogram : ndarray, (bands, frames)
    fired : list of Activation
        From `strongest`. A response is drawn at the middle of the frames it comes from.
    tag : str
        The class that the song was given.
    title : str
    by : str
        The model that gave it.
    """
    rate = fired[0].source.rate
    bands, frames = spectrogram.shape
    figure = Figure((WIDTH, 2.4 + 0.9 * len(fired)), layout="constrained")
    top, *strips = figure.subplots(1 + len(fired), 1, sharex=True,
                                   height_ratios=[2.2] + [1] * len(fired))
    _draw_spectrogram(top, spectrogram, frames / rate)
    row = bands / 16        # of bars, above the bands
    for number, (axes, (source, response, share)) in enumerate(zip(strips, fired, strict=True)):
        length, color = len(source.weights), f"C{number}"
        begin = length / 2 / rate
        # the root lifts what is quiet, as most of a song is between its beats
        axes.imshow(response, aspect="auto", origin="lower", cmap="magma",
                    norm=PowerNorm(0.5, 0, max(response.max(), 1e-12)),
                    extent=(begin, begin + response.shape[1] / rate, 0, bands))
        band, frame = np.unravel_index(response.argmax(), response.shape)
        height = bands + (len(fired) - number - 0.3) * row
        top.plot([frame / rate, (frame + length) / rate], [height] * 2, color=color, lw=3,
                 solid_capstyle="butt")
        tempo = "" if np.isnan(source.tempo) else f", {source.tempo:.0f} BPM"
        value = f"{share:.2f} at most" if source.output is None else f"adds {share:.2f} to {tag}"
        axes.set_title(wrapped(f"{length} frames ({source.seconds:.2f} s){tempo}: {value}, most "
                                f"in band {band + 1}", 105), fontsize=7, pad=3)
        axes.spines[:].set(color=color, linewidth=2)
        axes.set_yticks([])
        axes.set_facecolor("black")
    top.set(ylabel="band", xlim=(0, frames / rate), ylim=(0, bands + (len(fired) + 0.4) * row))
    top.set_title("\n".join([wrapped(f"{title}: {tag}", 90), wrapped(f"by {by}", 90),
                             "the bars show the frames to which each filter responds most"]),
                  fontsize=8)
    figure.supylabel("response by band", fontsize=8)
    strips[-1].set_xlabel("time (s)")
    return figure


def occlusion(spectrogram: np.ndarray, losses: np.ndarray, times: np.ndarray,
              probabilities: np.ndarray, classes: list[str], label: int, seconds: float,
              title: str, by: str) -> Figure:
    """Draw a song, what its tag loses where it is hidden, and the probabilities over time.

    Parameters
    ----------
    spectrogram : ndarray, (bands, frames)
    losses : ndarray, (groups of bands, places)
        From `mirdl.tagging.occlusion.occlusion`.
    times : ndarray, (chunks,)
        Of the middle of each chunk, in seconds.
    probabilities : ndarray, (chunks, classes)
    classes : list of str
    label : int
        The class that the song was given.
    seconds : float
        From one frame to the next.
    title : str
    by : str
        The model that gave it.
    """
    bands, frames = spectrogram.shape
    length = frames * seconds
    figure = Figure((WIDTH, 5.6), layout="constrained")
    top, middle, below = figure.subplots(3, 1, sharex=True, height_ratios=[2, 1.6, 1.4])
    _draw_spectrogram(top, spectrogram, length)
    top.set_ylabel("band")
    most = max(losses.max(), 1e-6)
    image = middle.imshow(losses, aspect="auto", origin="lower", vmin=-most, vmax=most,
                          cmap="PuOr_r" if is_dark() else "PuOr", extent=(0, length, 0, bands))
    middle.set(ylabel="hidden bands")
    figure.colorbar(image, ax=middle, label="fall of log p")
    for each in np.argsort(-probabilities.mean(axis=0))[:LIKELIEST]:
        below.plot(times, probabilities[:, each], "o-", ms=3, lw=2.5 if each == label else 1,
                   label=wrapped(classes[each], 30))
    below.set(ylabel="probability", ylim=(0, 1), xlim=(0, length), xlabel="time (s)")
    figure.legend(fontsize=7, loc="outside lower center", ncol=LIKELIEST)
    group, place = np.unravel_index(losses.argmax(), losses.shape)
    strongest, most = (place + 0.5) * length / losses.shape[1], losses[group, place]
    said = (f"it loses most where the sound around {strongest:.1f} s is hidden: log p falls by "
            f"{most:.2g}" if most > 0 else "whatever is hidden, it loses nothing")
    top.set_title("\n".join([
        wrapped(f"{title}: {classes[label]}", 90), wrapped(f"by {by}", 90),
        said]), fontsize=8)
    return figure


def _draw_spectrogram(axes: Axes, spectrogram: np.ndarray, seconds: float) -> None:
    axes.imshow(spectrogram, aspect="auto", origin="lower", norm=PowerNorm(0.4),
                cmap="Greys_r" if is_dark() else "Greys", extent=(0, seconds, 0, len(spectrogram)))
