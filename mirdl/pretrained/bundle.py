"""TensorFlow's checkpoints, read without TensorFlow.

A checkpoint is two files. The index is a table of LevelDB: blocks of sorted names, and one block
that says where they are, which the end of the file points to. What the table says of a name, a
protocol buffer, is the type, shape and place of an array in the file of the numbers.
"""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

FOOTER, MAGIC = 48, (0xDB4775248B80FB57).to_bytes(8, "little")
FLOAT = 1       # TensorFlow's number of the type float32
TYPE, SHAPE, OFFSET, SIZE = 1, 2, 4, 5      # fields of what the table says of an array
SIZES, LENGTH = 2, 1                        # fields of a shape, and of each of its sizes


def arrays(index: bytes, numbers: bytes) -> dict[str, np.ndarray]:
    """Read all float32 arrays of a checkpoint.

    Parameters
    ----------
    index, numbers : bytes
        The contents of its files .index and .data-00000-of-00001.

    Returns
    -------
    dict of ndarray
        By the names of the variables.

    Raises
    ------
    ValueError
        If a file is damaged, or not of this form.
    """
    footer = _Bytes(index[-FOOTER:])
    if not index.endswith(MAGIC):
        raise ValueError("its index is no table of LevelDB")
    footer.varint(), footer.varint()        # the place of a block that is not needed
    found = {}
    for _, place in _block(index, footer):
        for name, entry in _block(index, _Bytes(place)):
            values, parts = _fields(entry)
            if name and values[TYPE] == FLOAT:      # the empty name is the table's header
                sizes = _fields(b"".join(parts[SHAPE]))[1][SIZES]
                shape = [_fields(size)[0][LENGTH] for size in sizes]
                content = _Bytes(numbers, values[OFFSET]).take(values[SIZE])
                found[name.decode()] = np.frombuffer(content, "<f4").reshape(shape)
    return found


def _block(index: bytes, place: "_Bytes") -> Iterator[tuple[bytes, bytes]]:
    """Yield the names and values of a block of a table."""
    content = _Bytes(index, place.varint())
    entries = content.take(place.varint())
    if content.take(1) != b"\0":
        raise ValueError("its index is compressed")
    entries, name = _Bytes(entries[:-4 * (int.from_bytes(entries[-4:], "little") + 1)]), b""
    while entries:
        shared, own, size = entries.varint(), entries.varint(), entries.varint()
        name = name[:shared] + entries.take(own)    # what it shares with the name before it
        yield name, entries.take(size)


def _fields(content: bytes) -> tuple[dict[int, int], dict[int, list[bytes]]]:
    """Read a protocol buffer: its whole numbers, 0 if not written, and its parts, by field."""
    rest, values, parts = _Bytes(content), defaultdict(int), defaultdict(list)
    while rest:
        number, kind = divmod(rest.varint(), 8)
        if kind == 0:
            values[number] = rest.varint()
        elif kind == 2:
            parts[number].append(rest.take(rest.varint()))
        elif kind == 5:
            rest.take(4)        # a checksum
        else:
            raise ValueError(f"its index has a field of kind {kind}")
    return values, parts


class _Bytes:
    """Bytes that are read one after the other, never beyond their end."""

    def __init__(self, content: bytes, at: int = 0) -> None:
        self.content, self.at = content, at

    def __bool__(self) -> bool:
        return self.at < len(self.content)

    def take(self, count: int) -> bytes:
        """Read so many bytes."""
        part = self.content[self.at:self.at + count]
        if len(part) < count:
            raise ValueError("it ends too early")
        self.at += count
        return part

    def varint(self) -> int:
        """Read a whole number: seven bits a byte, the lowest first; the last byte is below 128."""
        value = 0
        for place in range(10):
            [byte] = self.take(1)
            value |= (byte & 127) << 7 * place
            if byte < 128:
                return value
        raise ValueError("a number has no end")
