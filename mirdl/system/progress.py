"""Progress bars with the time left, readable in a terminal and in a log file."""

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import TextIO

from tqdm import tqdm

_quiet = False


def set_quiet(quiet: bool) -> bool:
    """Choose whether bars are left out from now on.

    Parameters
    ----------
    quiet : bool

    Returns
    -------
    bool
        What it was before.
    """
    global _quiet
    before, _quiet = _quiet, quiet
    return before


def bar(iterable: Iterable | None = None, disable: bool = False, **options: object) -> tqdm:
    """Make a tqdm bar on stderr.

    If that is no terminal, it prints a line now and then, instead of one that is written over many
    times a second.

    Parameters
    ----------
    iterable : iterable or None
        What the bar follows; None if the caller updates it.
    disable : bool
        Show nothing.
    **options
        Those of tqdm.
    """
    if sys.stderr.isatty():
        where = {"dynamic_ncols": True}
    else:
        where = {"file": _Lines(sys.stderr), "mininterval": 15, "maxinterval": 15}
    return tqdm(iterable, disable=disable or _quiet, **where, **options)


def aside() -> AbstractContextManager:
    """Keep what others print on stderr inside the `with` block above the bars."""
    return tqdm.external_write_mode(sys.stderr)


class _Lines:
    """Print each state of a bar on its own line, where tqdm would overwrite the one before."""

    def __init__(self, file: TextIO) -> None:
        self.file, self.last = file, ""

    def write(self, text: str) -> None:
        if text.strip() not in ("", self.last):
            self.last = text.strip()
            sys.stdout.flush()      # so that a log of both keeps the order
            print(self.last, file=self.file, flush=True)


@contextmanager
def screen(
    progress: Callable[[], tuple[float, float, str]], calls: Iterable,
) -> Iterator[Callable[..., None]]:
    """Show one bar for all calls of a training.

    Parameters
    ----------
    progress : callable
        Gives the total of epochs, how many are done, and some words on what is being done.
    calls : sized
        There is no bar if it is empty.

    Yields
    ------
    callable
        It updates the bar, and prints its argument, if there is one, above it.
    """
    total, done, _ = progress()
    with bar(total=total, initial=done, desc="training", unit="epoch", disable=not calls) as shown:
        def tell(text: str = "") -> None:
            if text:
                shown.write(text.rstrip("\n"))
            shown.total, done, words = progress()
            shown.set_postfix_str(words, refresh=False)
            shown.update(done - shown.n)
        yield tell
