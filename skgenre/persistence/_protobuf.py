"""The fields of a protocol buffer, without building what it describes.

A field takes two bytes of a file at the least, and the object that a library would make
of it takes a hundred in memory. Here, what is not asked for is skipped.
"""

from collections.abc import Iterator
from typing import Any

_MAX_BITS = 64
_MAX_AXES = 64
_VARINT, _8_BYTES, _BYTES, _4_BYTES = 0, 1, 2, 5


def fields(message: memoryview, most: int) -> Iterator[tuple[int, Any]]:
    r"""Yield the number of each field of a message, and its value.

    Parameters
    ----------
    message : memoryview
        The encoded message.
    most : int
        How many fields it may have.

    Yields
    ------
    number : int
        As the message's definition numbers its fields.
    value : int or memoryview
        An integer, or the bytes of a text, of an inner message or of a number of fixed
        size.

    Raises
    ------
    ValueError
        If the bytes are no message, or the message has more fields.

    Examples
    --------
    >>> [(n, bytes(value)) for n, value in fields(memoryview(b"\x12\x02hi"), 9)]
    [(2, b'hi')]
    """
    at = integer = 0
    for _ in range(most + 1):
        if at == len(message):
            return
        tag, at = _integer(message, at)
        kind, number = tag & 7, tag >> 3
        if kind in (_VARINT, _BYTES):
            integer, at = _integer(message, at)
        if kind == _VARINT:
            yield number, integer
            continue
        sizes = {_8_BYTES: 8, _BYTES: integer, _4_BYTES: 4}
        if sizes.get(kind, len(message)) > len(message) - at:
            raise ValueError("a field is of an unknown kind, or cut off")
        yield number, message[at : at + sizes[kind]]
        at += sizes[kind]
    raise ValueError(f"a message has more than {most} fields")


def integers(value: Any) -> list[int]:
    r"""Return the integers of a repeated field, which may be packed into one.

    Raises
    ------
    ValueError
        If the bytes are no integers, or there are more than 64.

    Examples
    --------
    >>> integers(3), integers(memoryview(b"\x03\xac\x02"))
    ([3], [3, 300])
    """
    if isinstance(value, int):
        return [value]
    result: list[int] = []
    at = 0
    while at < len(value):
        number, at = _integer(value, at)
        result.append(number)
        if len(result) > _MAX_AXES:
            raise ValueError(f"an array has more than {_MAX_AXES} axes")
    return result


def _integer(message: memoryview, at: int) -> tuple[int, int]:
    """Return an integer of seven bits a byte, and where it ends."""
    value = 0
    for shift in range(0, _MAX_BITS, 7):
        if at == len(message):
            break
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return value, at
    raise ValueError("an integer is cut off, or too long")
