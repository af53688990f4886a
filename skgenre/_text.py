"""Text of unknown origin, for messages, terminals, JSON and spreadsheets."""

import json
import re
import unicodedata
from collections.abc import Iterable


def format_list(items: Iterable[object], *, limit: int = 10, sep: str = ", ") -> str:
    """Return the first items as text, and how many more there are.

    Parameters
    ----------
    items : iterable of object
        What is listed; of each, its `str`.
    limit : int, default=10
        Items to name at most.
    sep : str, default=', '
        What stands between two items.

    Returns
    -------
    str
        Such as 'a, b and 3 more'.

    Examples
    --------
    >>> format_list(["jazz", "rock", "soul"], limit=2)
    'jazz, rock and 1 more'
    >>> format_list([1, 2])
    '1, 2'
    """
    texts = [str(item) for item in items]
    named = sep.join(texts[:limit])
    n_more = len(texts) - limit
    return f"{named} and {n_more} more" if n_more > 0 else named


def shorten(text: str, limit: int = 200) -> str:
    """Return text of at most `limit` characters, without the middle of a longer one.

    Examples
    --------
    >>> shorten("a" * 1000 + ".mp3", limit=13)
    'aaaaaa…aa.mp3'
    """
    if len(text) <= limit:
        return text
    n_end = (limit - 1) // 2
    return f"{text[: limit - 1 - n_end]}…{text[len(text) - n_end :]}"


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


def printable_json(text: str) -> str:
    r"""Return the same JSON, in which everything that doesn't print is spelt out.

    Examples
    --------
    >>> print(printable_json('{"genre": "música\u202e"}'))
    {"genre": "música\u202e"}
    """
    # Outside strings, JSON has no such characters but line ends.
    return "".join(
        c if c.isprintable() or c in "\n " else json.dumps(c)[1:-1] for c in text
    )


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.ASCII | re.IGNORECASE)
# Some spreadsheets take the wide forms, too, and in some languages they end cells at
# semicolons.
_FORMULA = re.compile(r"(^|;\s*)(?=[=+@\t\r\uff1d\uff0b\uff0d\uff20-])")


def csv_cell(value: object) -> object:
    r"""Return the value of a cell that no spreadsheet runs as a formula.

    Text that begins like a formula, also after a semicolon, gets an apostrophe in
    front; what doesn't print is spelt out. Numbers stay as they are, in text, too.

    Examples
    --------
    >>> csv_cell("=HYPERLINK(A1)"), csv_cell("-0.5"), csv_cell(-0.5), csv_cell("rock")
    ("'=HYPERLINK(A1)", '-0.5', -0.5, 'rock')
    """
    if not isinstance(value, str):
        return value
    is_number = _NUMBER.fullmatch(value)
    return printable(value if is_number else _FORMULA.sub(r"\1'", value))
