"""Texts of ID3 tags, as they are written there.

tinytag returns one name for a genre of several numbers, none for the words after a
number, wrong ones for numbers from 139 on, and damaged texts of tags that are
unsynchronised.
https://id3.org/id3v2.3.0
"""

import io
import os
import struct
from collections.abc import Iterator
from typing import BinaryIO

_ID3V1_SIZE = 128
_FIELDS = {
    b"TCON": "genre",
    b"TCO": "genre",
    b"TPE1": "artist",
    b"TP1": "artist",
    b"TPE2": "albumartist",
    b"TP2": "albumartist",
    b"TALB": "album",
    b"TAL": "album",
    b"TIT2": "title",
    b"TT2": "title",
    b"TDRC": "year",
    b"TYER": "year",
    b"TYE": "year",
}
_ENCODINGS = {0: "latin-1", 1: "utf-16", 2: "utf-16-be", 3: "utf-8"}
# With covers; a tag that is written anew before it is read is read up to here.
_MOST_BYTES = 16 << 20
_MOST_OF_FRAME = 1 << 16


def read_id3(file: BinaryIO) -> dict[str, list[str]]:
    """Return the texts of a file's ID3v2 tag.

    Parameters
    ----------
    file : binary file
        Any file; the tag, of version 2, is at its beginning, or in a chunk of WAV or
        AIFF.

    Returns
    -------
    dict of str to list of str
        By tinytag's names of the fields; none if there is no such tag.
    """
    found: dict[str, list[str]] = {}
    start = _start_of_tag(file)
    if start is not None:
        file.seek(start)
        for name, content in _frames(file):
            found.setdefault(_FIELDS[name], []).extend(filter(None, _texts(content)))
    return found


def size_of_id3(file: BinaryIO) -> int:
    """Return the number of bytes of the ID3v2 tag at the beginning of a file."""
    file.seek(0)
    header = file.read(10)
    if len(header) < 10 or not header.startswith(b"ID3"):
        return 0
    return 10 + _seven_bits(header[6:])


def _start_of_tag(file: BinaryIO) -> int | None:
    file.seek(0)
    head = file.read(12)
    if head.startswith(b"ID3"):
        return 0
    order = {b"RIFF": "<I", b"FORM": ">I"}.get(head[:4])
    while order and len(chunk := file.read(8)) == 8:
        (size,) = struct.unpack(order, chunk[4:])
        if chunk[:4].lower() == b"id3 ":
            return file.tell()
        file.seek(size + size % 2, os.SEEK_CUR)
    return None


def _seven_bits(number: bytes) -> int:
    value = 0
    for byte in number:
        value = value << 7 | byte & 0x7F
    return value


def _frames(file: BinaryIO) -> Iterator[tuple[bytes, bytes]]:
    header = file.read(10)
    if len(header) < 10 or header[:3] != b"ID3" or header[3] not in (2, 3, 4):
        return
    version, flags, size = header[3], header[5], _seven_bits(header[6:])
    if flags & 0x80 and version < 4:  # a zero was put after each 255
        file = io.BytesIO(_synchronised(file.read(min(size, _MOST_BYTES))))
    if flags & 0x40 and version > 2:
        length = file.read(4)
        extended = _seven_bits(length) - 4 if version == 4 else int.from_bytes(length)
        file.seek(max(0, extended), os.SEEK_CUR)
    position, n_name, n_header = 0, *((3, 6) if version == 2 else (4, 10))
    while position + n_header <= size:
        frame = file.read(n_header)
        name, number = frame[:n_name], frame[n_name : 2 * n_name]
        if len(frame) < n_header or not name.strip(b"\0"):
            return
        plain = version < 4 or max(number) > 0x7F  # as iTunes wrote them
        length_of_frame = int.from_bytes(number) if plain else _seven_bits(number)
        position += n_header + length_of_frame
        if name not in _FIELDS:
            file.seek(length_of_frame, os.SEEK_CUR)
            continue
        content = file.read(min(length_of_frame, _MOST_OF_FRAME))
        file.seek(length_of_frame - len(content), os.SEEK_CUR)
        if version == 4:
            content = content[4:] if frame[9] & 0x01 else content
            is_marked = frame[9] & 0x02 or flags & 0x80
            content = _synchronised(content) if is_marked else content
        yield name, content


def _synchronised(content: bytes) -> bytes:
    return content.replace(b"\xff\x00", b"\xff")


def _texts(content: bytes) -> list[str]:
    encoding = _ENCODINGS.get(content[0] if content else 0)
    if encoding is None:
        return []
    text = content[1:].decode(encoding, "replace")
    return text.replace("\ufeff", "").split("\0")  # each may have a mark


def read_id3v1_genre(file: BinaryIO) -> int | None:
    """Return the number of the genre in an ID3v1 tag, at the end of a file."""
    if file.seek(0, os.SEEK_END) < _ID3V1_SIZE:
        return None
    file.seek(-_ID3V1_SIZE, os.SEEK_END)
    tag = file.read(_ID3V1_SIZE)
    return tag[-1] if tag.startswith(b"TAG") else None
