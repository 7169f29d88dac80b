"""Progress bars with the time left, legible in a terminal and in a log file."""

import sys
from contextlib import contextmanager

from tqdm import tqdm

_quiet = False


def hush(quiet):
    """Whether bars are left out from now on; whether they were before."""
    global _quiet
    before, _quiet = _quiet, quiet
    return before


def bar(iterable=None, disable=False, **options):
    """A tqdm bar on stderr; where that is no terminal, a line now and then instead of one that changes many times a second."""
    where = {"dynamic_ncols": True} if sys.stderr.isatty() else {"file": _Lines(sys.stderr), "mininterval": 15, "maxinterval": 15}
    return tqdm(iterable, disable=disable or _quiet, **where, **options)


def aside():
    """Within it, what others print on stderr stands above the bars."""
    return tqdm.external_write_mode(sys.stderr)


class _Lines:
    """A file whose lines end where tqdm, which writes them over each other, begins the next."""

    def __init__(self, file):
        self.file, self.last = file, ""

    def write(self, text):
        if text.strip() not in ("", self.last):
            self.last = text.strip()
            sys.stdout.flush()      # in one log, what was printed before stands before
            print(self.last, file=self.file, flush=True)


@contextmanager
def screen(progress, calls):
    """One bar for all calls. Gives a function that brings it up to date, and prints what it is given above it."""
    total, done, _ = progress()
    with bar(total=total, initial=done, desc="training", unit="epoch", disable=not calls) as shown:
        def tell(text=""):
            if text:
                shown.write(text.rstrip("\n"))
            shown.total, done, words = progress()
            shown.set_postfix_str(words, refresh=False)
            shown.update(done - shown.n)
        yield tell
