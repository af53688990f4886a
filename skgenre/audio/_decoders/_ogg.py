"""Ogg files in which one stream follows another, as in recorded radio."""

import struct
from typing import BinaryIO

_PAGE = struct.Struct("<4sBBqI")  # mark, version, flags, position, serial number
_MARK = b"OggS\0"
_BEGINS = 2  # flag of the first page of a stream
_BLOCK = 1 << 20
# Bytes. Of longer files only the end is looked at: to read all would take longer than
# to decode an excerpt.
_MOST_SCANNED = 1 << 26
_TAIL = 1 << 17  # holds a page at least


def is_chained(file: BinaryIO) -> bool:
    """Return whether a stream of an Ogg file begins behind the first ones.

    Streams that begin together are no chain: they are sound and video.

    Parameters
    ----------
    file : binary file
        Its position changes.
    """
    size = file.seek(0, 2)
    file.seek(0)
    head = file.read(_TAIL)
    serials, at = set(), 0
    while (page := _page(head, at)) is not None and page[0] & _BEGINS:
        serials.add(page[1])
        at = head.find(_MARK, at + 1)
    if not serials or at < 0:
        return False
    if size > _MOST_SCANNED:
        file.seek(max(0, size - _TAIL))
        tail = file.read(_TAIL)
        page = _page(tail, tail.rfind(_MARK))
        return page is not None and page[1] not in serials
    beginning = _MARK + bytes([_BEGINS])
    data = head[at:]
    while data:
        if beginning in data:
            return True
        block = file.read(_BLOCK)
        data = data[1 - len(beginning) :] + block if block else b""
    return False


def _page(data: bytes, at: int) -> tuple[int, int] | None:
    """Return flags and serial number of the page that begins there, if one does."""
    head = data[at : at + _PAGE.size] if at >= 0 else b""
    if len(head) < _PAGE.size or not head.startswith(_MARK):
        return None
    _, _, flags, _, serial = _PAGE.unpack(head)
    return flags, serial
