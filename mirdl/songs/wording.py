"""Words for numbers and lists of songs."""

MOST_NAMES = 3      # that are named in one line


def some(count: int, one: str, more: str) -> str:
    """Write a number and what is counted: '1 song is', '2 songs are'."""
    return f"{count} {one if count == 1 else more}"


def names_of(names: list[str]) -> str:
    """Write the first names, and how many others there are."""
    return first_of([repr(name) for name in names])


def first_of(texts: list[str]) -> str:
    """Write the first texts, and how many others there are."""
    first, others = ", ".join(texts[:MOST_NAMES]), len(texts) - MOST_NAMES
    return first if others <= 0 else f"{first} and {some(others, 'other', 'others')}"
