"""APEv2 tags, at the end of WavPack files and of some MP3s.

https://wiki.hydrogenaudio.org/index.php?title=APEv2_specification
"""

import os
import struct
from typing import BinaryIO

_FOOTER = struct.Struct("<8s4I8x")
_ID3V1_SIZE = 128
# With covers; no more of it is read.
_MOST_BYTES = 16 << 20


def read_ape(file: BinaryIO) -> dict[str, list[str]]:
    """Return the texts of an APEv2 tag.

    Parameters
    ----------
    file : binary file
        Any file.

    Returns
    -------
    dict of str to list of str
        Values by their keys in lower case; none if there is no such tag.
    """
    size = file.seek(0, os.SEEK_END)
    for end in (size, size - _ID3V1_SIZE):  # an ID3v1 tag comes after it
        if end < _FOOTER.size:
            break
        file.seek(end - _FOOTER.size)
        name, _, length, n_items, _ = _FOOTER.unpack(file.read(_FOOTER.size))
        if name == b"APETAGEX" and _FOOTER.size <= length <= min(end, _MOST_BYTES):
            file.seek(end - length)
            return _items(file.read(length - _FOOTER.size), n_items)
    return {}


def _items(body: bytes, n_items: int) -> dict[str, list[str]]:
    items: dict[str, list[str]] = {}
    position = 0
    for _ in range(n_items):
        if position + 8 > len(body):
            break
        length, flags = struct.unpack_from("<2I", body, position)
        end = body.find(b"\0", position + 8)
        if end < 0:
            break
        key = body[position + 8 : end].decode("latin-1").lower()
        position = end + 1 + length
        if not flags & 6:  # text
            value = body[end + 1 : position].decode("utf-8", "replace")
            items.setdefault(key, []).extend(value.split("\0"))
    return items
