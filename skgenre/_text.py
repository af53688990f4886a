"""Text of unknown origin, such as names of files, as it may be shown; lists of it."""

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
    """Return the first few of some items as text, and how many more there are.

    Parameters
    ----------
    items : iterable
        Anything with a `str`.
    limit : int, default=10
        Items to show.
    sep : str, default=", "
        What stands between them.

    Examples
    --------
    >>> format_list("abcde", limit=2)
    'a, b and 3 more'
    """
    items = list(items)
    text = sep.join(map(str, items[:limit]))
    return f"{text} and {len(items) - limit} more" if len(items) > limit else text
