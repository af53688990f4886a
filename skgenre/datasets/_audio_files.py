"""Audio files below folders."""

import os
import warnings
from collections.abc import Iterable
from typing import Any

from skgenre._text import format_list
from skgenre.audio._remote import exists_at_host, filesystem, is_url, unescaped

AUDIO_SUFFIXES = frozenset(
    ".3ga .aa3 .aac .ac3 .adts .aif .aifc .aiff .amr .ape .au .awb .bwf .caf .dff .dsf "
    ".dts .eac3 .ec3 .f4a .flac .m2a .m4a .m4b .m4r .mka .mov .mp+ .mp1 .mp2 .mp3 .mp4 "
    ".mpa .mpc .mpga .oga .ogg .oma .opus .ra .rf64 .shn .snd .spx .tak .tta .voc .w64 "
    ".wav .wave .weba .webm .wma .wv .xwma".split()
)
"""Ends of file names, in lower case, that are taken for audio.

Left out, though a decoder would read their sound: videos (.avi, .mkv, .mpg, .ts …), of
which only those that music is sold as are here; and what games have of their own.
"""
EXPECTED = f"Expected names that end in one of {' '.join(sorted(AUDIO_SUFFIXES))}."
"""What errors say where no audio files are found."""

# What storage boxes, macOS and Windows keep beside music: thumbnails, what was deleted,
# and earlier states of all files.
_NOT_MUSIC = frozenset(
    ("@eadir", "#recycle", "@recycle", "$recycle.bin", "recycler")
    + ("#snapshot", "~snapshot", "@recently-snapshot", "lost+found", "__macosx")
    + ("system volume information",)
)


def is_hidden(name: str) -> bool:
    """Return whether the name of a file or folder is of none that people put there."""
    return name.startswith(".") or name.lower() in _NOT_MUSIC


def is_audio(name: str) -> bool:
    """Return whether a file name is one of audio, and not hidden."""
    suffix = os.path.splitext(name)[1].lower()
    return suffix in AUDIO_SUFFIXES and not is_hidden(name)


def _identity(folder: str) -> tuple[int, int]:
    status = os.stat(folder)
    return status.st_dev, status.st_ino


def _fail(error: OSError) -> None:
    raise error


def audio_files_below(folder: str, root: str | None = None) -> list[str]:
    """List the audio files in a folder and all folders below.

    Parameters
    ----------
    folder : str
        Where to look, or its URL. Links are followed; hidden files and folders, and
        recycle bins, are left out.
    root : str or None, default=None
        A folder above that is not to be entered through a link; if `folder` is itself
        one to it, there are no files.

    Returns
    -------
    list of str
        Sorted; each begins with `folder`.
    """
    if is_url(folder):
        return _audio_files_of_store(folder)
    # Every folder once: links may lead in circles.
    seen = {_identity(root)} if root else set()
    if _identity(folder) in seen:
        return []
    seen.add(_identity(folder))
    files = []
    for parent, subfolders, names in os.walk(folder, onerror=_fail, followlinks=True):
        new = {}
        for name in sorted(subfolders):
            identity = _identity(os.path.join(parent, name))
            if not is_hidden(name) and identity not in seen:
                new[name] = identity
                seen.add(identity)
        subfolders[:] = new
        files += [os.path.join(parent, name) for name in names if is_audio(name)]
    return sorted(files)


def is_folder(name: str) -> bool:
    """Return whether a path or URL is that of a folder."""
    if not is_url(name):
        return os.path.isdir(name)
    # The store isn't asked for each of many songs; and a web server's response for
    # a file with links in it, such as a table of URLs, would look like a folder's.
    if is_audio(name.rpartition("/")[2]) or name.lower().endswith(".csv"):
        return False
    fs, folder = filesystem(name)
    return fs.isdir(folder)


def exists(name: str) -> bool:
    """Return whether a file or folder exists; songs' URLs are taken to exist."""
    if not is_url(name):
        return os.path.exists(name)
    if is_audio(name.rpartition("/")[2]):
        return True
    if name.lower().endswith(".csv"):  # a table, whose host must be the URL's
        return exists_at_host(name)
    fs, file = filesystem(name)
    return fs.exists(file)


def join(folder: str, name: str) -> str:
    """Return the path or URL of what has a name in a folder."""
    if not is_url(folder):
        return os.path.join(folder, name)
    return f"{unescaped(folder).rstrip('/')}/{name}"


def list_folder(folder: str) -> tuple[list[str], list[str]]:
    """Return the names of the folders, and of all else, right in a folder."""
    if is_url(folder):
        fs, top = filesystem(folder)
        is_dir = {
            _below(fs, top, entry["name"]): entry["type"] == "directory"
            for entry in fs.ls(top, detail=True)
        }
        is_dir.pop("", None)  # some stores list the folder itself
    else:
        # os.path's: an entry's own is_dir raises at a link that leads to itself.
        is_dir = {e.name: os.path.isdir(e.path) for e in os.scandir(folder)}
    names = sorted(is_dir)
    return [n for n in names if is_dir[n]], [n for n in names if not is_dir[n]]


def _below(fs: Any, top: str, name: str) -> str:
    # Some stores name what they list with their protocol or a slash, some without.
    return fs._strip_protocol(name)[len(fs._strip_protocol(top)) :].strip("/")


def _audio_files_of_store(url: str) -> list[str]:
    fs, top = filesystem(url)
    names = [_below(fs, top, name) for name in fs.find(top)]
    url = unescaped(url).rstrip("/")
    return sorted(
        f"{url}/{name}"
        for name in names
        if is_audio(name.rpartition("/")[2])
        and not any(is_hidden(folder) for folder in name.split("/"))
    )


def find_audio_files(
    paths: str | os.PathLike[str] | Iterable[str | os.PathLike[str]],
) -> list[str]:
    """List audio files: those named, and those in the folders named.

    Parameters
    ----------
    paths : str, os.PathLike or iterable of these
        Files, which are taken whatever their names end in, and folders, which are
        searched at any depth for names that end like audio (``.mp3``, ``.flac``,
        ``.wav``, ``.m4a`` …); or URLs of such. Hidden files and folders, and recycle
        bins, are left out; links are followed.

    Returns
    -------
    list of str
        Sorted, each file once.

    Raises
    ------
    FileNotFoundError
        If there is no such file or folder. URLs that end like audio are not asked
        for.

    ValueError
        If there is no audio file at all.

    TypeError
        If a path is of another type, or missing.

    Warns
    -----
    UserWarning
        If one of several folders holds no audio file.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skgenre.datasets import find_audio_files
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     for name in ("b.mp3", "a.flac", "cover.jpg"):
    ...         Path(folder, name).touch()
    ...     files = find_audio_files(folder)
    >>> [Path(file).name for file in files]
    ['a.flac', 'b.mp3']
    """
    if isinstance(paths, (str, os.PathLike)):
        paths = [paths]
    names = []
    for i, path in enumerate(paths):
        if not isinstance(path, (str, os.PathLike)):
            raise TypeError(
                f"Path {i} is of type {type(path).__name__}; expected a str or an "
                "os.PathLike. Leave missing paths out."
            )
        names.append(os.fspath(path))
    files: set[str] = set()
    empty = []
    for name in names:
        if is_folder(name):
            found = audio_files_below(name)
            files.update(found)
            if not found:
                empty.append(name)
        elif exists(name):
            files.add(name)
        else:
            raise FileNotFoundError(
                f"There is no file or folder {name!r}. Check the path."
            )
    if not files:
        raise ValueError(
            f"No audio files in {format_list(map(repr, names)) or 'an empty list'}. "
            + EXPECTED
        )
    if empty:
        warnings.warn(
            f"No audio files in {format_list(map(repr, empty))}.", stacklevel=2
        )
    return sorted(files)
