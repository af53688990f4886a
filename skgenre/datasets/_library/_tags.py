"""The tags of a sound file."""

import io
import math
import os
import re
from collections.abc import Sequence
from typing import BinaryIO, NamedTuple, cast

from tinytag import TinyTag, TinyTagException, UnsupportedFormatError

from skgenre.audio import AudioError, map_clips
from skgenre.audio._decoders._mpeg import size_of_id3
from skgenre.audio._readers import open_file
from skgenre.datasets._library._ape import read_ape
from skgenre.datasets._library._genre_names import clean, genre_key, split_genres
from skgenre.datasets._library._id3 import read_id3, read_id3v1_genre

# Longer text is no name.
_LONGEST = 1000
# Of one field; a song has some ten genres.
_MOST_VALUES = 1000
# Of a parser that looks for the next frame in what is no music, or reads comments
# without end; tags take some hundred.
_MOST_READS = 50_000
# AAC looks like MP3, of which it has no frames; tinytag reads Ogg to its end, which
# takes 3 ms a song, and a decoder 0.5.
_DURATION_BY_DECODER = (".aac", ".oga", ".ogg", ".opus")
_YEAR = re.compile(r"(?<!\d)[12]\d{3}")
# Album artists of compilations, and what programs write for none.
_NOBODY = frozenset("unknown unknownartist va various variousartists".split())


class Tags(NamedTuple):
    """What a file says of itself."""

    genres: tuple[str, ...] = ()
    """As they are written; several may be in one text."""
    artist: str | None = None
    """That of the album, but for compilations."""
    track_artist: str | None = None
    album: str | None = None
    title: str | None = None
    year: float = math.nan
    duration: float = math.nan
    """Seconds, where the header says so, and it takes no decoder to find that out."""
    problem: str = ""
    """Why the tags can't be read."""

    @property
    def genre_names(self) -> list[str]:
        """The genres one by one, without those that say nothing, such as "Other"."""
        return [name for text in self.genres for name in split_genres(text)]


class _GivingUp(Exception):
    """A parser reads a file without end."""


class _BoundedFile:
    """A file, from some byte on, of which no more than there is can be asked for.

    tinytag asks for as many bytes as a header says, for which memory would be made, and
    reads as often as it likes.
    """

    def __init__(self, file: BinaryIO, start: int = 0) -> None:
        self._file = file
        self._size = file.seek(0, os.SEEK_END)
        self._start = min(start, self._size)
        file.seek(self._start)
        self._n_reads = 0

    def read(self, size: int = -1) -> bytes:
        self._n_reads += 1
        if self._n_reads > _MOST_READS:
            raise _GivingUp("they do not end")
        left = max(0, self._size - self._file.tell())
        return self._file.read(left if size < 0 else min(size, left))

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        if whence == os.SEEK_SET:
            offset += self._start
        return self._file.seek(offset, whence) - self._start

    def tell(self) -> int:
        return self._file.tell() - self._start


def _bounded(file: BinaryIO, start: int = 0) -> BinaryIO:
    return cast("BinaryIO", _BoundedFile(file, start))


def read_tags(path: str) -> Tags:
    """Return the tags of a sound file.

    Parameters
    ----------
    path : str
        The file, or its URL.

    Returns
    -------
    Tags
        Of ID3 (1 to 2.4), Vorbis comments, MP4, APEv2, ASF, RIFF and AIFF; without any
        for files of other formats. `problem` says why a file can't be read.
    """
    try:
        with open_file(path) as raw:
            file = io.BufferedReader(cast("io.RawIOBase", raw))
            try:
                return tags_of(file, path)
            finally:
                file.detach()
    except AudioError as error:
        return Tags(problem=error.cause)
    except OSError as error:
        return Tags(problem=error.strerror or str(error))


def read_all_tags(paths: Sequence[str], n_jobs: int | None) -> list[Tags]:
    """Return what the files' own tags say; nothing where they can't be read."""
    return list(map_clips(lambda path: read_tags(str(path)), paths, n_jobs=n_jobs))


def tags_of(file: BinaryIO, path: str) -> Tags:
    """Return the tags in an open file; its name may be needed to tell the format."""
    problem = ""
    try:
        tag = _parse(file, path)
    except TinyTagException as error:
        tag, problem = TinyTag(), f"its tags are damaged ({error})"
    ape = read_ape(_bounded(file))
    number = read_id3v1_genre(_bounded(file))
    try:
        id3 = read_id3(_bounded(file))
    except _GivingUp:
        id3 = {}

    def values(*names: str) -> list[str]:
        in_id3 = [value for name in names for value in id3.get(name, [])]
        in_tag = [getattr(tag, name, None) or "" for name in names[:1]]
        in_tag += [value for name in names for value in tag.other.get(name, [])]
        in_ape = [value for name in names for value in ape.get(name, [])]
        # ID3v1 cuts names off, and is mostly older than what is beside it.
        is_old = number is not None and not id3
        found = in_id3 + (in_ape + in_tag if is_old else in_tag + in_ape)
        return found[:_MOST_VALUES]

    def first(*names: str) -> str | None:
        texts = (clean(value[:_LONGEST]) for value in values(*names))
        return next(filter(None, texts), None)

    genres = id3.get("genre") or values("genre")
    if number is not None and tag.mime_type in ("audio/mpeg", None):
        genres = id3.get("genre") or ape.get("genre") or [str(number)]
    artist, album_artist = first("artist"), first("albumartist", "album artist")
    year = _YEAR.search(first("year", "_year") or "")
    duration = tag.duration or math.nan
    return Tags(
        genres=tuple(
            text[:_LONGEST] for text in genres[:_MOST_VALUES] if clean(text[:_LONGEST])
        ),
        artist=_somebody(album_artist) or _somebody(artist),
        track_artist=_somebody(artist),
        album=first("album"),
        title=first("title"),
        year=float(year[0]) if year else math.nan,
        duration=duration if 0 < duration < math.inf else math.nan,
        problem=problem,
    )


def _somebody(artist: str | None) -> str | None:
    return None if artist is None or genre_key(artist) in _NOBODY else artist


def _parse(file: BinaryIO, path: str) -> TinyTag:
    start = size_of_id3(_bounded(file))  # of which the texts are read here
    by_decoder = path.lower().endswith(_DURATION_BY_DECODER)
    for duration in (False,) if by_decoder else (True, False):
        bounded = _bounded(file, start)
        for name in (None, path):  # by what is in the file, and only then by its name
            try:
                return TinyTag.get(name, bounded, duration=duration)
            except UnsupportedFormatError:
                continue
            except TinyTagException as error:
                if not (duration and isinstance(error.__cause__, _GivingUp)):
                    raise
                break  # and try again without a search for frames
    return TinyTag()  # such as AU, which has no tags
