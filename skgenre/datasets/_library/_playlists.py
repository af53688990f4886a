"""Playlists, as commands read and write them, and lists of files."""

import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path
from typing import IO, NamedTuple
from urllib.request import url2pathname

from skgenre.audio._remote import is_url

WRITTEN_SUFFIX = ".m3u8"
"""The end of the names of playlists that are written."""
PLAYLIST_SUFFIXES = frozenset((".m3u", WRITTEN_SUFFIX))
MOST_BYTES = 1 << 26
"""Of a list; each path takes some hundred."""
_MOST_PATHS = 1_000_000
_FILE_URL = "file://"
_NO_TEXT = {"Cc", "Cs", "Zl", "Zp"}  # controls, half characters, ends of lines
# What Windows does not take in names of files, or takes for devices.
_NOT_IN_NAMES = re.compile(r'[<>:"/\\|?*]')
_DEVICES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)
_LONGEST_NAME = 60  # characters, of which some take 4 of the 255 bytes of a name


class Entry(NamedTuple):
    """A song of a playlist."""

    path: str
    group: str = ""
    """Its genre or cluster, if the playlist has several."""


def is_playlist(path: str | os.PathLike[str]) -> bool:
    """Return whether a path is that of a playlist, by the end of its name."""
    return os.path.splitext(path)[1].lower() in PLAYLIST_SUFFIXES


def read_playlist(path: str | os.PathLike[str]) -> list[str]:
    """Return the paths that a playlist names.

    Lines that begin with ``#``, such as ``#EXTINF``, are comments. Relative paths are
    relative to the playlist's folder, and ``file:`` URLs are paths. Nothing is fetched:
    another URL is taken for a path, which doesn't exist.

    Parameters
    ----------
    path : str or PathLike
        The playlist, in UTF-8; ``.m3u`` may be in Latin-1.

    Returns
    -------
    list of str
        In the playlist's order; they need not exist, and none is a URL.

    Raises
    ------
    OSError
        If the playlist can't be read.
    ValueError
        If it is no text, or names no file.
    """
    name = os.fspath(path)
    what = f"The playlist {name!r}"
    with open(name, "rb") as file:
        contents = file.read(MOST_BYTES + 1)
    _check_text(contents, what)
    try:
        text = contents.decode("utf-8-sig")
    except UnicodeDecodeError:
        if name.lower().endswith(".m3u8"):
            raise ValueError(
                f"{what} is not in UTF-8, as .m3u8 must be. Save it in UTF-8, or "
                "rename it to .m3u if it is in Latin-1."
            ) from None
        text = contents.decode("latin-1")
    folder = os.path.dirname(name)
    entries = [line for line in _lines(text) if not line.startswith("#")]
    return [_local(_in_folder(entry, folder)) for entry in _some(entries, what)]


def parse_list(contents: bytes, what: str) -> list[str]:
    """Return the paths of a list, one a line, spelt as the file system spells them.

    Parameters
    ----------
    contents : bytes
        The list.
    what : str
        What an error calls it.

    Returns
    -------
    list of str
        In the list's order; they need not exist, and none is a URL.

    Raises
    ------
    ValueError
        If it is no text, or names no file.
    """
    _check_text(contents, what)
    lines = _lines(os.fsdecode(contents.removeprefix(b"\xef\xbb\xbf")))
    return [_local(line) for line in _some(lines, what)]


def _check_text(contents: bytes, what: str) -> None:
    if len(contents) > MOST_BYTES:
        raise ValueError(f"{what} is larger than {MOST_BYTES >> 20} MiB. Split it.")
    if b"\0" in contents:
        raise ValueError(
            f"{what} is no text: it holds zero bytes. Write one path a line."
        )


def _lines(text: str) -> list[str]:
    # Not by `splitlines`, which ends lines at characters that may be in names.
    lines = (line.removesuffix("\r") for line in text.split("\n"))
    return [line for line in lines if line]


def _some(paths: list[str], what: str) -> list[str]:
    if not paths:
        raise ValueError(f"{what} names no file.")
    if len(paths) > _MOST_PATHS:
        raise ValueError(f"{what} has more than {_MOST_PATHS} paths. Split it.")
    return paths


def _in_folder(entry: str, folder: str) -> str:
    """Return the path of a playlist's entry."""
    if entry[: len(_FILE_URL)].lower() == _FILE_URL:
        return url2pathname(entry[len(_FILE_URL) :].removeprefix("localhost"))
    path = os.path.join(folder, entry)
    if not os.path.exists(path):
        of_windows = os.path.join(folder, entry.replace("\\", "/"))
        if os.path.exists(of_windows):
            return of_windows
    return path


def _local(path: str) -> str:
    """Return the path, spelt so that nothing takes it for a URL and fetches it."""
    return os.path.join(os.curdir, path) if is_url(path) else path


def write_playlist(entries: Iterable[Entry], stream: IO[str]) -> list[str]:
    """Write a playlist; return what is wrong with songs that it can't hold."""
    stream.write("#EXTM3U\n")
    errors = []
    for name, group in entries:
        if any(unicodedata.category(c) in _NO_TEXT for c in name):
            errors.append(
                f"{name!r} can't be in a playlist, which has one name a line, in "
                "Unicode. Rename it."
            )
            continue
        path = os.path.abspath(name)
        genre = f"#EXTGENRE:{one_line(group)}\n" if group else ""
        stream.write(f"#EXTINF:-1,{Path(path).stem}\n{genre}{path}\n")
    return errors


def one_line(text: str) -> str:
    """Return text that a line of a playlist can hold."""
    return "".join(" " if unicodedata.category(c) in _NO_TEXT else c for c in text)


def file_names(titles: Iterable[str]) -> dict[str, str]:
    """Return a name for the playlist of each title, which any system takes.

    Names differ by more than their case.

    Examples
    --------
    >>> file_names(["R&B/Soul", "rock", "Rock", "..", "AUX"])
    ... # doctest: +NORMALIZE_WHITESPACE
    {'R&B/Soul': 'R&B_Soul.m3u8', 'rock': 'rock.m3u8', 'Rock': 'Rock 2.m3u8',
     '..': '_.m3u8', 'AUX': '_AUX.m3u8'}
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for title in dict.fromkeys(titles):
        plain = _NOT_IN_NAMES.sub("_", one_line(unicodedata.normalize("NFC", title)))
        stem = plain[:_LONGEST_NAME].strip(" .")
        if not stem or _DEVICES.fullmatch(stem):
            stem = f"_{stem}"
        distinct, number = stem, 2
        while distinct.casefold() in taken:
            distinct, number = f"{stem} {number}", number + 1
        taken.add(distinct.casefold())
        names[title] = f"{distinct}{WRITTEN_SUFFIX}"
    return names
