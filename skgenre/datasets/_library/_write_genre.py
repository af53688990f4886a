"""Other genres in the tags of a file, and nothing else changed.

A file is changed in memory, checked, and then replaced as a whole.
"""

import contextlib
import hashlib
import io
import os
import threading
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple, NoReturn

from skgenre._files import check_writable, open_regular, size_text, write_atomically
from skgenre.audio._decoders._av import stream_digest
from skgenre.audio._remote import MAX_BYTES, is_url
from skgenre.datasets._library._genre_names import genre_key, split_genres
from skgenre.datasets._library._tags import tags_of

_MOST_TEXT = 1 << 16
"""Characters of the genres of a song, which mutagen takes one by one."""


def require_mutagen() -> None:
    """Raise an ImportError if mutagen is missing."""
    try:
        import mutagen  # noqa: F401
    except ImportError:
        raise ImportError(
            "Writing tags needs mutagen, which is under the GPL, version 2 or later: "
            '`python -m pip install "skgenre[tags]"`.'
        ) from None


class GenreChange(NamedTuple):
    """A file with other genres, not yet written."""

    path: Path
    """After following links."""
    old: list[str] | None
    """Values of the genre's field; None where it is not there."""
    new: list[str] | None
    contents: bytes
    before: os.stat_result
    """Of the file as it was read."""

    @property
    def digest(self) -> str:
        """SHA-256 of the changed file."""
        return hashlib.sha256(self.contents).hexdigest()

    def write(self) -> None:
        """Replace the file; if that fails, it is what it was.

        Its mode and owner are kept, its time is now.

        Raises
        ------
        OSError
            If it can't be replaced, or has changed since it was read.
        """
        now = os.stat(self.path)
        if (now.st_size, now.st_mtime_ns) != (
            self.before.st_size,
            self.before.st_mtime_ns,
        ):
            raise OSError(f"{str(self.path)!r} was changed meanwhile. Try again.")
        write_atomically(self.path, self.contents)
        if hasattr(os, "chown"):  # root may write to files of others
            with contextlib.suppress(OSError):
                os.chown(self.path, self.before.st_uid, self.before.st_gid)


def change_genres(path: str, genres: Sequence[str]) -> GenreChange | None:
    """Return the file with these as its only genres; None if its first ones are these.

    Each is a value of its own: a string of ID3, a comment of Vorbis, and so on.

    Raises
    ------
    OSError
        If the file can't be read, or can't be written to.
    ValueError
        If one names none, such as "Other" or a number, if mutagen can't write the tags,
        if another tag would keep the genres from being read, or if the sound would
        change.
    """
    for genre in genres:
        # ID3's list would say what a number means.
        if not split_genres(genre) or genre.strip("() ").isdecimal():
            raise ValueError(f"Can't write {genre!r} into {path!r}: it is no genre.")
    contents, before = _read(path)
    if _begins_with(contents, path, genres):
        return None
    change = _changed(path, contents, before, list(genres))
    if not _begins_with(change.contents, path, genres):
        found = tags_of(io.BytesIO(change.contents), path).genre_names
        raise ValueError(
            f"Can't write the genre into {path!r}: its tags of another kind, which "
            f"mutagen doesn't write, name {', '.join(map(repr, found)) or 'none'}. "
            "Use a tag editor."
        )
    return change


def _begins_with(contents: bytes, path: str, genres: Sequence[str]) -> bool:
    """Return whether the first genres in the tags are these, in whatever order.

    A genre may be one of several names, such as "Pop/Rock".
    """
    names = tags_of(io.BytesIO(contents), path).genre_names
    wanted = [name for genre in genres for name in split_genres(genre)]
    found = names[: len(wanted)]
    return sorted(map(genre_key, found)) == sorted(map(genre_key, wanted))


def restore_genres(
    path: str, values: list[str] | None, *, digest: str
) -> GenreChange | None:
    """Return the file with these values; None if it has them already.

    Raises
    ------
    OSError, ValueError
        As `change_genres`; a ValueError, too, if the file has another SHA-256 than
        `digest`.
    """
    contents, before = _read(path)
    change = _changed(path, contents, before, values)
    if change.old == values:
        return None
    if hashlib.sha256(contents).hexdigest() != digest:
        raise ValueError(
            f"{path!r} was changed since its genre was written. It is left as it is."
        )
    return change


def _read(path: str) -> tuple[bytes, os.stat_result]:
    if is_url(path):
        raise ValueError(f"Can't write the genre into {path!r}, which is a URL.")
    target = check_writable(path)
    with open(open_regular(target), "rb") as file:
        status = os.fstat(file.fileno())
        # Root may write to read-only files, which are so for a reason.
        if not status.st_mode & 0o222 or not os.access(target, os.W_OK):
            raise PermissionError(f"Can't write the genre into {path!r}: read-only.")
        if status.st_size > MAX_BYTES:
            raise ValueError(
                f"Can't write the genre into {path!r}, which is larger than "
                f"{size_text(MAX_BYTES)}."
            )
        return file.read(), status


def _changed(
    path: str, contents: bytes, before: os.stat_result, new: list[str] | None
) -> GenreChange:
    """Return the change, after its values and the sound were compared."""
    if sum(len(value) + 1 for value in new or ()) > _MOST_TEXT:
        raise ValueError(
            f"Can't write the genre into {path!r}: it has more than {_MOST_TEXT} "
            "characters."
        )
    try:
        old, changed = _with_genre(contents, path, new)
        written = _with_genre(changed, path, new)[0]
        is_same = _sound(contents) == _sound(changed)
    except MemoryError:
        raise
    except Exception as error:  # of any type, where a file is damaged
        raise ValueError(
            f"Can't write the genre into {path!r}: {str(error) or type(error).__name__}"
        ) from error
    if not is_same:
        raise ValueError(
            f"Can't write the genre into {path!r}: its sound would change."
        )
    if written != new:
        raise ValueError(
            f"Can't write the genre into {path!r}: {new!r} would be {written!r}."
        )
    return GenreChange(Path(os.path.realpath(path)), old, new, changed, before)


def _sound(contents: bytes) -> str:
    """Return the digest of a file's sound."""
    from mutagen import apev2

    if contents[:4] != b"wvpk":  # FFmpeg knows APEv2 behind WavPack, and not in MP3
        file = io.BytesIO(contents)
        apev2.delete(file)
        contents = file.getvalue()
    return stream_digest(io.BytesIO(contents))


_LOCK = threading.Lock()


def _refuse_compressed(data: bytes) -> NoReturn:
    raise ValueError("its ID3 tag is compressed, to who knows what size")


@contextlib.contextmanager
def _nothing_compressed() -> Iterator[None]:
    """Keep mutagen from decompressing frames: 2 MB of a file may hold gigabytes."""
    from mutagen.id3 import _frames

    with _LOCK:
        known = _frames.zlib
        refusing: Any = SimpleNamespace(decompress=_refuse_compressed, error=zlib.error)
        _frames.zlib = refusing
        try:
            yield
        finally:
            _frames.zlib = known


@_nothing_compressed()
def _with_genre(
    contents: bytes, name: str, values: list[str] | None
) -> tuple[list[str] | None, bytes]:
    """Return the values of the genre's field, and the file with others.

    Other tags stay, and ID3's version, where mutagen can write it; an ID3v1 tag is left
    as it is beside a new one.
    """
    import mutagen
    from mutagen.id3 import ID3, ID3FileType

    file = _NamedFile(contents, name)
    kind = mutagen.File(file)
    if kind is None:
        raise ValueError("mutagen doesn't know its format")
    file.seek(0)
    if isinstance(kind, ID3FileType):
        tags = _tags_before_sound(file)
        save = tags.save
    else:
        kind = _untranslated(kind, file)
        if kind.tags is None:
            kind.add_tags()
        tags, save = kind.tags, kind.save
    if isinstance(tags, ID3):
        old = [str(text) for frame in tags.getall("TCON") for text in frame.text]
        how = _set_in_id3(tags, values)
    else:
        key, how = _key(tags, kind), {}
        old = [str(value) for value in tags.get(key, ())]
        if values is not None:
            tags[key] = values
        elif key in tags:
            del tags[key]
    file.seek(0)
    save(file, **how)
    changed = file.getvalue()
    if isinstance(kind, ID3FileType) and _ends_in_id3v1(contents):
        changed = changed[:-128] if _ends_in_id3v1(changed) else changed
        changed += contents[-128:]
    return old or None, changed


def _ends_in_id3v1(contents: bytes) -> bool:
    return contents[-128:-125] == b"TAG"


class _NamedFile(io.BytesIO):
    """A file in memory, whose format its name tells where its contents don't."""

    def __init__(self, contents: bytes, name: str) -> None:
        super().__init__(contents)
        self.name = name


def _key(tags: Any, kind: Any) -> str:
    """Return the name of the genre's field in tags that are mappings."""
    from mutagen.apev2 import APEv2
    from mutagen.asf import ASF
    from mutagen.flac import FLAC
    from mutagen.mp4 import MP4
    from mutagen.ogg import OggFileType

    if isinstance(tags, APEv2):
        return "Genre"
    keys = {FLAC: "genre", OggFileType: "genre", MP4: "\xa9gen", ASF: "WM/Genre"}
    for type_, key in keys.items():
        if isinstance(kind, type_):
            return key
    raise ValueError(f"tags of {type(kind).__name__} are not written")


def _tags_before_sound(file: io.BytesIO) -> Any:
    """Return the tags of an MP3: ID3v2, or else APEv2, or else those of ID3v1."""
    from mutagen.apev2 import APENoHeaderError, APEv2
    from mutagen.id3 import ID3, ID3NoHeaderError

    try:
        tags = ID3(file, translate=False, load_v1=False)
        if tags.version >= (2, 3):
            return tags
        file.seek(0)
        return ID3(file)
    except ID3NoHeaderError:
        pass
    file.seek(0)
    try:
        return APEv2(file)
    except APENoHeaderError:
        pass
    file.seek(0)
    try:
        return ID3(file)
    except ID3NoHeaderError:
        return ID3()


def _untranslated(kind: Any, file: io.BytesIO) -> Any:
    """Return a file with ID3 in a chunk as it is, and not as of version 2.4."""
    from mutagen.id3 import ID3

    if isinstance(kind.tags, ID3) and kind.tags.version >= (2, 3):
        kind = type(kind)(file, translate=False)
    return kind


def _set_in_id3(tags: Any, values: list[str] | None) -> dict[str, Any]:
    """Set the genre, and return how to save: what is older than 2.4 as 2.3."""
    from mutagen.id3 import TCON, Encoding

    is_old = (2, 2) <= tags.version < (2, 4)
    if is_old and tags.version < (2, 3):  # which mutagen doesn't write
        tags.update_to_v23()
    tags.delall("TCON")
    if values is not None:
        tags.add(TCON(encoding=Encoding.UTF16, text=values))
    # Without a separator, several values of another field stay several.
    return {"v2_version": 3 if is_old else 4, "v23_sep": None}
