"""Files that end earlier than they should, as after a broken download or on a full disk.

Decoders do not notice that anything is missing.
"""

import os
from collections.abc import Iterator
from typing import BinaryIO

SHARE = 0.98            # of the promised bytes: programs count a few more or less
UNKNOWN = 0x7fff0000    # a wav that was written to a pipe promises so many bytes, or more
PAGE = 2**16            # a page of an Ogg file is at most a little longer
# how a file begins -> where its size stands, in which order of bytes, and what it does not count
SIZES = {
    b"RIFF": (slice(4, 8), "little", 8), b"FORM": (slice(4, 8), "big", 8),
    b"RF64": (slice(20, 28), "little", 8), b"riff": (slice(16, 24), "little", 0),
    b".snd": (slice(8, 12), "big", 24),
}


def note_of(file: str) -> str:
    """Say in a few words that a file is cut off; "" if it is not, or cannot be told.

    Parameters
    ----------
    file : str
        Path of a file that can be opened.
    """
    there = os.path.getsize(file)
    with open(file, "rb") as opened:
        head = opened.read(28)
        if head.startswith(b"OggS"):
            return "" if _has_last_page(opened, there) else "is cut off: its last page is missing"
        promised = _promised(opened, head, there)
    if there < SHARE * promised:
        return f"is cut off: {there} of the {promised} bytes that its header promises are there"
    return ""


def _promised(opened: BinaryIO, head: bytes, there: int) -> int:
    """Return how many bytes a file should have; 0 if it does not say."""
    if head[4:8] == b"ftyp":
        return max(_ends_of_boxes(opened, there))
    place, order, others = SIZES.get(head[:4], (slice(0), "big", 0))
    size = int.from_bytes(head[place], order)
    return size + others if size > 0 and (size < UNKNOWN or len(head[place]) == 8) else 0


def _ends_of_boxes(opened: BinaryIO, there: int) -> Iterator[int]:
    """Find where each box of an MP4 file should end."""
    end = 0
    while end < there:
        opened.seek(end)
        header = opened.read(16)
        size = int.from_bytes(header[:4])
        if size == 1:       # it follows, as a longer number
            size = int.from_bytes(header[8:])
        end += size or there - end      # 0: up to the end
        yield end


def _has_last_page(opened: BinaryIO, there: int) -> bool:
    """Tell whether the last page of an Ogg file is marked as the last."""
    opened.seek(max(0, there - 2 * PAGE))
    page = opened.read().rpartition(b"OggS")[2]
    return len(page) > 1 and bool(page[1] & 4)
