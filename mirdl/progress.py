"""Progress bars with the time left, legible in a terminal and in a log file."""

import sys

from tqdm import tqdm


def bar(iterable=None, **options):
    """A tqdm bar on stderr; where that is no terminal, one line now and then instead of many a second."""
    return tqdm(iterable, mininterval=0.1 if sys.stderr.isatty() else 15, dynamic_ncols=True, **options)
