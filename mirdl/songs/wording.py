"""Words for numbers and lists of songs."""

MOST_NAMES = 3      # that are named in one line


def some(count: int, one: str, more: str) -> str:
    """Write a number and what is counted: '1 song is', '2 songs are'."""
    return f"{count} {one if count == 1 else more}"


def names_of(names: list[str]) -> str:
    """Write the first names, and how many others there are."""
    named, others = ", ".join(map(repr, names[:MOST_NAMES])), len(names) - MOST_NAMES
    return named if others <= 0 else f"{named} and {some(others, 'other', 'others')}"
