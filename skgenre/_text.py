"""Text of unknown origin, such as names of files, as it may be shown."""

import unicodedata


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
