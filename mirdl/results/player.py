"""A song on a page: a player, and under it what a model does with the song, on one line of time."""

import base64
import io
from collections.abc import Iterable
from html import escape as escape_html

import numpy as np
from matplotlib.image import imsave

from mirdl.errors import one_line
from mirdl.results.drawing import color_of
from mirdl.results.filters import Activation
from mirdl.results.song_figures import GAMMA
from mirdl.results.song_view import LEAST, SongView

COLUMNS, POINTS = 800, 300      # of a picture and of a curve over time, at most
SHOWN, LESS = (110, 90, 200), (225, 120, 20)    # red, green, blue: on white and on black
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1200, 3600)     # seconds apart
MOST_TICKS, MOST_SEGMENTS = 8, 20


def html(view: SongView, losses: np.ndarray | None, fired: list[Activation], sound: str,
         true: str = "") -> str:
    """Write a song as HTML, to be heard and seen.

    Parameters
    ----------
    view : SongView
    losses : ndarray or None
        (groups of bands, places), from `mirdl.tagging.occlusion.occlusion`.
    fired : list of Activation
        The strongest filters.
    sound : str
        The address of its sound; '' if there is none.
    true : str
        Its own tag, if it was given another one.
    """
    lanes = [_spectrogram(view), _segments(view), _probabilities(view)]
    if losses is not None:
        lanes.append(_losses(view, losses))
    lanes += [_filter(view, each) for each in fired]
    audio, line = "<p>There is no sound here: the file could not be compressed.</p>", ""
    if sound:
        audio = (f'<audio controls preload="none" src="{escape(sound)}"></audio>'
                 '<p class="now" aria-hidden="true">Click below, and it plays from there; or use '
                 "the arrow keys and Enter.</p>")
        line = (f'<input type="range" min="0" max="{view.length:.3f}" step="any" value="0" '
                f'aria-label="{escape(f"Time in {view.title}")}">')
    said = [view.misclassified(true)] if true else []
    said = "".join(f"<p>{escape(line)}</p>" for line in [*said, f"{view.tag} by {view.by}"])
    return (f'<div class="song">{said}{audio}'
            f'<div class="lanes">{line}{"".join(lanes)}{_axis(view.length)}</div></div>\n')


def escape(text: str) -> str:
    """Write a text, quotes and control characters too, so that HTML shows it as it is."""
    return escape_html(one_line(text))


def data_uri(content: bytes, kind: str) -> str:
    """Give content of a MIME type as an address, so that it is inside the page."""
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def _spectrogram(view: SongView) -> str:
    seen = view.spectrogram - view.spectrogram.min()
    caption = "Spectrogram: the stronger the colour, the louder" if view.hertz is not None else (
        "The numbers that the network sees")
    return _lane(escape(caption), _picture((seen / max(seen.max(), 1e-12)) ** GAMMA,
                                           f"Spectrogram of {view.title}") + _heights(view))


def _segments(view: SongView) -> str:
    """Draw the stretches of time that have one class."""
    bars, said = "", []
    for start, end, label, probability in view.segments:
        tag, width = view.classes[label], (end - start) / view.length
        bars += (f'<span style="left:{start / view.length:.3%};width:{width:.3%};'
                 f'--c:{color_of(label)}" data-end="{end:.3f}">{escape(tag)}</span>')
        said.append(f"{tag} {probability:.2f} from {start:.1f} to {end:.1f} s")
    said[MOST_SEGMENTS:] = ["..."][:len(said) - MOST_SEGMENTS]
    return _lane(f"The likeliest class of each stretch of time{view.unvoted}",
                 f'<div role="img" aria-label="{escape("; ".join(said))}">{bars}</div>',
                 "segments")


def _probabilities(view: SongView) -> str:
    """Draw the probabilities of the likeliest classes as steps over time."""
    curves, names, said = "", [], []
    for label in reversed(view.likeliest):      # the likeliest lies on top
        color, found = color_of(label), view.probabilities[:, label]
        points = [(time, 1 - p) for times, p in zip(view.times, found, strict=True)
                  for time in times]
        curves += (f'<polyline points="{_points(points, view.length)}" stroke="{color}" '
                   f'stroke-width="{3 if label == view.label else 1.5}"/>')
        names.insert(0, f'<b style="--c:{color}">{escape(view.classes[label])}</b> '
                        f"{found.mean():.2f}")
        middle = view.times[found.argmax()].mean()
        said.insert(0, f"{view.classes[label]}: mean {found.mean():.2f}, at most "
                       f"{found.max():.2f} around {middle:.1f} s")
    voting = " of the chunks that vote" if view.unvoted else ""
    return _lane(f"Probabilities{voting}, from 0 to 1; their means: {', '.join(names)}",
                 _svg(curves, "; ".join(said)), "tall")


def _losses(view: SongView, losses: np.ndarray) -> str:
    """Draw what the tag loses where the sound is hidden."""
    caption = (f"Where it finds {view.tag} (occlusion): {view.hiding(losses)}. Hiding a purple "
               "place lowers it, an orange one raises it")
    return _lane(escape(caption), _picture(losses / max(abs(losses).max(), LEAST),
                                           f"Occlusion of {view.title}") + _heights(view))


def _filter(view: SongView, activation: Activation) -> str:
    """Draw how strongly a filter responds over time: the largest of all bands."""
    filter_, response, _ = activation
    band, frame = np.unravel_index(response.argmax(), response.shape)
    start = len(filter_.weights) / 2
    highest = _pooled(response.max(axis=0, keepdims=True), POINTS)[0]
    times = (start + np.linspace(0, response.shape[1], len(highest))) / filter_.rate
    height = 1 - highest / max(highest.max(), 1e-12)
    area = [(times[0], 1), *zip(times, height, strict=True), (times[-1], 1)]
    caption = (f"{activation.said(view.tag)}; responds most around "
               f"{(frame + start) / filter_.rate:.1f} s, {view.frequency(band)}")
    return _lane(escape(caption), _svg(f'<polygon points="{_points(area, view.length)}"/>',
                                       f"Response of the filter over {view.title}"), "low")


def _axis(length: float) -> str:
    """Write the seconds below all lanes."""
    step = next((each for each in TICKS if length / each <= MOST_TICKS), TICKS[-1])
    ticks = "".join(f'<span style="left:{time / length:.3%}">{time:g}</span>'
                    for time in np.arange(0, 0.98 * length, step))
    return f'<div class="axis" aria-hidden="true">{ticks}<span class="unit">s</span></div>'


def _lane(caption: str, content: str, kind: str = "") -> str:
    return (f'<figure><figcaption>{caption}</figcaption><div class="lane {kind}">{content}</div>'
            "</figure>\n")


def _heights(view: SongView) -> str:
    """Write frequencies beside their bands."""
    return "".join(f'<span class="hertz" style="bottom:{height:.1%}">{name}</span>'
                   for height, name in view.ticks())


def _svg(content: str, said: str) -> str:
    return (f'<svg viewBox="0 0 1000 100" preserveAspectRatio="none" role="img" '
            f'aria-label="{escape(said)}">{content}</svg>')


def _points(points: Iterable[tuple[float, float]], length: float) -> str:
    """Write points of an SVG: seconds, and a height from 0 at the top to 1."""
    return " ".join(f"{1000 * time / length:.1f},{100 * height:.1f}" for time, height in points)


def _picture(values: np.ndarray, said: str) -> str:
    """Draw numbers from -1 to 1, (bands, times), as more or less of two colours."""
    values = _pooled(values, COLUMNS)[::-1]
    pixels = np.empty((*values.shape, 4), np.uint8)
    pixels[..., :3] = np.where(values[..., np.newaxis] < 0, LESS, SHOWN)
    pixels[..., 3] = 255 * abs(values)
    file = io.BytesIO()
    imsave(file, pixels, format="png")
    return f'<img src="{data_uri(file.getvalue(), "image/png")}" alt="{escape(said)}">'


def _pooled(values: np.ndarray, columns: int) -> np.ndarray:
    """Keep the largest of neighbouring columns, so that there are no more than `columns`."""
    borders = np.linspace(0, values.shape[1], min(columns, values.shape[1]) + 1).astype(int)[:-1]
    return np.maximum.reduceat(values, borders, axis=1)
