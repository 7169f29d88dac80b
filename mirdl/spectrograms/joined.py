"""Sound files that were joined (`cat one.mp3 two.mp3`): where each part begins.

MP3, Ogg and FLAC files may be joined. Decoders take the rate and the channels of the first part
for all of them, so parts that differ in that have to be decoded one by one.
"""

import itertools
import mmap
import re
from collections.abc import Iterator

ID3 = b"ID3"
FLAC = b"fLaC\0\0\0\x22"        # the marker, and the header of the block that always comes first
OGG = b"OggS"
BEGINS = 2                      # the flag of the first page of a stream
PAGE = 27                       # bytes of a page's header, before the lengths of its segments

# By the two bits for the version: MPEG 2.5, none, MPEG 2, MPEG 1
MPEG_RATES = ((11025, 12000, 8000), (), (22050, 24000, 16000), (44100, 48000, 32000))
KBITS = {       # by (MPEG 1, layer): kbit/s
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
MONO = 3
RUN = 8         # frames of one kind in a row: fewer may be noise that looks like a frame


def parts_of(file: str) -> list[bytes]:
    """Return the parts of a sound file that was joined.

    Parameters
    ----------
    file : str
        Path of a file that is not empty.

    Returns
    -------
    list of bytes
        One for each part; empty if the file was not joined, or if its parts cannot be found.
    """
    with (
        open(file, "rb") as opened,
        mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content,
    ):
        starts = list(_starts(content))
        if len(starts) < 2:
            return []
        ends = [*starts[1:], len(content)]
        return [content[start:end] for start, end in zip(starts, ends, strict=True)]


def _starts(content: mmap.mmap) -> Iterator[int]:
    """Find where the parts begin: of an Ogg or FLAC file all parts, of an MP3 those that differ."""
    if content[:4] == OGG:
        return _ogg_starts(content)
    if content[:8] == FLAC:
        return (found.start() for found in re.finditer(re.escape(FLAC), content))
    if content[:3] == ID3 or _mpeg_frame(content, 0):
        return _mpeg_starts(content)
    return iter(())


def _ogg_starts(content: mmap.mmap) -> Iterator[int]:
    """Find each page that begins a stream after one that does not."""
    place, began = 0, False
    while content[place:place + 4] == OGG and place + PAGE <= len(content):
        begins = bool(content[place + 5] & BEGINS)
        if begins and not began:
            yield place
        began = begins
        segments = content[place + PAGE - 1]
        place += PAGE + segments + sum(content[place + PAGE:place + PAGE + segments])


def _mpeg_starts(content: mmap.mmap) -> Iterator[int]:
    """Find each frame that begins a run of frames with another rate or number of channels."""
    kind = None
    for found, frames in itertools.groupby(_mpeg_frames(content), lambda frame: frame[1]):
        start, _ = next(frames)
        if found != kind and sum(1 for _ in itertools.islice(frames, RUN - 1)) == RUN - 1:
            yield start
            kind = found


def _mpeg_frames(content: mmap.mmap) -> Iterator[tuple[int, tuple[int, bool]]]:
    """Yield the place of each frame, and its kind: (rate, mono)."""
    place = 0
    while place + 4 <= len(content):
        frame = _mpeg_frame(content, place)
        if frame:
            size, kind = frame
            yield place, kind
            place += size
        elif content[place:place + 3] == ID3:
            place += _id3_size(content, place)
        else:       # where the next frame or tag may begin
            found = content.find(b"\xff", place + 1), content.find(ID3, place + 1)
            place = min((start for start in found if start >= 0), default=len(content))


def _id3_size(content: mmap.mmap, place: int) -> int:
    size = 0
    for byte in content[place + 6:place + 10]:
        size = size << 7 | byte & 127
    return 10 + size


def _mpeg_frame(content: mmap.mmap, place: int) -> tuple[int, tuple[int, bool]] | None:
    """Read the header of an MPEG frame: its size in bytes, and its kind; None for anything else."""
    header = int.from_bytes(content[place:place + 4])
    version, layer, coding = header >> 19 & 3, 4 - (header >> 17 & 3), header >> 12 & 15
    rate, padding = header >> 10 & 3, header >> 9 & 1
    if header >> 21 != 0x7FF or version == 1 or layer == 4 or coding in (0, 15) or rate == 3:
        return None
    rate, mpeg1 = MPEG_RATES[version][rate], version == 3
    bits = 1000 * KBITS[mpeg1, layer][coding - 1]
    if layer == 1:
        size = (12 * bits // rate + padding) * 4
    else:
        size = (144 if mpeg1 or layer == 2 else 72) * bits // rate + padding
    return size, (rate, header >> 6 & 3 == MONO)
