from contextlib import suppress

import numpy as np
import pytest

from mirdl.pretrained import bundle

FIRST = np.arange(6, dtype=np.float32).reshape(2, 3) / 7
SECOND = np.float32([-1.5, 2.25])


def varint(number):
    *rest, last = [number >> place & 127 for place in range(0, max(1, number.bit_length()), 7)]
    return bytes([digit | 128 for digit in rest] + [last])


def field(number, value):
    if isinstance(value, int):
        return varint(8 * number) + varint(value)
    return varint(8 * number + 2) + varint(len(value)) + value


def entry(shape, offset, size, kind=1):
    sizes = b"".join(field(2, field(1, each)) for each in shape)
    crc = bytes([8 * 6 + 5]) + b"\0\1\2\3"
    return field(1, kind) + field(2, sizes) + field(4, offset) + field(5, size) + crc


def block(*entries):
    """Write entries (shared, own part of the name, value), one restart, and that it is plain."""
    content = b"".join(varint(shared) + varint(len(own)) + varint(len(value)) + own + value
                       for shared, own, value in entries)
    return content + bytes(4) + (1).to_bytes(4, "little")


def table(*entries):
    content = block(*entries)
    places = block((0, b"z", varint(0) + varint(len(content))))
    index = content + bytes(5) + places + bytes(5)
    footer = varint(0) + varint(0) + varint(len(content) + 5) + varint(len(places))
    return index + footer.ljust(40, b"\0") + bundle.MAGIC


ENTRIES = ((0, b"", b""), (0, b"dense/bias", entry((2,), 24, 8)),
           (6, b"kernel", entry((2, 3), 0, 24)), (0, b"step", entry((), 32, 8, kind=9)))
NUMBERS = FIRST.tobytes() + SECOND.tobytes() + bytes(8)


def test_arrays_have_the_names_and_places_of_the_table():
    found = bundle.arrays(table(*ENTRIES), NUMBERS)
    assert list(found) == ["dense/bias", "dense/kernel"]
    np.testing.assert_array_equal(found["dense/bias"], SECOND)
    np.testing.assert_array_equal(found["dense/kernel"], FIRST)


@pytest.mark.parametrize("length", [0, 7, 47, 60, 100, 150])
def test_a_file_that_ends_early_is_refused(length):
    whole = table(*ENTRIES)
    with pytest.raises(ValueError):
        bundle.arrays(whole[:length], NUMBERS)
    with pytest.raises(ValueError, match="ends too early"):
        bundle.arrays(whole, NUMBERS[:23])


@pytest.mark.parametrize("wrong", [
    entry((2, 3), 12, 24), entry((2, 3), 2**62, 24), entry((2, 4), 0, 24),
    entry((2**40, 2**40), 0, 24), field(1, 1) + field(2, 3), b"\x08" + b"\xff" * 11])
def test_places_beyond_the_numbers_and_shapes_of_another_size_are_refused(wrong):
    with pytest.raises(ValueError):
        bundle.arrays(table((0, b"a", wrong)), FIRST.tobytes() + bytes(8))


def test_no_byte_that_is_changed_does_more_than_be_refused():
    whole = table(*ENTRIES)
    for place in range(len(whole)):
        for value in (0, 127, 255):
            damaged = whole[:place] + bytes([value]) + whole[place + 1:]
            with suppress(ValueError):      # UnicodeDecodeError is one, too
                bundle.arrays(damaged, NUMBERS)
