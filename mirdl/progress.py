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
    """A tqdm bar on stderr; where that is no terminal, one line now and then instead of many a second."""
    return tqdm(iterable, mininterval=0.1 if sys.stderr.isatty() else 15, dynamic_ncols=True, disable=disable or _quiet, **options)


@contextmanager
def screen(progress, calls):
    """One bar for all calls. Gives a function that brings it up to date, and prints what it is given above it."""
    total, done, _ = progress()
    with bar(total=total, initial=done, unit='epoch', disable=not calls) as shown:
        def tell(text=''):
            if text:
                shown.write(text.rstrip('\n'))
            shown.total, done, words = progress()
            shown.set_postfix_str(words, refresh=False)
            shown.update(done - shown.n)
        yield tell
