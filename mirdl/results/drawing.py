"""What all pictures share: files, fonts, colours, and names in lines."""

import sys
import textwrap
from colorsys import hls_to_rgb
from functools import lru_cache
from typing import BinaryIO

from matplotlib import rcParams
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager, get_font
from matplotlib.text import Text

from mirdl.errors import one_line
from mirdl.results.tables import columns_of
from mirdl.system.whole_files import whole

WIDTH = 7.0         # inches: a page's text width
FONT = "DejaVu Sans"        # comes with matplotlib
_told = set()       # letters that no font has, as a note said


def save(figure: Figure, path: str) -> str:
    """Save a figure as a PNG, whole or not at all; give the path back."""
    with whole(path, "wb") as file:
        # its label is what it shows, in words
        write(figure, file, format="png", dpi=150, metadata={"Description": figure.get_label()})
    return path


def write(figure: Figure, file: BinaryIO, **options: object) -> None:
    """Write a figure, in which names look as they are written; `options` are those of savefig.

    No `$` begins a formula, and letters that matplotlib's own font lacks come from another font.
    """
    texts = figure.findobj(Text)
    letters = frozenset("".join(text.get_text() for text in texts)) - {"\n"}
    fonts = _fonts_for(letters - _letters_of(FONT))
    for text in texts:
        text.set(parse_math=False, fontfamily=[FONT, *fonts])
    figure.savefig(file, **options)


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
            if missing - _told:
                print(f"Note: no font on this machine has {''.join(sorted(missing - _told))!r}: "
                      "pictures show boxes instead; install one, for instance Noto Sans CJK",
                      file=sys.stderr)
            _told.update(missing)
            break
        chosen.append(best)
        missing -= _letters_of(best)
    return chosen


@lru_cache(None)
def _letters_of(font: str) -> frozenset[str]:
    return frozenset(map(chr, get_font(fontManager.findfont(font)).get_charmap()))


def is_dark() -> bool:
    """Tell whether the picture has a black background."""
    return rcParams["axes.facecolor"] == "black"


def color_of(label: int | None) -> str:
    """Give a class's colour, the same in every picture; of 30 classes none has another's."""
    if label is None:
        return "grey"
    # by the golden ratio, hues of neighbours are far apart, and no hue comes twice
    return to_hex(hls_to_rgb(0.6 + 0.618034 * label % 1, (0.42, 0.53)[label % 2], 0.75))


def wrapped(name: str, columns: int, lines: int | None = None) -> str:
    """Break a name into lines of so many columns at most; a Japanese letter takes two.

    What goes beyond so many lines is left out, and an ellipsis says so.
    """
    name = one_line(name)
    letters = columns * len(name) // max(columns_of(name), 1)
    broken = textwrap.wrap(name, max(letters, 1), max_lines=lines, placeholder="…")
    return "\n".join(broken)
