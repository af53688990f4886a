"""MP3 files whose length can only be guessed before they are decoded.

A file of variable bit rate should begin with a frame that holds the number of the
others ('Xing' or 'VBRI'). In pieces of files and recorded streams it is missing;
decoders then take the bit rate of the first frame for that of all, and think the file
shorter or longer than it is by a factor of up to ten.
"""

from collections.abc import Iterator
from typing import BinaryIO

_KBIT = {
    1: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
"""By MPEG version, of layer III; number 2 stands for 2.5, too."""
_SAMPLE_RATES = (44100, 48000, 32000)
_WINDOW = 1 << 14  # bytes looked at in each place; at 128 kbit/s these are 40 frames
_PLACES = 4


def length_is_guessed(file: BinaryIO) -> bool:
    """Return whether a file is MP3 of variable bit rate without its length.

    Parameters
    ----------
    file : binary file
        Any file; its position changes.
    """
    begin = size_of_id3(file)
    size = file.seek(0, 2)
    bit_rates: set[int] = set()
    for place in range(_PLACES):
        file.seek(begin + (size - begin) * place // _PLACES)
        data = file.read(_WINDOW)
        frames = list(_frames(data))
        if place == 0 and (not frames or _has_length(data, frames[0][0])):
            return False
        bit_rates.update(bit_rate for _, bit_rate in frames)
    return len(bit_rates) > 1


def has_length(file: BinaryIO) -> bool:
    """Return whether the first frame of an MP3 file holds the number of the others.

    Parameters
    ----------
    file : binary file
        Any file; its position changes.
    """
    file.seek(size_of_id3(file))
    data = file.read(_WINDOW)
    first = next(_frames(data), None)
    return first is not None and _has_length(data, first[0])


def size_of_id3(file: BinaryIO) -> int:
    """Return the number of bytes of the ID3v2 tag at the beginning; 0 without one."""
    file.seek(0)
    head = file.read(10)
    if len(head) < 10 or not head.startswith(b"ID3"):
        return 0
    size = 0
    for byte in head[6:]:
        size = size << 7 | byte & 0x7F
    return 10 + size


def _header(data: bytes, at: int) -> tuple[int, int] | None:
    """Return length in bytes and kbit/s of the frame that begins there, if one does."""
    head = data[at : at + 4]
    # Eleven bits of synchronisation, then version and layer.
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2:
        return None
    version = {3: 1, 2: 2, 0: 4}.get(head[1] >> 3 & 3)  # 4 stands for 2.5
    rate_index, bit_rate_index = head[2] >> 2 & 3, head[2] >> 4
    if version is None or rate_index == 3 or bit_rate_index in (0, 15):
        return None
    bit_rate = _KBIT[min(version, 2)][bit_rate_index - 1]
    sample_rate = _SAMPLE_RATES[rate_index] // version
    coefficient = 144_000 if version == 1 else 72_000
    return coefficient * bit_rate // sample_rate + (head[2] >> 1 & 1), bit_rate


def _frames(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield place and kbit/s of the frames that follow one another without gaps."""
    at = data.find(b"\xff")
    while at >= 0:  # what looks like a header is one where another follows
        frame = _header(data, at)
        if frame is not None and _header(data, at + frame[0]) is not None:
            break
        at = data.find(b"\xff", at + 1)
    while at >= 0 and (frame := _header(data, at)) is not None:
        yield at, frame[1]
        at += frame[0]


def _has_length(data: bytes, at: int) -> bool:
    """Return whether the first frame holds the number of frames."""
    head = data[at : at + 64]
    if b"VBRI" in head:
        return True
    mark = max(head.find(b"Xing"), head.find(b"Info"))
    has_number = mark >= 0 and data[mark + at + 7] & 1
    return bool(has_number and any(data[mark + at + 8 : mark + at + 12]))
