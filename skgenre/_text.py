"""Text of unknown origin, such as names of files, as it may be shown."""

import unicodedata
from collections.abc import Iterable


def printable(text: str) -> str:
    r"""Return text in which everything that doesn't print is spelt out.

    Control characters could drive a terminal, marks of direction could turn the words
    around, and parts of a file's name that are not Unicode can't be written at all.

    Examples
    --------
    >>> print(printable("a\x1b[31m\nb\udcff"))
    a\x1b[31m\nb\udcff
    """
    if text.isprintable():
        return text
    return "".join(
        c if c.isprintable() or unicodedata.category(c) == "Zs" else repr(c)[1:-1]
        for c in text
    )


def format_list(items: Iterable[object], *, limit: int = 10, sep: str = ", ") -> str:
    """Return items as text: the first ones, and how many more there are.

    Examples
    --------
    >>> format_list(range(5), limit=2)
    '0, 1 and 3 more'
    """
    texts = [str(item) for item in items]
    shown = sep.join(texts[:limit])
    n_more = len(texts) - limit
    return f"{shown} and {n_more} more" if n_more > 0 else shown
